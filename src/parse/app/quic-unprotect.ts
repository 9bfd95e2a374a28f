import { createCipheriv, createDecipheriv } from 'node:crypto';
import type { LongHeader } from './quic-header.js';
import type { InitialKeys } from './quic-keys.js';

/** Longest packet that is tried; those of real clients have 1,200 to 1,500 bytes. */
const PACKET_BYTES_MAX = 4096;
const NUMBER_BYTES_MAX = 4;
const SAMPLE_BYTES = 16;
const TAG_BYTES = 16;
const IV_BYTES = 12;
/** Bits of the first byte that are protected in a long header, and those that tell the length of the packet number. */
const PROTECTED_BITS = 0x0f;
const NUMBER_LENGTH_BITS = 0x03;

/** Takes the protection off Initial packets (RFC 9001 sections 5.3 and 5.4). Its buffers are reused from packet to packet. */
export class QuicUnprotector {
  /** The packet, in memory that is not shared, since node:crypto takes no other. */
  private readonly packet = Buffer.alloc(PACKET_BYTES_MAX);
  private readonly nonce = Buffer.alloc(IV_BYTES);

  /**
   * The frames of the packet at `offset`, whose header is `header`; null if it is too short or too long, or was not protected with
   * `keys`, which is a normal outcome.
   */
  open(view: DataView, offset: number, header: LongHeader, keys: InitialKeys): Uint8Array | null {
    const bytes = header.end - offset;
    const numberAt = header.numberOffset - offset;
    const sampleAt = numberAt + NUMBER_BYTES_MAX;
    if (bytes > PACKET_BYTES_MAX || sampleAt + SAMPLE_BYTES > bytes) return null;
    const { packet, nonce } = this;
    packet.set(new Uint8Array(view.buffer, view.byteOffset + offset, bytes));
    const mask = createCipheriv('aes-128-ecb', keys.headerKey, null).update(packet.subarray(sampleAt, sampleAt + SAMPLE_BYTES));
    packet[0] = (packet[0] as number) ^ ((mask[0] as number) & PROTECTED_BITS);
    const numberBytes = ((packet[0] as number) & NUMBER_LENGTH_BITS) + 1;
    nonce.set(keys.iv);
    // The first packets of a connection have small numbers, so that what is sent of the number is all of it.
    for (let i = 0; i < numberBytes; i++) {
      const byte = (packet[numberAt + i] as number) ^ (mask[1 + i] as number);
      packet[numberAt + i] = byte;
      const at = IV_BYTES - numberBytes + i;
      nonce[at] = (nonce[at] as number) ^ byte;
    }
    const payloadAt = numberAt + numberBytes;
    const tagAt = bytes - TAG_BYTES;
    const decipher = createDecipheriv('aes-128-gcm', keys.key, nonce, { authTagLength: TAG_BYTES });
    decipher.setAAD(packet.subarray(0, payloadAt));
    decipher.setAuthTag(packet.subarray(tagAt, bytes));
    const frames = decipher.update(packet.subarray(payloadAt, tagAt));
    try {
      decipher.final();
    } catch {
      return null;
    }
    return frames;
  }
}
