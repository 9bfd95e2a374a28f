import { isDigit } from './byte-match.js';

/** PostgreSQL (protocol 3.0, "Message Formats"): a start has no type byte, only length and a code. */
const POSTGRES_START_BYTES_MIN = 8;
const POSTGRES_START_BYTES_MAX = 10_000;
const POSTGRES_VERSION_3 = 3;
/** What stands where the version would: cancel, TLS, GSSAPI; 1234 << 16 | 5678 and its neighbours. */
const POSTGRES_REQUEST_FIRST = 80_877_102;
const POSTGRES_REQUEST_LAST = 80_877_104;

/** A client's first message to PostgreSQL. Allocates nothing, as all functions here. */
export function isPostgreSqlStart(view: DataView, offset: number, end: number): boolean {
  if (end - offset < POSTGRES_START_BYTES_MIN) return false;
  const bytes = view.getUint32(offset);
  if (bytes < POSTGRES_START_BYTES_MIN || bytes > POSTGRES_START_BYTES_MAX) return false;
  const code = view.getUint32(offset + 4);
  if (code >= POSTGRES_REQUEST_FIRST && code <= POSTGRES_REQUEST_LAST) return bytes <= 16;
  return code >>> 16 === POSTGRES_VERSION_3 && (code & 0xffff) <= 2;
}

/** MySQL ("Connection Phase"): a length of 24 bits, little-endian, and a number 0; then the server's version as text. */
const MYSQL_HEADER_BYTES = 4;
const MYSQL_GREETING_BYTES_MIN = 20;
const MYSQL_PROTOCOL = 10;
const MYSQL_VERSION_CHARS_MAX = 64;

/** A server's greeting: MySQL's or MariaDB's. */
export function isMySqlGreeting(view: DataView, offset: number, end: number): boolean {
  const contents = offset + MYSQL_HEADER_BYTES;
  if (end - contents < 8 || view.getUint8(offset + 3) !== 0 || view.getUint8(contents) !== MYSQL_PROTOCOL) return false;
  const bytes = view.getUint16(offset, true) | (view.getUint8(offset + 2) << 16);
  if (bytes < MYSQL_GREETING_BYTES_MIN || bytes > end - contents || !isDigit(view.getUint8(contents + 1))) return false;
  const last = Math.min(end, contents + 1 + MYSQL_VERSION_CHARS_MAX);
  for (let at = contents + 1; at < last; at++) {
    const byte = view.getUint8(at);
    if (byte === 0) return true;
    if (byte < 0x20 || byte > 0x7e) return false;
  }
  return false;
}

/** MongoDB ("Wire Protocol"): length, request, the request that this answers, operation; all little-endian. */
const MONGO_HEADER_BYTES = 16;
const MONGO_BYTES_MAX = 48_000_000;
const enum MongoOperation {
  Reply = 1,
  Query = 2004,
  Compressed = 2012,
  Message = 2013,
}

export function isMongoDb(view: DataView, offset: number, end: number): boolean {
  if (end - offset < MONGO_HEADER_BYTES + 4) return false;
  const bytes = view.getUint32(offset, true);
  if (bytes < end - offset || bytes > MONGO_BYTES_MAX) return false;
  switch (view.getUint32(offset + 12, true)) {
    case MongoOperation.Reply:
    case MongoOperation.Query:
    case MongoOperation.Compressed:
      return true;
    case MongoOperation.Message:
      // Of its flags, the receiver must know the lower 16.
      return view.getUint16(offset + MONGO_HEADER_BYTES + 2, true) === 0;
    default:
      return false;
  }
}

/** TDS (MS-TDS section 2.2.3.1): type, status, length, process, packet number, window; a pre-login begins with option 0. */
const TDS_HEADER_BYTES = 8;
const TDS_PRELOGIN = 0x12;
const TDS_LAST_PACKET = 1;

/** A client's first message to Microsoft SQL Server. */
export function isMssqlPrelogin(view: DataView, offset: number, end: number): boolean {
  if (end - offset < TDS_HEADER_BYTES + 6) return false;
  if (view.getUint8(offset) !== TDS_PRELOGIN || view.getUint8(offset + 1) !== TDS_LAST_PACKET) return false;
  return view.getUint16(offset + 2) === end - offset && view.getUint8(offset + 7) === 0 && view.getUint16(offset + 8) === 0;
}
