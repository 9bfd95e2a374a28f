import { createHash } from 'node:crypto';
import { existsSync, realpathSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import type { Config } from '../../config.js';
import { realPathOf } from '../real-path.js';

/** Hexadecimal digits that tell one database from another in the same directory. */
const KEY_DIGITS = 16;

/** The names of a database whose rows lie in memory. */
export interface RamPaths {
  /** The operator's name for it, without links: where it is saved. */
  readonly saved: string;
  /** Beside `saved`: a link to `live`, by which commands find it. */
  readonly link: string;
  /** On a tmpfs, and there for this user alone. */
  readonly base: string;
  /** Below `base`, for this database alone. */
  readonly directory: string;
  readonly live: string;
  /** Beside `live`: which saved file it comes from. */
  readonly origin: string;
}

/** By the option, the service's own directory (systemd.exec(5), `RuntimeDirectory=`), or the memory that everybody may use. */
function baseOf({ storeRamDirectory }: Config, environment: NodeJS.ProcessEnv): string {
  if (storeRamDirectory !== '') return resolve(storeRamDirectory);
  const [own = ''] = (environment['RUNTIME_DIRECTORY'] ?? '').split(':');
  return own === '' ? `/dev/shm/flowberry-${process.getuid?.() ?? 0}` : own;
}

/** The names that go with a config. Two databases of one name have two directories. */
export function ramPathsOf(config: Config, environment: NodeJS.ProcessEnv = process.env): RamPaths {
  const saved = realPathOf(config.dbPath);
  const base = baseOf(config, environment);
  const directory = join(base, createHash('sha256').update(saved).digest('hex').slice(0, KEY_DIGITS));
  return pathsAt(saved, base, join(directory, basename(saved)));
}

function pathsAt(saved: string, base: string, live: string): RamPaths {
  return { saved, link: `${saved}-live`, base, directory: join(live, '..'), live, origin: `${live}-origin.json` };
}

/**
 * The names of a copy that lies in memory now, whether a daemon writes to it or one has left it there; null when there is none.
 *
 * The link says where, and that it leads to a file says that this file is newer than the saved one: memory is empty after a restart of
 * the machine, and a copy that has been saved at a stop is deleted. So commands need no config but `db.path`. Where no link could be made, on a
 * read-only disk, the config that the daemon has leads there as well.
 */
export function findLive(config: Config): RamPaths | null {
  const saved = realPathOf(config.dbPath);
  const link = `${saved}-live`;
  if (existsSync(link)) {
    const live = realpathSync(link);
    return pathsAt(saved, join(live, '../..'), live);
  }
  if (config.storeProfile !== 'ram') return null;
  const paths = ramPathsOf(config);
  return existsSync(paths.live) ? paths : null;
}

/** Where the newest rows of the database are: in memory, or under its name. */
export function livePathOf(config: Config): string {
  return findLive(config)?.live ?? config.dbPath;
}
