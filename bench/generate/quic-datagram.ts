import { createCipheriv, createHmac } from 'node:crypto';
import { QUIC_CLIENT_HELLO } from './client-hello.js';
import { SERVER_NAME, writeServerNumber } from './name.js';

/** Salt of the Initial secrets of QUIC version 1 (RFC 9001 section 5.2). */
const SALT = Buffer.from('38762cf7f55934b34d179ae6a4c80cadccbb7f0a', 'hex');
const CONNECTION_ID_BYTES = 8;
const PACKET_NUMBER_BYTES = 4;
const TAG_BYTES = 16;
/** Where the sample for header protection starts behind the first byte of the packet number (RFC 9001 section 5.4.2). */
const SAMPLE_OFFSET = 4;
const SAMPLE_BYTES = 16;
const CRYPTO_FRAME = 6;

/** HKDF-Expand-Label of TLS 1.3 with an empty context (RFC 8446 section 7.1), for at most 32 bytes. */
function expandLabel(secret: Uint8Array, label: string, bytes: number): Buffer {
  const name = Buffer.from(`tls13 ${label}`, 'latin1');
  const info = Buffer.from([0, bytes, name.length, ...name, 0, 1]);
  return createHmac('sha256', secret).update(info).digest().subarray(0, bytes);
}

/** Two bytes of a variable-length integer (RFC 9000 section 16). */
const integer = (value: number): number[] => [0x40 | (value >> 8), value & 0xff];

/**
 * The first datagram of a QUIC client that asks for `server`, of `bytes` bytes: one Initial packet, protected as RFC 9001 has it. The
 * connection id is made from the server's number, so that the same one gives the same bytes.
 */
export function quicDatagram(server: number, bytes: number): Uint8Array {
  const hello = QUIC_CLIENT_HELLO.slice();
  writeServerNumber(new DataView(hello.buffer), Buffer.from(hello).indexOf(SERVER_NAME), server);
  const connectionId = Buffer.alloc(CONNECTION_ID_BYTES, server & 0xff);
  connectionId.writeUInt16BE(server);
  const start = [0xc0 | (PACKET_NUMBER_BYTES - 1), 0, 0, 0, 1, CONNECTION_ID_BYTES, ...connectionId, 0, 0];
  const lengthBytes = bytes - start.length - 2;
  const header = Buffer.from([...start, ...integer(lengthBytes), 0, 0, 0, 0]);
  const plain = Buffer.alloc(bytes - header.length - TAG_BYTES);
  Buffer.from([CRYPTO_FRAME, 0, ...integer(hello.length), ...hello]).copy(plain);

  const initial = createHmac('sha256', SALT).update(connectionId).digest();
  const secret = expandLabel(initial, 'client in', 32);
  const cipher = createCipheriv('aes-128-gcm', expandLabel(secret, 'quic key', 16), expandLabel(secret, 'quic iv', 12));
  cipher.setAAD(header);
  const sealed = Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
  const datagram = Buffer.concat([header, sealed]);

  const sample = header.length - PACKET_NUMBER_BYTES + SAMPLE_OFFSET;
  const protection = createCipheriv('aes-128-ecb', expandLabel(secret, 'quic hp', 16), null).setAutoPadding(false);
  const mask = protection.update(datagram.subarray(sample, sample + SAMPLE_BYTES));
  datagram[0] = (datagram[0] as number) ^ ((mask[0] as number) & 0x0f);
  for (let i = 0; i < PACKET_NUMBER_BYTES; i++) {
    const at = header.length - PACKET_NUMBER_BYTES + i;
    datagram[at] = (datagram[at] as number) ^ (mask[1 + i] as number);
  }
  return datagram;
}
