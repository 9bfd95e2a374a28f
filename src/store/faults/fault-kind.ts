import { AppError } from '../../errors.js';
import { WriteFault } from '../../ring/write-fault.js';
import { isSqliteError } from '../sqlite-error.js';
import { isOfPresentSchema, isOurs, isUnsound } from './set-aside.js';

/** What SQLite's result codes mean to somebody who writes. The first prefix that fits counts. */
const FAULTS: readonly (readonly [prefix: string, fault: WriteFault])[] = [
  ['SQLITE_BUSY', WriteFault.Busy],
  ['SQLITE_LOCKED', WriteFault.Busy],
  ['SQLITE_FULL', WriteFault.DiskFull],
  // No room for the index of the write-ahead log.
  ['SQLITE_IOERR_SHMSIZE', WriteFault.DiskFull],
  ['SQLITE_READONLY', WriteFault.ReadOnly],
  ['SQLITE_PERM', WriteFault.ReadOnly],
  // SQLite answers so as well where it cannot lock what it reads, and where it found no room for its own memory.
  ['SQLITE_IOERR_CORRUPTFS', WriteFault.Damaged],
  ['SQLITE_IOERR', WriteFault.InputOutput],
  ['SQLITE_CANTOPEN', WriteFault.InputOutput],
  ['SQLITE_PROTOCOL', WriteFault.InputOutput],
  ['SQLITE_CORRUPT', WriteFault.Damaged],
  ['SQLITE_NOTADB', WriteFault.Damaged],
];

/** Why a write failed, by SQLite's extended result code. */
export function faultOf(code: string): WriteFault {
  return FAULTS.find(([prefix]) => code.startsWith(prefix))?.[1] ?? WriteFault.Other;
}

/** Why a database cannot be opened. */
export function faultOfOpening({ code, cause }: AppError): WriteFault {
  switch (code) {
    case 'DATABASE_FOREIGN':
      return WriteFault.Foreign;
    case 'DATABASE_NEWER':
      return WriteFault.Newer;
    case 'DATABASE_LOCKED':
      return WriteFault.Busy;
    case 'DATABASE_DAMAGED':
      return WriteFault.Damaged;
    default:
      return isSqliteError(cause) ? faultOf(cause.code) : faultOfSystem((cause as NodeJS.ErrnoException | undefined)?.code);
  }
}

function faultOfSystem(code: string | undefined): WriteFault {
  if (code === 'ENOSPC' || code === 'EDQUOT') return WriteFault.DiskFull;
  if (code === 'EROFS' || code === 'EACCES' || code === 'EPERM') return WriteFault.ReadOnly;
  return code === 'EIO' ? WriteFault.InputOutput : WriteFault.Other;
}

/**
 * Whether the file is one of flowberry and damaged, so that it may be moved out of the way. `error`: what opening it failed with. Where SQLite
 * itself does not speak of damage, all of the file is read.
 */
export function isFileDamaged(path: string, error: unknown): boolean {
  if (!isOurs(path)) return false;
  if (!(error instanceof AppError)) return isUnsound(path);
  if (error.code === 'DATABASE_FOREIGN') return true;
  if (error.code !== 'DATABASE_DAMAGED') return false;
  const isSeen = isSqliteError(error.cause) && faultOf(error.cause.code) === WriteFault.Damaged;
  return isSeen || isOfPresentSchema(path) || isUnsound(path);
}
