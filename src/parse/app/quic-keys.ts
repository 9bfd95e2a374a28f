import { HmacSha256 } from './hmac-sha256.js';
import { isReservedVersion, QuicVersion } from './quic-header.js';

/** Keys of the client's Initial packets (RFC 9001 section 5.1). */
export interface InitialKeys {
  /** AES-128-GCM: 16 bytes. */
  readonly key: Uint8Array;
  /** 12 bytes. */
  readonly iv: Uint8Array;
  /** Header protection, AES-128-ECB: 16 bytes. */
  readonly headerKey: Uint8Array;
}

/** Where the keys of a version begin. */
interface Schedule {
  readonly salt: Uint8Array;
  readonly key: Uint8Array;
  readonly iv: Uint8Array;
  readonly headerKey: Uint8Array;
}

const KEY_BYTES = 16;
const IV_BYTES = 12;
const SECRET_BYTES = 32;

/**
 * What HKDF-Expand-Label (RFC 8446 section 7.1) hands to HMAC for `bytes` bytes, at most one block of 32: length, label, empty context,
 * and the number of the block (RFC 5869 section 2.3).
 */
function labelInfo(label: string, bytes: number): Uint8Array {
  const text = Buffer.from(`tls13 ${label}`, 'ascii');
  return Buffer.concat([Uint8Array.of(0, bytes, text.length), text, Uint8Array.of(0, 1)]);
}

function schedule(salt: string, prefix: string): Schedule {
  return {
    salt: Buffer.from(salt, 'hex'),
    key: labelInfo(`${prefix} key`, KEY_BYTES),
    iv: labelInfo(`${prefix} iv`, IV_BYTES),
    headerKey: labelInfo(`${prefix} hp`, KEY_BYTES),
  };
}

const CLIENT = labelInfo('client in', SECRET_BYTES);
/** RFC 9001 section 5.2. */
const V1 = schedule('38762cf7f55934b34d179ae6a4c80cadccbb7f0a', 'quic');
/** RFC 9369 section 3.3. */
const V2 = schedule('0dede3def700a6db819381be6e269dcbf9bd2ed9', 'quicv2');
/** draft-ietf-quic-tls-22, -23 and -29, section 5.2 of each. */
const DRAFT_22 = schedule('7fbcdb0e7c66bbe9193a96cd21519ebd7a02644a', 'quic');
const DRAFT_23 = schedule('c3eef712c72ebb5a11a7d2432bb46365bef9f502', 'quic');
const DRAFT_29 = schedule('afbfec289993d24c9e9786f19c6111e04390a899', 'quic');

function scheduleOf(version: number): Schedule {
  switch (version) {
    case QuicVersion.V2:
      return V2;
    case QuicVersion.Draft22:
    case QuicVersion.Mvfst22:
      return DRAFT_22;
    case QuicVersion.Mvfst27:
    case QuicVersion.MvfstTrial:
      return DRAFT_23;
    default:
      // Clients forced a negotiation while the drafts were tried out.
      if (isReservedVersion(version)) return DRAFT_29;
      if (version < QuicVersion.Draft22 || version > QuicVersion.Draft32) return V1;
      return version <= QuicVersion.Draft28 ? DRAFT_23 : DRAFT_29;
  }
}

const hmac = new HmacSha256();

/** Keys with which the client protects its Initial packets, from the destination connection id of its first one. */
export function clientInitialKeys(version: number, dcid: Uint8Array): InitialKeys {
  const { salt, key, iv, headerKey } = scheduleOf(version);
  hmac.setKey(salt);
  const initialSecret = hmac.of(dcid);
  hmac.setKey(initialSecret);
  const secret = hmac.of(CLIENT);
  hmac.setKey(secret);
  return {
    key: hmac.of(key).subarray(0, KEY_BYTES),
    iv: hmac.of(iv).subarray(0, IV_BYTES),
    headerKey: hmac.of(headerKey).subarray(0, KEY_BYTES),
  };
}
