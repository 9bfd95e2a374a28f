import { describe, expect, it } from 'vitest';
import { isOwnTraffic } from '../../src/capture/own-traffic.js';
import { LinkType } from '../../src/wire/link-type.js';
import { ethernet, frame, ipv4, ipv6, tcp, udp } from '../helpers/frames.js';

const PORT = 8417;
const ZERO = '00:00:00:00:00:00';
const loopback = (): ReturnType<typeof ethernet> => ethernet({ src: ZERO, dst: ZERO });

function isOwn(bytes: Uint8Array, linkType: LinkType = LinkType.Ethernet): boolean {
  // Behind other bytes, as in a ring.
  const memory = new Uint8Array(bytes.length + 32).fill(0xff);
  memory.set(bytes, 32);
  return isOwnTraffic(new DataView(memory.buffer), 32, bytes.length, linkType, PORT);
}

const to = (dst: string, ports: { srcPort: number; dstPort: number }, src = '127.0.0.1'): Uint8Array =>
  frame(loopback(), ipv4({ src, dst }), tcp(ports));

describe('own traffic', () => {
  it('is both directions of a connection with the port on a loopback address', () => {
    expect(isOwn(to('127.0.0.1', { srcPort: 40_000, dstPort: PORT }))).toBe(true);
    expect(isOwn(to('127.0.0.1', { srcPort: PORT, dstPort: 40_000 }))).toBe(true);
    expect(isOwn(to('127.0.0.9', { srcPort: 40_000, dstPort: PORT }))).toBe(true);
    const six = { src: '::1', dst: '::1' };
    expect(isOwn(frame(loopback(), ipv6(six), tcp({ srcPort: 40_000, dstPort: PORT })))).toBe(true);
    expect(isOwn(frame(loopback(), ipv6(six), tcp({ srcPort: PORT, dstPort: 40_000 })))).toBe(true);
  });

  it('is nothing else', () => {
    expect(isOwn(to('127.0.0.1', { srcPort: 40_000, dstPort: PORT + 1 }))).toBe(false);
    expect(isOwn(to('192.168.1.5', { srcPort: 40_000, dstPort: PORT }, '192.168.1.5'))).toBe(false);
    expect(isOwn(frame(ethernet(), ipv4({ src: '127.0.0.1', dst: '127.0.0.1' }), tcp({ srcPort: 1, dstPort: PORT })))).toBe(
      false,
    );
    expect(isOwn(frame(loopback(), ipv4({ src: '127.0.0.1', dst: '127.0.0.1' }), udp({ srcPort: 1, dstPort: PORT })))).toBe(
      false,
    );
    expect(isOwn(frame(loopback(), ipv6({ src: 'fd00::1', dst: 'fd00::1' }), tcp({ srcPort: 1, dstPort: PORT })))).toBe(false);
    expect(isOwn(to('127.0.0.1', { srcPort: 40_000, dstPort: PORT }), LinkType.Raw)).toBe(false);
  });

  it('is no frame that ends before its ports', () => {
    const whole = to('127.0.0.1', { srcPort: 40_000, dstPort: PORT });
    for (let length = 0; length < 38; length++) expect(isOwn(whole.subarray(0, length))).toBe(false);
    expect(isOwn(whole.subarray(0, 38))).toBe(true);
    const six = frame(loopback(), ipv6({ src: '::1', dst: '::1' }), tcp({ srcPort: 1, dstPort: PORT }));
    for (let length = 0; length < 58; length++) expect(isOwn(six.subarray(0, length))).toBe(false);
    expect(isOwn(six.subarray(0, 58))).toBe(true);
  });
});
