import { SERVER_NAME } from './name.js';

const u16 = (value: number): number[] => [value >> 8, value & 0xff];
const text = (value: string): number[] => [...Buffer.from(value, 'latin1')];
const block8 = (bytes: number[]): number[] => [bytes.length, ...bytes];
const block16 = (bytes: number[]): number[] => [...u16(bytes.length), ...bytes];
const extension = (type: number, bytes: number[]): number[] => [...u16(type), ...block16(bytes)];
const list = (values: readonly number[]): number[] => values.flatMap(u16);

/** What a browser offers (RFC 8446, RFC 5246), one value from the reserved ones of RFC 8701 among them. */
const CIPHERS = [
  0x1a1a, 0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0xc013, 0xc014, 0x009c, 0x009d, 0x002f, 0x0035,
];
const SIGNATURES = [0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601];
const GROUPS = [0x1a1a, 0x001d, 0x0017, 0x0018];
const X25519_BYTES = 32;
const PADDING_EXTENSION = 21;
const QUIC_PARAMETERS_EXTENSION = 57;

function clientHello(protocols: readonly string[], more: number[], messageBytes: number): Uint8Array {
  const extensions = [
    ...extension(0x1a1a, []),
    ...extension(0, block16([0, ...block16(text(SERVER_NAME))])),
    ...extension(23, []),
    ...extension(10, block16(list(GROUPS))),
    ...extension(11, block8([0])),
    ...extension(16, block16(protocols.flatMap((protocol) => block8(text(protocol))))),
    ...extension(5, [1, 0, 0, 0, 0]),
    ...extension(13, block16(list(SIGNATURES))),
    ...extension(51, block16([...u16(0x001d), ...block16(new Array<number>(X25519_BYTES).fill(0x42))])),
    ...extension(45, block8([1])),
    ...extension(43, block8(list([0x1a1a, 0x0304, 0x0303]))),
    ...more,
  ];
  const head = [...u16(0x0303), ...new Array<number>(32).fill(0x52), ...block8(new Array<number>(32).fill(0x53))];
  const body = [...head, ...block16(list(CIPHERS)), ...block8([0])];
  const paddingBytes = messageBytes - 4 - body.length - 2 - extensions.length - 4;
  const padded = [...extensions, ...extension(PADDING_EXTENSION, new Array<number>(paddingBytes).fill(0))];
  const message = [...body, ...block16(padded)];
  return Uint8Array.from([1, 0, ...u16(message.length), ...message]);
}

/** The first segment that a browser sends: a TLS record with a ClientHello. */
export const CLIENT_HELLO = ((): Uint8Array => {
  const message = clientHello(['h2', 'http/1.1'], [], 512);
  return Uint8Array.from([0x16, 3, 1, ...u16(message.length), ...message]);
})();

/** A ClientHello as QUIC carries it, without record header. */
export const QUIC_CLIENT_HELLO = clientHello(['h3'], extension(QUIC_PARAMETERS_EXTENSION, [1, 4, 0x80, 0, 0x75, 0x30]), 400);

/** What the server's first segment begins with: a record with a ServerHello. */
export const SERVER_HELLO = Uint8Array.from([0x16, 3, 3, 0, 122, 2, 0, 0, 118, 3, 3]);
