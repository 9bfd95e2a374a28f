import { describe, expect, it } from 'vitest';
import { readDhcp } from '../../src/parse/app/dhcp.js';
import { capturedPayloads } from '../helpers/captured-payloads.js';
import { hasCaptures } from '../helpers/captures.js';
import { address, join, mac, viewOf } from '../helpers/frame-bytes.js';
import { hex, latin, placed } from '../helpers/placed.js';
import { SeenDevices } from '../helpers/seen-devices.js';

const MAC = '90:b1:1c:99:49:29';

interface Message {
  readonly reply?: boolean;
  readonly hardware?: [type: number, length: number];
  readonly ciaddr?: string;
  readonly yiaddr?: string;
  readonly mac?: string;
  /** Areas that may hold options. */
  readonly serverName?: Uint8Array;
  readonly file?: Uint8Array;
  readonly cookie?: string;
}

/** A DHCP message (RFC 2131 section 2) with options behind its cookie. */
function message(fields: Message, ...options: readonly Uint8Array[]): Uint8Array {
  const head = new Uint8Array(236);
  const [type, length] = fields.hardware ?? [1, 6];
  head.set([fields.reply ? 2 : 1, type, length, 0]);
  if (fields.ciaddr) head.set(address(fields.ciaddr), 12);
  if (fields.yiaddr) head.set(address(fields.yiaddr), 16);
  head.set(mac(fields.mac ?? MAC), 28);
  if (fields.serverName) head.set(fields.serverName, 44);
  if (fields.file) head.set(fields.file, 108);
  return join(head, hex(fields.cookie ?? '63825363'), ...options);
}

const option = (code: number, bytes: Uint8Array | string): Uint8Array => {
  const value = typeof bytes === 'string' ? latin(bytes) : bytes;
  return join(Uint8Array.of(code, value.length), value);
};
const type = (number: number): Uint8Array => option(53, Uint8Array.of(number));
const END = Uint8Array.of(255);
const DISCOVER = type(1);
const REQUEST = type(3);
const ACK = type(5);

function seenIn(bytes: Uint8Array): { isDhcp: boolean; seen: readonly string[] } {
  const devices = new SeenDevices();
  const isDhcp = readDhcp(...placed(bytes), devices.sightings, 1_000_000, 3);
  return { isDhcp, seen: devices.seen };
}

describe('DHCP', () => {
  it('tells hardware address, address and name of a client, where and when', () => {
    const { sightings, devices } = new SeenDevices();
    const bytes = message({}, REQUEST, option(50, address('192.0.2.7')), option(12, 'Phone'), END);
    expect(readDhcp(...placed(bytes), sightings, 1_000_000, 3)).toBe(true);
    expect(devices).toEqual([{ source: 'dhcp', mac: MAC, ip: '192.0.2.7', name: 'phone', us: 1_000_000, interfaceIndex: 3 }]);
  });

  it.each([
    ['a request for it', message({}, REQUEST, option(50, address('192.0.2.7'))), '192.0.2.7'],
    ['the extension of a lease', message({ ciaddr: '192.0.2.8' }, REQUEST), '192.0.2.8'],
    ['an acknowledgement', message({ reply: true, yiaddr: '192.0.2.9' }, ACK), '192.0.2.9'],
    ['an acknowledgement of INFORM', message({ reply: true, ciaddr: '192.0.2.10' }, ACK), '192.0.2.10'],
    ['INFORM', message({ ciaddr: '192.0.2.11' }, type(8)), '192.0.2.11'],
    ['a release', message({ ciaddr: '192.0.2.12' }, type(7)), '192.0.2.12'],
  ])('tells the address in %s', (_, bytes, ip) => {
    expect(seenIn(bytes).seen).toEqual([`${MAC} ${ip} `]);
  });

  it.each([
    ['what a discovery wishes for', message({}, DISCOVER, option(50, address('192.0.2.7')))],
    ['what an offer promises', message({ reply: true, yiaddr: '192.0.2.7' }, type(2))],
    ['what is declined', message({}, type(4), option(50, address('192.0.2.7')))],
    ['what is refused', message({ reply: true }, type(6))],
    ['a message without type', message({ ciaddr: '192.0.2.7' })],
    ['an address that no host has', message({}, REQUEST, option(50, address('255.255.255.255')))],
    ['an address of another length', message({}, REQUEST, option(50, hex('c00002')))],
  ])('tells no address by %s', (_, bytes) => {
    expect(seenIn(bytes)).toEqual({ isDhcp: true, seen: [`${MAC}  `] });
  });
});

describe('names in DHCP', () => {
  const nameIn = (...options: readonly Uint8Array[]): string | undefined => {
    const { sightings, devices } = new SeenDevices();
    readDhcp(...placed(message({}, DISCOVER, ...options)), sightings, 0, 0);
    return devices[0]?.name;
  };

  it.each([
    ['a host name', option(12, 'My-PC'), 'my-pc'],
    ['a host name with a domain', option(12, 'pc.Example.org.'), 'pc.example.org'],
    ['a host name that ends in a zero byte', option(12, 'pc\0'), 'pc'],
    ['a host name that is not ASCII', option(12, 'Küche "1"'), 'k\\252che\\032\\"1\\"'],
    [
      'a full name in labels (RFC 4702)',
      option(81, join(hex('04 00 00'), latin('\x02PC\x07example\x03org\0'))),
      'pc.example.org',
    ],
    ['a full name in labels that is not complete', option(81, join(hex('04 00 00'), latin('\x02pc'))), 'pc'],
    ['a full name with a dot inside a label', option(81, join(hex('04 00 00'), latin('\x04a.b"\x01c\0'))), 'a\\.b\\".c'],
    ['a full name as text', option(81, join(hex('01 ff ff'), latin('PC.example.org'))), 'pc.example.org'],
  ])('%s', (_, bytes, name) => {
    expect(nameIn(bytes)).toBe(name);
  });

  it('prefer the full name, unless there is nothing in it', () => {
    expect(nameIn(option(12, 'short'), option(81, join(hex('00 00 00'), latin('full.example'))))).toBe('full.example');
    expect(nameIn(option(12, 'short'), option(81, hex('04 00 00')))).toBe('short');
    expect(nameIn(option(12, 'short'), option(81, hex('04 00 00 00')))).toBe('short');
  });

  it.each([
    ['a pointer', latin('\x02pc\xc0\x00')],
    ['a label that is cut', latin('\x02pc\x09cut')],
  ])('end before %s', (_, labels) => {
    expect(nameIn(option(81, join(hex('04 00 00'), labels)))).toBe('pc');
  });

  it('are cut to 253 characters at a whole escape, and do not end in a dot', () => {
    expect(nameIn(option(12, '\x01'.repeat(255)))).toBe('\\001'.repeat(63));
    expect(nameIn(option(12, `${'a'.repeat(252)}.b`))).toBe('a'.repeat(252));
    const label = (text: string): string => String.fromCharCode(text.length) + text;
    const labels = label('a'.repeat(63)) + label('b'.repeat(63)) + label('c'.repeat(63)) + label('d'.repeat(56));
    expect(nameIn(option(81, join(hex('04 00 00'), latin(labels))))).toHaveLength(248);
    const upToDot = label('\x01'.repeat(63));
    expect(nameIn(option(81, join(hex('04 00 00'), latin(upToDot + label('x')))))).toBe('\\001'.repeat(63));
  });

  it('are taken from the first option of a kind', () => {
    expect(nameIn(option(12, ''), option(12, 'first'), option(12, 'second'))).toBe('first');
  });
});

describe('areas of options in DHCP', () => {
  const NAME = option(12, 'hidden');

  it.each([
    ['the file', 1, { file: NAME }, 'hidden'],
    ['the server’s name', 2, { serverName: NAME }, 'hidden'],
    ['both', 3, { file: option(12, 'file'), serverName: NAME }, 'file'],
    ['neither', 0, { file: NAME, serverName: NAME }, ''],
    ['the other one', 2, { file: NAME }, ''],
  ])('are looked for in %s where the message says so', (_, overload, areas, name) => {
    expect(seenIn(message(areas, DISCOVER, option(52, Uint8Array.of(overload)), END)).seen).toEqual([`${MAC}  ${name}`]);
  });

  it('do not reach beyond themselves', () => {
    const file = join(new Uint8Array(120), option(12, 'overlong'));
    expect(seenIn(message({ file: file.subarray(0, 128) }, DISCOVER, option(52, Uint8Array.of(1)), END)).seen).toEqual([
      `${MAC}  `,
    ]);
  });

  it('end at their mark, and skip padding', () => {
    expect(seenIn(message({}, DISCOVER, new Uint8Array(7), NAME, END, option(12, 'late'))).seen).toEqual([`${MAC}  hidden`]);
    expect(seenIn(message({}, DISCOVER, END, new Uint8Array(1), NAME)).seen).toEqual([`${MAC}  `]);
  });
});

describe('what is not read as DHCP', () => {
  it('has no cookie, or is cut before it', () => {
    expect(seenIn(message({ cookie: '63825364' }, DISCOVER))).toEqual({ isDhcp: false, seen: [] });
    const bytes = message({});
    for (const length of [0, 1, 235, 239]) expect(seenIn(bytes.subarray(0, length)).isDhcp).toBe(false);
  });

  it.each([
    ['other hardware', { hardware: [6, 6] }],
    ['an address of another length', { hardware: [1, 16] }],
    ['no hardware address', { mac: '00:00:00:00:00:00' }],
    ['the address of a group', { mac: 'ff:ff:ff:ff:ff:ff' }],
  ] satisfies [string, Message][])('is DHCP but tells of nobody: %s', (_, fields) => {
    expect(seenIn(message(fields, REQUEST, option(12, 'name')))).toEqual({ isDhcp: true, seen: [] });
  });

  it('loses the option in which it is cut, and what follows', () => {
    const bytes = message({}, REQUEST, option(50, address('192.0.2.7')), option(12, 'name'));
    expect(seenIn(bytes.subarray(0, -1)).seen).toEqual([`${MAC} 192.0.2.7 `]);
    expect(seenIn(bytes.subarray(0, 244)).seen).toEqual([`${MAC}  `]);
  });
});

/** As tshark shows them: addresses of requests and acknowledgements, names of option 12. */
describe.skipIf(!hasCaptures)('DHCP in captures', () => {
  const CLIENT = 'a0:f3:c1:16:5a:ca';
  it.each([
    [
      'zeek__dhcp.pcap',
      [
        `${MAC}  btest.is.cool`,
        `${MAC}  `,
        `${MAC} 192.168.211.194 btest.is.cool`,
        `${MAC} 128.2.6.189 btest.is.cool`,
        `${MAC} 128.2.6.189 `,
      ],
    ],
    ['ipfixprobe__mixed.pcap', [`${CLIENT}  `, `${CLIENT} 10.5.5.26 `]],
    ['pcapplusplus__sll.pcap', ['6c:f0:49:b2:de:6e 10.0.0.5 bichman']],
    ['pcapng__le-test001.pcapng', ['00:0b:82:01:fc:42  ', '00:0b:82:01:fc:42 192.168.0.10 ']],
    ['arkime__arkime_synthetic.pcap', ['00:00:00:00:aa:bb  testhost', '00:11:22:33:44:55  testclient', '00:11:22:33:44:55  ']],
  ])('%s', async (name, expected) => {
    const devices = new SeenDevices();
    for (const { srcPort, dstPort, us, bytes } of await capturedPayloads(name)) {
      if (![67, 68].includes(srcPort) || ![67, 68].includes(dstPort)) continue;
      expect(readDhcp(viewOf(bytes), 0, bytes.length, devices.sightings, us, 0)).toBe(true);
    }
    expect([...new Set(devices.seen)]).toEqual(expected);
  });
});
