import { createHash, timingSafeEqual } from 'node:crypto';
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { AppError } from '../../errors.js';

const CHARACTERS_MIN = 32;
const CHARACTERS_MAX = 512;
/** Rights of the owner's group and of all others. */
const MODE_OTHERS = 0o077;

/** What requests must show. The token itself is not kept, so nothing can tell it. */
export class Token {
  private readonly digest: Buffer;

  private constructor(token: string) {
    this.digest = digestOf(token);
  }

  /** The token of a file. Throws what `readToken` throws. */
  static read(path: string): Token {
    return new Token(readToken(path));
  }

  /** Whether an Authorization header shows the token (RFC 6750 section 2.1). Takes the same time whatever is in it. */
  isShownBy(authorization: string | undefined): boolean {
    const given = /^bearer +([^ ]+) *$/i.exec(authorization ?? '')?.[1] ?? '';
    return timingSafeEqual(digestOf(given), this.digest);
  }
}

/**
 * Reads a token from a regular file that nobody but its owner may read or write. Throws `API_TOKEN_INVALID`, which names the file and
 * never what is in it.
 */
export function readToken(path: string): string {
  const text = readPrivate(path).trimEnd();
  if (!/^[\x21-\x7e]*$/.test(text)) throw invalid(path, 'it holds other characters than printable ASCII without spaces');
  if (text.length < CHARACTERS_MIN || text.length > CHARACTERS_MAX)
    throw invalid(path, `a token has ${CHARACTERS_MIN} to ${CHARACTERS_MAX} characters`);
  return text;
}

function digestOf(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

function invalid(path: string, why: string): AppError {
  return new AppError('API_TOKEN_INVALID', `token file ${path}: ${why}`);
}

/** Looks at the open file, so that it cannot be exchanged in between; a pipe does not keep us waiting. */
function readPrivate(path: string): string {
  let descriptor: number;
  try {
    descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    throw invalid(path, (error as Error).message);
  }
  try {
    const { mode } = fstatSync(descriptor);
    if ((mode & constants.S_IFMT) !== constants.S_IFREG) throw invalid(path, 'it is no regular file');
    if ((mode & MODE_OTHERS) !== 0) throw invalid(path, 'others than its owner have rights to it; chmod 600 takes them away');
    const bytes = Buffer.alloc(CHARACTERS_MAX + 8);
    return bytes.toString('latin1', 0, readSync(descriptor, bytes));
  } finally {
    closeSync(descriptor);
  }
}
