import { createHash } from 'node:crypto';

/** The body of a good answer as it goes out, and its ETag. */
export interface Answer {
  readonly body: Buffer;
  readonly etag: string;
  /** The answer will not change: it is about a time that is over. */
  readonly isClosed: boolean;
}

const ETAG_CHARACTERS = 22;

/** Makes the ETag: a strong one for a time that is over, a weak one else (RFC 9110 section 8.8.3). */
export function answerOf(bytes: Uint8Array, isClosed: boolean): Answer {
  const body = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const hash = createHash('sha256').update(body).digest('base64url').slice(0, ETAG_CHARACTERS);
  return { body, etag: isClosed ? `"${hash}"` : `W/"${hash}"`, isClosed };
}

/** Whether the client has the answer already, by its If-None-Match header (RFC 9110 section 13.1.2: weak comparison). */
export function isKnown({ etag }: Answer, ifNoneMatch: string | undefined): boolean {
  if (ifNoneMatch === undefined) return false;
  const opaque = etag.replace(/^W\//, '');
  return ifNoneMatch.split(',').some((given) => given.trim() === '*' || given.trim().replace(/^W\//, '') === opaque);
}
