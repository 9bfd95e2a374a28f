import { describe, expect, it } from 'vitest';
import { readArp } from '../../src/parse/app/arp.js';
import { capturePath, hasCaptures } from '../helpers/captures.js';
import { viewOf } from '../helpers/frame-bytes.js';
import { hex, placed } from '../helpers/placed.js';
import { readCapture } from '../helpers/read-capture.js';
import { SeenDevices } from '../helpers/seen-devices.js';

const REQUEST = '0001 0800 06 04 0001 6c626d2ac74e 0a050501 000000000000 0a05051a';

function seenIn(bytes: Uint8Array): { isArp: boolean; seen: readonly string[] } {
  const devices = new SeenDevices();
  const isArp = readArp(...placed(bytes), devices.sightings, 1_000_000, 3);
  return { isArp, seen: devices.seen };
}

describe('ARP', () => {
  it('tells who asks, where and when', () => {
    const { sightings, devices } = new SeenDevices();
    expect(readArp(...placed(hex(REQUEST)), sightings, 1_000_000, 3)).toBe(true);
    expect(devices).toEqual([
      { source: 'arp', mac: '6c:62:6d:2a:c7:4e', ip: '10.5.5.1', name: '', us: 1_000_000, interfaceIndex: 3 },
    ]);
  });

  it('tells who answers', () => {
    expect(seenIn(hex('0001 0800 06 04 0002 a0f3c1165aca 0a05051a 6c626d2ac74e 0a050501')).seen).toEqual([
      'a0:f3:c1:16:5a:ca 10.5.5.26 ',
    ]);
  });

  it('may be followed by padding', () => {
    expect(seenIn(hex(`${REQUEST} ${'00'.repeat(18)}`)).seen).toEqual(['6c:62:6d:2a:c7:4e 10.5.5.1 ']);
  });

  it.each([
    ['a probe, whose sender has no address yet (RFC 5227)', '0001 0800 06 04 0001 6c626d2ac74e 00000000 000000000000 0a05051a'],
    ['a sender without hardware address', '0001 0800 06 04 0001 000000000000 0a050501 000000000000 0a05051a'],
    ['a sender with the address of a group', '0001 0800 06 04 0002 01005e000001 0a050501 000000000000 0a05051a'],
    ['a sender that claims the broadcast address', '0001 0800 06 04 0002 6c626d2ac74e ffffffff 000000000000 0a05051a'],
    ['a sender that claims a multicast address', '0001 0800 06 04 0002 6c626d2ac74e e0000001 000000000000 0a05051a'],
  ])('tells nothing by %s', (_, text) => {
    expect(seenIn(hex(text))).toEqual({ isArp: true, seen: [] });
  });

  it.each([
    ['another operation', '0001 0800 06 04 0003 6c626d2ac74e 0a050501 000000000000 0a05051a'],
    ['other hardware', '0006 0800 06 04 0001 6c626d2ac74e 0a050501 000000000000 0a05051a'],
    ['another protocol', '0001 86dd 06 04 0001 6c626d2ac74e 0a050501 000000000000 0a05051a'],
    ['addresses of another length', '0001 0800 08 04 0001 6c626d2ac74e 0a050501 000000000000 0a05051a'],
    ['protocol addresses of another length', '0001 0800 06 10 0001 6c626d2ac74e 0a050501 000000000000 0a05051a'],
  ])('is not what has %s', (_, text) => {
    expect(seenIn(hex(text))).toEqual({ isArp: false, seen: [] });
  });

  it('is not what is cut', () => {
    const bytes = hex(REQUEST);
    for (let length = 0; length < bytes.length; length++)
      expect(seenIn(bytes.subarray(0, length)), `${length} bytes`).toEqual({ isArp: false, seen: [] });
  });
});

describe.skipIf(!hasCaptures)('ARP in captures', () => {
  it.each([
    ['ipfixprobe__mixed.pcap', ['6c:62:6d:2a:c7:4e 10.5.5.1 ', 'a0:f3:c1:16:5a:ca 10.5.5.26 ']],
    [
      'zeek__wikipedia.pcap',
      ['00:13:7f:be:8c:ff 141.142.220.1 ', 'f0:4d:a2:47:ba:25 141.142.220.226 ', '00:1a:a0:ba:f3:5d 141.142.220.195 '],
    ],
  ])('%s', async (name, expected) => {
    const devices = new SeenDevices();
    for (const { hex: text, timestamp } of (await readCapture([capturePath(name)])).frames) {
      const bytes = hex(text);
      if (viewOf(bytes).getUint16(12) !== 0x0806) continue;
      expect(readArp(viewOf(bytes), 14, bytes.length, devices.sightings, Number(timestamp / 1000n), 0)).toBe(true);
    }
    expect([...new Set(devices.seen)]).toEqual(expected);
  });
});
