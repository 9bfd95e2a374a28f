import { describe, expect, it } from 'vitest';
import { NDP_TYPE_FIRST, NDP_TYPE_LAST, readNdp } from '../../src/parse/app/ndp.js';
import { Decoder } from '../../src/parse/decode.js';
import { Drop } from '../../src/ring/drop-reason.js';
import { Packet } from '../../src/wire/packet.js';
import { capturePath, hasCaptures } from '../helpers/captures.js';
import { viewOf } from '../helpers/frame-bytes.js';
import { ethernet, frame, ipv6, payload } from '../helpers/frames.js';
import { hex } from '../helpers/placed.js';
import { readCapture } from '../helpers/read-capture.js';
import { SeenDevices } from '../helpers/seen-devices.js';

const SOURCE_LINK = '01 01 a0f3c1165aca';
const TARGET_LINK = '02 01 6c626d2ac74e';
const TARGET = 'fe80000000000000 6e626dfffe2ac74e';

/** Decodes the frame of an ICMPv6 message and reads that. */
function readFrame(bytes: Uint8Array, devices: SeenDevices, us: number): boolean {
  const packet = new Packet();
  const view = viewOf(bytes);
  if (new Decoder(true, null).decode(view, 0, bytes.length, bytes.length, 1, 0, packet) !== Drop.None) return false;
  if (packet.protocol !== 58) return false;
  return readNdp(view, packet.transportOffset, packet.transportEnd, packet, devices.sightings, us, 3);
}

function seenIn(message: string, src = 'fe80::1'): { isNdp: boolean; seen: readonly string[] } {
  const devices = new SeenDevices();
  const layers = [ethernet(), ipv6({ src, dst: 'ff02::1' }), payload(hex(message), { ipProtocol: 58 })];
  const isNdp = readFrame(frame(...layers), devices, 1_000_000);
  return { isNdp, seen: devices.seen };
}

describe('neighbour discovery', () => {
  it('tells the target of an advertisement, where and when', () => {
    const devices = new SeenDevices();
    const message = payload(hex(`88 00 0000 60000000 ${TARGET} ${TARGET_LINK}`), { ipProtocol: 58 });
    expect(readFrame(frame(ethernet(), ipv6({ src: '2001:db8::9', dst: 'ff02::1' }), message), devices, 5_000_000)).toBe(true);
    expect(devices.devices).toEqual([
      { source: 'ndp', mac: '6c:62:6d:2a:c7:4e', ip: 'fe80::6e62:6dff:fe2a:c74e', name: '', us: 5_000_000, interfaceIndex: 3 },
    ]);
  });

  it.each([
    ['a neighbour’s solicitation', `87 00 0000 00000000 ${TARGET} ${SOURCE_LINK}`],
    ['a router’s solicitation', `85 00 0000 00000000 ${SOURCE_LINK}`],
    ['a router’s advertisement', `86 00 0000 40 00 0708 00000000 00000000 ${SOURCE_LINK}`],
    [
      'a router’s advertisement with other options before',
      `86 00 0000 40 00 0708 00000000 00000000 05 01 0000 000005dc 03 04 ${'00'.repeat(30)} ${SOURCE_LINK}`,
    ],
  ])('tells the sender of %s', (_, message) => {
    expect(seenIn(message)).toEqual({ isNdp: true, seen: ['a0:f3:c1:16:5a:ca fe80::1 '] });
  });

  it.each([
    ['an advertisement without option', `88 00 0000 60000000 ${TARGET}`, 'fe80::1'],
    ['an advertisement with the sender’s option', `88 00 0000 60000000 ${TARGET} ${SOURCE_LINK}`, 'fe80::1'],
    ['an advertisement of a group', `88 00 0000 60000000 ff02000000000000 0000000000000001 ${TARGET_LINK}`, 'fe80::1'],
    ['a solicitation whose sender has no address (RFC 4862)', `87 00 0000 00000000 ${TARGET} ${SOURCE_LINK}`, '::'],
    ['a solicitation with the target’s option', `87 00 0000 00000000 ${TARGET} ${TARGET_LINK}`, 'fe80::1'],
    ['an option of length 0', `87 00 0000 00000000 ${TARGET} 05 00 000000000000 ${SOURCE_LINK}`, 'fe80::1'],
    ['an option of another length', `87 00 0000 00000000 ${TARGET} 01 02 a0f3c1165aca 0000000000000000`, 'fe80::1'],
    ['an option that is cut', `87 00 0000 00000000 ${TARGET} 01 01 a0f3c1165a`, 'fe80::1'],
    [
      'an option behind one that reaches beyond the end',
      `87 00 0000 00000000 ${TARGET} 05 20 000000000000 ${SOURCE_LINK}`,
      'fe80::1',
    ],
    ['an option with the address of a group', `87 00 0000 00000000 ${TARGET} 01 01 333300000001`, 'fe80::1'],
    ['an option behind 32 others', `85 00 0000 00000000 ${'0e01000000000000'.repeat(32)} ${SOURCE_LINK}`, 'fe80::1'],
  ])('tells nothing by %s', (_, message, src) => {
    expect(seenIn(message, src)).toEqual({ isNdp: true, seen: [] });
  });

  it.each([
    ['an echo', '80 00 0000 00010001'],
    ['a redirect', `89 00 0000 00000000 ${TARGET} ${TARGET} ${TARGET_LINK}`],
    ['a message with another code', `88 01 0000 60000000 ${TARGET} ${TARGET_LINK}`],
    ['a message that is cut', '88 00 0000 60000000 fe800000'],
    ['nothing', ''],
  ])('is not %s', (_, message) => {
    expect(seenIn(message)).toEqual({ isNdp: false, seen: [] });
  });

  it('has types from 133 to 136', () => {
    expect([NDP_TYPE_FIRST, NDP_TYPE_LAST]).toEqual([133, 136]);
  });
});

describe.skipIf(!hasCaptures)('neighbour discovery in captures', () => {
  it('ipfixprobe__mixed.pcap', async () => {
    const devices = new SeenDevices();
    let messages = 0;
    for (const { hex: text, timestamp } of (await readCapture([capturePath('ipfixprobe__mixed.pcap')])).frames)
      if (readFrame(hex(text), devices, Number(timestamp / 1000n))) messages++;
    expect(messages).toBe(8);
    // Two neighbours ask for each other, one of them answers with an option; solicitations without a source or an option tell nothing.
    expect([...new Set(devices.seen)]).toEqual([
      'a0:f3:c1:16:5a:ca fe80::a2f3:c1ff:fe16:5aca ',
      '6c:62:6d:2a:c7:4e fe80::6e62:6dff:fe2a:c74e ',
    ]);
  });
});
