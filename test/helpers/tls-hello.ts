import { Duplex } from 'node:stream';
import { type ConnectionOptions, connect } from 'node:tls';
import { join } from './frame-bytes.js';

/** ClientHellos, made of parts, and real ones of Node. */

const ascii = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'latin1'));

/** A number of `width` bytes, 1 to 3. */
function big(value: number, width: number): Uint8Array {
  return Uint8Array.from({ length: width }, (_, index) => (value >>> (8 * (width - 1 - index))) & 0xff);
}

/** `content` with its length before it, in `width` bytes. */
export function prefixed(width: number, ...content: readonly Uint8Array[]): Uint8Array {
  const all = join(...content);
  return join(big(all.length, width), all);
}

const numbers = (values: readonly number[]): Uint8Array => join(...values.map((value) => big(value, 2)));

export function extension(type: number, ...body: readonly Uint8Array[]): Uint8Array {
  return join(big(type, 2), prefixed(2, ...body));
}

/** A host name, or a name of another type. */
export type ServerName = string | readonly [type: number, name: string];

export function serverName(...names: readonly ServerName[]): Uint8Array {
  const entries = names.map((entry) => (typeof entry === 'string' ? ([0, entry] as const) : entry));
  return extension(0, prefixed(2, ...entries.map(([type, name]) => join(big(type, 1), prefixed(2, ascii(name))))));
}

export function alpn(...names: readonly string[]): Uint8Array {
  return extension(16, prefixed(2, ...names.map((name) => prefixed(1, ascii(name)))));
}

export function supportedVersions(...versions: readonly number[]): Uint8Array {
  return extension(43, prefixed(1, numbers(versions)));
}

export function signatureAlgorithms(...algorithms: readonly number[]): Uint8Array {
  return extension(13, prefixed(2, numbers(algorithms)));
}

export interface HelloParts {
  readonly version?: number;
  readonly sessionIdBytes?: number;
  readonly ciphers?: readonly number[];
  readonly compression?: readonly number[];
  /** Absent: no block of extensions at all. */
  readonly extensions?: readonly Uint8Array[];
}

/** A handshake message; the random value and the session id are 0x11. */
export function clientHello(parts: HelloParts = {}): Uint8Array {
  const { version = 0x0303, sessionIdBytes = 32, ciphers = [0x1301, 0x1302], compression = [0] } = parts;
  return join(
    Uint8Array.of(1),
    prefixed(
      3,
      big(version, 2),
      new Uint8Array(32).fill(0x11),
      prefixed(1, new Uint8Array(sessionIdBytes).fill(0x11)),
      prefixed(2, numbers(ciphers)),
      prefixed(1, Uint8Array.from(compression)),
      parts.extensions === undefined ? new Uint8Array(0) : prefixed(2, ...parts.extensions),
    ),
  );
}

/** `message` in records of at most `bytesPerRecord`. */
export function tlsRecords(message: Uint8Array, bytesPerRecord = 16_384, version = 0x0301): Uint8Array {
  const records: Uint8Array[] = [];
  for (let at = 0; at < message.length; at += bytesPerRecord)
    records.push(join(Uint8Array.of(22), big(version, 2), prefixed(2, message.subarray(at, at + bytesPerRecord))));
  return join(...records);
}

/** The first bytes that Node's TLS client sends: one record or more with a ClientHello. */
export async function nodeClientHello(options: ConnectionOptions): Promise<Uint8Array> {
  let resolve: (bytes: Uint8Array) => void = () => {};
  const first = new Promise<Uint8Array>((settle) => {
    resolve = settle;
  });
  const socket = new Duplex({
    read() {},
    write(chunk: Buffer, _encoding, callback) {
      resolve(Uint8Array.from(chunk));
      callback();
    },
  });
  const client = connect({ ...options, socket });
  // It is cut off before a server has answered, and says so.
  client.on('error', () => {});
  const bytes = await first;
  client.destroy();
  return bytes;
}
