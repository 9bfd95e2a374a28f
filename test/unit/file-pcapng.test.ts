import { describe, expect, it } from 'vitest';
import { WINDOW_BYTES } from '../../src/capture/file-window.js';
import { type FrameToWrite, PcapngWriter, pcapngFile } from '../helpers/capture-file.js';
import { tcpFrame, udpFrame } from '../helpers/frames.js';
import { readCapture, recorded, TestFiles } from '../helpers/read-capture.js';

const files = new TestFiles();

const FRAMES: readonly FrameToWrite[] = [
  { bytes: udpFrame({ payload: 'one' }), seconds: 1_700_000_000, nanoseconds: 123_456_000 },
  { bytes: tcpFrame().subarray(0, 41), wireBytes: 1514, seconds: 1_700_000_001 },
];
const [FIRST, SECOND] = FRAMES as [FrameToWrite, FrameToWrite];

const read = (bytes: Uint8Array, name = 'test.pcapng') => readCapture([files.write(name, bytes)]);

describe('pcapng', () => {
  for (const bigEndian of [false, true]) {
    for (const block of ['enhanced', 'obsolete'] as const) {
      it(`is read in ${bigEndian ? 'big' : 'little'}-endian order with ${block} packet blocks`, async () => {
        const result = await read(pcapngFile(FRAMES, { bigEndian, block }));
        expect(result.error).toBeUndefined();
        expect(result.frames).toEqual(recorded(FRAMES));
        expect(result.stepsAwaited).toBe(0);
      });
    }

    it(`is read in ${bigEndian ? 'big' : 'little'}-endian order with simple packet blocks, which the snap length cuts`, async () => {
      const bytes = udpFrame({ payload: 'x'.repeat(50) });
      const writer = new PcapngWriter(bigEndian).section().interface({ snapBytes: 45 });
      writer.packet({ bytes: bytes.subarray(0, 45), wireBytes: bytes.length }, 'simple');
      expect((await read(writer.finish())).frames).toEqual(recorded([{ bytes: bytes.subarray(0, 45), wireBytes: bytes.length }]));
    });
  }

  it('a simple packet block has the time of the frame before it', async () => {
    const writer = new PcapngWriter().section().interface();
    writer.packet(FIRST).packet({ bytes: SECOND.bytes }, 'simple');
    const { seconds = 0, nanoseconds = 0 } = FIRST;
    expect((await read(writer.finish())).frames).toEqual(recorded([FIRST, { bytes: SECOND.bytes, seconds, nanoseconds }]));
  });

  it('has interfaces of their own names, link types, resolutions and offsets', async () => {
    const interfaces = [
      { name: 'eth0', resolution: 9 },
      { linkType: 101, resolution: 3 },
      { name: 'wlan0', linkType: 127, resolution: 0x80 | 20, offsetSeconds: 1_600_000_000 },
      { name: 'unused' },
    ];
    const frames = [
      { bytes: udpFrame(), seconds: 1_700_000_000, nanoseconds: 123_456_789, interfaceId: 0 },
      { bytes: udpFrame().subarray(14), seconds: 1_700_000_000, nanoseconds: 123_000_000, interfaceId: 1 },
      { bytes: udpFrame(), seconds: 1_700_000_000, nanoseconds: 250_000_000, interfaceId: 2 },
      { bytes: udpFrame(), seconds: 1_700_000_002, nanoseconds: 1, interfaceId: 0 },
    ];
    const result = await read(pcapngFile(frames, { interfaces }), 'three.pcapng');
    expect(result.interfaces).toEqual(['eth0:1', 'three.pcapng#1:101', 'wlan0:127']);
    const linkTypes = [1, 101, 127];
    expect(result.frames).toEqual(frames.flatMap((frame) => recorded([frame], linkTypes[frame.interfaceId], frame.interfaceId)));
  });

  it('sections in either byte order follow each other, each with its own interfaces', async () => {
    const interfaces = [{ name: 'a' }, { name: 'b', resolution: 9 }];
    const first = pcapngFile([FIRST], { interfaces });
    const second = pcapngFile([{ ...SECOND, interfaceId: 1 }], { interfaces, bigEndian: true });
    const third = pcapngFile([FIRST], { interfaces: [{ name: 'c', linkType: 113 }] });
    const result = await read(Buffer.concat([first, second, third]));
    expect(result.interfaces).toEqual(['a:1', 'b:1', 'c:113']);
    expect(result.frames).toEqual([...recorded([FIRST]), ...recorded([SECOND], 1, 1), ...recorded([FIRST], 113, 2)]);
  });

  it('blocks of other kinds are skipped, larger than the window as well', async () => {
    const writer = new PcapngWriter().section().interface();
    writer.block(5, (body) => body.word(0).word(0));
    writer.packet(FIRST);
    writer.block(0xbad, (body) => body.bytes(new Uint8Array(3_000_000)));
    writer.block(10, () => undefined);
    writer.block(0, (body) => body.word(1));
    writer.packet(SECOND);
    writer.block(0x4000_0bad, (body) => body.bytes(new Uint8Array(1_048_576)));
    const result = await read(writer.finish());
    expect(result.error).toBeUndefined();
    expect(result.frames).toEqual(recorded(FRAMES));
  });

  it('a name that no table could keep is made fit and finds itself again', async () => {
    const name = `${'ü'.repeat(30)}\n`;
    const one = pcapngFile([FIRST], { interfaces: [{ name }] });
    const result = await read(Buffer.concat([one, one, pcapngFile([FIRST], { interfaces: [{ name: 'a\nb' }] })]));
    expect(result.interfaces).toEqual([`${'ü'.repeat(23)}:1`, 'a?b:1']);
  });

  it('an empty section is no error', async () => {
    expect(await read(new PcapngWriter().section().finish())).toMatchObject({ frames: [], error: undefined });
  });

  it.each([
    ['without a byte order mark', new PcapngWriter().section({ byteOrderMagic: 1 }), 'has no byte order mark'],
    ['of version 2.0', new PcapngWriter().section({ major: 2 }), 'pcapng version 2.0 is not known'],
  ])('%s is no capture', async (_name, writer, what) => {
    const result = await read(writer.finish());
    expect(result).toMatchObject({ failedAt: 'open', error: { code: 'INPUT_NOT_A_CAPTURE' } });
    expect(result.error?.message).toContain(what);
  });
});

describe('a broken pcapng file', () => {
  /** A section with an interface and one sound packet, behind which something goes wrong. */
  const sound = () => new PcapngWriter().section().interface().packet(FIRST);
  const position = sound().finish().length;
  const nothing = () => undefined;

  it.each<[string, Uint8Array, string]>([
    ['a block shorter than any', sound().block(5, nothing, { first: 8 }).finish(), 'a block claims to have 8 bytes'],
    ['a block of odd length', sound().block(6, nothing, { first: 33 }).finish(), 'a block claims to have 33 bytes'],
    [
      'a packet block with another length at its end',
      sound()
        .block(6, (body) => body.bytes(new Uint8Array(20)), { last: 36 })
        .finish(),
      'a block has 32 bytes at its start and 36 at its end',
    ],
    [
      'a skipped block with another length at its end',
      sound()
        .block(5, (body) => body.word(0), { last: 20 })
        .packet(SECOND)
        .finish(),
      'a block has 16 bytes at its start and 20 at its end',
    ],
    [
      'a packet block without room for its header',
      sound()
        .block(6, (body) => body.word(0))
        .finish(),
      'a packet block has 16 bytes',
    ],
    ['a simple packet block without a length', sound().block(3, nothing).finish(), 'a packet block has 12 bytes'],
    [
      'an interface block that is too short',
      sound()
        .block(1, (body) => body.word(1))
        .finish(),
      'an interface block has 16 bytes',
    ],
    [
      'a packet larger than its block',
      sound()
        .packet({ ...SECOND, capturedBytes: 46 })
        .finish(),
      'a packet of 46 bytes is larger than its block',
    ],
    [
      'a simple packet larger than its block',
      sound()
        .packet({ bytes: new Uint8Array(10), wireBytes: 13 }, 'simple')
        .finish(),
      'a packet of 13 bytes is larger than its block',
    ],
    [
      'a packet of an insane length',
      sound()
        .packet({ bytes: new Uint8Array(262_145) })
        .finish(),
      'a packet claims 262145 captured bytes; at most 262144 are sane',
    ],
    [
      'a packet block larger than the window',
      sound()
        .packet({ bytes: new Uint8Array(1_100_000) })
        .finish(),
      `a block has 1100032 bytes; at most ${WINDOW_BYTES} can be read`,
    ],
    [
      'a packet of an unknown interface',
      sound()
        .packet({ ...SECOND, interfaceId: 1 })
        .finish(),
      'a packet is of interface 1, which its section has not described',
    ],
    [
      'a packet before any interface of its section',
      sound().section().packet(SECOND).finish().subarray(0),
      'a packet is of interface 0, which its section has not described',
    ],
    [
      'an option that reaches beyond its block',
      sound()
        .block(1, (body) => body.half(1).half(0).word(0).half(2).half(9).word(0))
        .finish(),
      'option 2 of an interface reaches beyond its block',
    ],
    [
      'a resolution of two bytes',
      sound()
        .block(1, (body) => body.half(1).half(0).word(0).half(9).half(2).word(0))
        .finish(),
      'the resolution of an interface has 2 bytes instead of 1',
    ],
    [
      'a time offset of four bytes',
      sound()
        .block(1, (body) => body.half(1).half(0).word(0).half(14).half(4).word(0))
        .finish(),
      'the time offset of an interface has 4 bytes instead of 8',
    ],
    ['a section without a byte order mark', sound().section({ byteOrderMagic: 7 }).finish(), 'a section has no byte order mark'],
    ['a section of version 1.1', sound().section({ minor: 1 }).finish(), 'pcapng version 1.1 of a section is not known'],
    [
      'a cut packet block',
      sound().packet(SECOND).finish().subarray(0, -1),
      'a block is cut short: only 75 bytes of it are there',
    ],
    [
      'a cut block that is skipped',
      sound()
        .block(5, (body) => body.bytes(new Uint8Array(100)))
        .finish()
        .subarray(0, -5),
      'a block of 112 bytes is cut short',
    ],
    [
      'a cut block header',
      sound()
        .packet(SECOND)
        .finish()
        .subarray(0, position + 11),
      'only 11 bytes of it are there',
    ],
  ])('%s ends the file after what is sound', async (name, bytes, what) => {
    const result = await read(bytes);
    expect(result.frames).toEqual(recorded([FIRST]));
    expect(result).toMatchObject({ failedAt: 'step', error: { code: 'INPUT_BROKEN' } });
    const at = name.includes('of its section') ? position + 28 : position;
    expect(result.error?.message).toContain(
      `test.pcapng: byte ${at}: ${what.startsWith('only') ? 'a block is cut short: ' : ''}${what}`,
    );
  });

  it('keeps no endless list of interfaces', async () => {
    const writer = sound();
    for (let i = 0; i < 65_536; i++) writer.interface();
    const result = await read(writer.finish());
    expect(result.frames).toHaveLength(1);
    expect(result.error?.message).toContain('a section has more than 65536 interfaces');
  });
});
