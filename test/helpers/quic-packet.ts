import { createCipheriv, createHmac } from 'node:crypto';
import { join } from './frame-bytes.js';

/** QUIC packets as a client sends them (RFC 9000, 9001, 9369). It shares no code with the parser. */

export const QUIC_V1 = 1;
export const QUIC_V2 = 0x6b3343cf;
export const QUIC_DRAFT_29 = 0xff00001d;

const SALT_22 = '7fbcdb0e7c66bbe9193a96cd21519ebd7a02644a';
const SALT_23 = 'c3eef712c72ebb5a11a7d2432bb46365bef9f502';
const SALT_29 = 'afbfec289993d24c9e9786f19c6111e04390a899';
const SALT_V1 = '38762cf7f55934b34d179ae6a4c80cadccbb7f0a';
const SALT_V2 = '0dede3def700a6db819381be6e269dcbf9bd2ed9';

/** Salts by version: versions 1 and 2, drafts, Facebook's, and two of those that force a negotiation. */
const SALTS: ReadonlyMap<number, string> = new Map([
  [QUIC_V1, SALT_V1],
  [QUIC_V2, SALT_V2],
  [0xff000016, SALT_22],
  [0xff000017, SALT_23],
  [0xff00001c, SALT_23],
  [QUIC_DRAFT_29, SALT_29],
  [0xff000020, SALT_29],
  [0xff000021, SALT_V1],
  [0xff000022, SALT_V1],
  [0xfaceb001, SALT_22],
  [0xfaceb002, SALT_23],
  [0xfaceb00e, SALT_23],
  [0x1a2a3a4a, SALT_29],
  [0xfafafafa, SALT_29],
]);

/** All versions that packets can be made in. */
export const QUIC_VERSIONS: readonly number[] = [...SALTS.keys()];

const TYPES = { initial: 0, zeroRtt: 1, handshake: 2, retry: 3 } as const;

/** A number in the fewest bytes, or in `width`: 1, 2, 4 or 8. */
export function varint(value: number | bigint, width?: 1 | 2 | 4 | 8): Uint8Array {
  const number = BigInt(value);
  const bytes = width ?? (number < 64n ? 1 : number < 16_384n ? 2 : number < 2n ** 30n ? 4 : 8);
  const out = Buffer.alloc(8);
  out.writeBigUInt64BE(number | (BigInt(Math.log2(bytes)) << BigInt(bytes * 8 - 2)));
  return Uint8Array.from(out.subarray(8 - bytes));
}

export function cryptoFrame(offset: number | bigint, data: Uint8Array): Uint8Array {
  return join(Uint8Array.of(6), varint(offset), varint(data.length), data);
}

/** An ACK with as many ranges as `gaps` has pairs. */
export function ackFrame(gaps: readonly (readonly [number, number])[] = [], ecn?: readonly [number, number, number]): Uint8Array {
  const ranges = gaps.flatMap(([gap, length]) => [varint(gap), varint(length)]);
  const counts = (ecn ?? []).map((count) => varint(count));
  return join(Uint8Array.of(ecn ? 3 : 2), varint(1000), varint(8), varint(gaps.length), varint(0), ...ranges, ...counts);
}

export const closeFrame = join(Uint8Array.of(0x1c), varint(2), varint(6), varint(3), Uint8Array.of(0x62, 0x79, 0x65));

function expandLabel(secret: Uint8Array, label: string, bytes: number): Buffer {
  const name = Buffer.from(`tls13 ${label}`);
  const info = Buffer.concat([Buffer.from([0, bytes, name.length]), name, Buffer.from([0, 1])]);
  return createHmac('sha256', secret).update(info).digest().subarray(0, bytes);
}

export interface LongPacket {
  readonly type?: keyof typeof TYPES;
  readonly version?: number;
  readonly dcid?: Uint8Array;
  readonly scid?: Uint8Array;
  readonly token?: Uint8Array;
  readonly packetNumber?: number;
  readonly packetNumberBytes?: 1 | 2 | 3 | 4;
  /** Connection id that the keys come from; otherwise `dcid`. */
  readonly keyId?: Uint8Array;
  readonly side?: 'client' | 'server';
  /** The payload is filled with PADDING up to so many bytes. */
  readonly payloadBytes?: number;
}

const DCID = Uint8Array.from(Buffer.from('8394c8f03e515708', 'hex'));

/** A packet with a long header, protected as Initial packets are. */
export function longPacket(payload: Uint8Array, packet: LongPacket = {}): Uint8Array {
  const { type = 'initial', version = QUIC_V1, dcid = DCID, scid = new Uint8Array(0) } = packet;
  const { packetNumber = 0, packetNumberBytes = 1, payloadBytes = 0, side = 'client' } = packet;
  const plain = join(payload, new Uint8Array(Math.max(0, payloadBytes - payload.length)));
  const typeBits = (TYPES[type] + (version === QUIC_V2 ? 1 : 0)) & 3;
  const ids = join(Uint8Array.of(dcid.length), dcid, Uint8Array.of(scid.length), scid);
  const token = packet.token ?? new Uint8Array(0);
  const versionBytes = Buffer.alloc(4);
  versionBytes.writeUInt32BE(version);
  const number = Buffer.alloc(4);
  number.writeUInt32BE(packetNumber);
  const unprotected = join(
    Uint8Array.of(0xc0 | (typeBits << 4) | (packetNumberBytes - 1)),
    versionBytes,
    ids,
    type === 'initial' ? join(varint(token.length), token) : new Uint8Array(0),
    varint(packetNumberBytes + plain.length + 16, 2),
    number.subarray(4 - packetNumberBytes),
  );
  const initial = createHmac('sha256', Buffer.from(SALTS.get(version) as string, 'hex')).update(packet.keyId ?? dcid);
  const secret = expandLabel(initial.digest(), `${side} in`, 32);
  const prefix = version === QUIC_V2 ? 'quicv2' : 'quic';
  const nonce = expandLabel(secret, `${prefix} iv`, 12);
  nonce.writeUInt32BE((nonce.readUInt32BE(8) ^ packetNumber) >>> 0, 8);
  const cipher = createCipheriv('aes-128-gcm', expandLabel(secret, `${prefix} key`, 16), nonce);
  cipher.setAAD(unprotected);
  const sealed = join(cipher.update(plain), cipher.final(), cipher.getAuthTag());
  const sample = sealed.subarray(4 - packetNumberBytes, 20 - packetNumberBytes);
  const mask = createCipheriv('aes-128-ecb', expandLabel(secret, `${prefix} hp`, 16), null).update(sample);
  const header = Uint8Array.from(unprotected);
  header[0] = (header[0] as number) ^ ((mask[0] as number) & 0x0f);
  const numberAt = header.length - packetNumberBytes;
  for (let i = 0; i < packetNumberBytes; i++) header[numberAt + i] = (header[numberAt + i] as number) ^ (mask[1 + i] as number);
  return join(header, sealed);
}

/** The id that the client chose for the server, which gives it back (RFC 9000 section 17.2.1). */
const CHOSEN_ID = Buffer.from('8394c8f03e515708', 'hex');

/** A Version Negotiation packet. */
export function versionNegotiation(...versions: readonly number[]): Uint8Array {
  const list = Buffer.alloc(4 * versions.length);
  versions.forEach((version, index) => {
    list.writeUInt32BE(version, index * 4);
  });
  return join(Uint8Array.of(0x80, 0, 0, 0, 0, DCID.length), DCID, Uint8Array.of(CHOSEN_ID.length), CHOSEN_ID, list);
}
