import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readArp } from '../../src/parse/app/arp.js';
import { readDhcp } from '../../src/parse/app/dhcp.js';
import { readDhcpv6 } from '../../src/parse/app/dhcpv6.js';
import { isHttpRequestStart, readHttpRequest, readHttpStatus } from '../../src/parse/app/http-head.js';
import { readNdp } from '../../src/parse/app/ndp.js';
import { recogniseTcp } from '../../src/parse/app/recognise-tcp.js';
import { recogniseUdp } from '../../src/parse/app/recognise-udp.js';
import { APPLICATIONS } from '../../src/ring/application.js';
import { applicationOfPort } from '../../src/wire/application-ports.js';
import { Packet } from '../../src/wire/packet.js';
import { TCP_SAMPLES, UDP_SAMPLES } from '../helpers/application-samples.js';
import { viewOf } from '../helpers/frame-bytes.js';
import { hex, latin, placed } from '../helpers/placed.js';
import { SeenDevices } from '../helpers/seen-devices.js';

const SEED = 20_260_401;
const BUFFERS = 10_000;

/** Ports of the responder: any, and as often one that means something to the recognisers. */
const KNOWN_PORTS = Array.from({ length: 65_536 }, (_, port) => port).filter(
  (port) => applicationOfPort(6, 50_000, port) !== 0 || applicationOfPort(17, 50_000, port) !== 0,
);
const anyPort = fc.integer({ min: 1, max: 65_535 });
const port = fc.oneof(anyPort, fc.constantFrom(...KNOWN_PORTS));

const HEADS = [
  'GET /path HTTP/1.1\r\nHost: example.org:80\r\nUser-Agent: agent (x; y)\r\n\r\n',
  'CONNECT user@[2001:db8::1]:443 HTTP/1.0\nhost:\n\n',
  'HTTP/1.1 200 OK\r\n\r\n',
].map(latin);
const DEVICE_MESSAGES = [
  hex(
    `010106 00 ${'00'.repeat(24)} 90b11c994929 ${'00'.repeat(202)} 63825363 350103 3204c0000207 340103 0c02706f 510804000002 7063 0178 ff`,
  ),
  hex(
    '07010203 0001000a 00030001 90b11c994929 0027000501 02 7063 00 00030028 000000000000000000000000 00050018 20010db8000000000000000000000007 00001c2000001c20',
  ),
  hex('0001 0800 06 04 0001 6c626d2ac74e 0a050501 000000000000 0a05051a'),
  hex('87000000 00000000 fe800000000000006e626dfffe2ac74e 0101a0f3c1165aca'),
  hex('86000000 40000708 00000000 00000000 05010000 000005dc 0101a0f3c1165aca'),
];
const MESSAGES = [...TCP_SAMPLES, ...UDP_SAMPLES].map(({ bytes }) => bytes).concat(HEADS, DEVICE_MESSAGES);

/** A message in which some bytes are others, and which may be cut. */
const mutated = fc
  .tuple(
    fc.constantFrom(...MESSAGES),
    fc.array(fc.tuple(fc.nat(400), fc.integer({ min: 0, max: 255 })), { maxLength: 6 }),
    fc.nat(400),
    fc.boolean(),
  )
  .map(([message, changes, length, isCut]) => {
    const bytes = isCut ? message.slice(0, length) : message.slice();
    for (const [at, byte] of changes) if (at < bytes.length) bytes[at] = byte;
    return bytes;
  });
const anything = fc.oneof(fc.uint8Array({ maxLength: 600 }), mutated);

const packet = new Packet();
packet.ipVersion = 6;
packet.src0 = 0x2001_0db8;

/** What every parser says of these bytes. */
function everything(bytes: Uint8Array, around: number, srcPort: number, dstPort: number): unknown {
  const at = placed(bytes, around);
  const devices = new SeenDevices();
  return [
    recogniseTcp(...at, srcPort, dstPort),
    recogniseUdp(...at, srcPort, dstPort),
    isHttpRequestStart(...at),
    readHttpRequest(...at),
    readHttpRequest(...at, true),
    readHttpStatus(...at),
    readArp(...at, devices.sightings, 1, 0),
    readNdp(...at, packet, devices.sightings, 1, 0),
    readDhcp(...at, devices.sightings, 1, 0),
    readDhcpv6(...at, devices.sightings, 1, 0),
    devices.devices,
  ];
}

/** Escaped ASCII of at most 253 characters. */
const ESCAPED = /^(?:[!#-[\]-~]|\\[\\".]|\\\d{3}){0,253}$/;

describe('random bytes', () => {
  it.each([
    ['streams', recogniseTcp],
    ['datagrams', recogniseUdp],
  ])('are hardly ever recognised: %s', (_, recognise) => {
    const recognised = new Map<string, number>();
    const buffers = fc.sample(fc.tuple(fc.uint8Array({ minLength: 1, maxLength: 600 }), port, port), {
      seed: SEED,
      numRuns: BUFFERS,
    });
    for (const [bytes, srcPort, dstPort] of buffers) {
      const name = APPLICATIONS[recognise(viewOf(bytes), 0, bytes.length, srcPort, dstPort)] as string;
      if (name !== '') recognised.set(name, (recognised.get(name) ?? 0) + 1);
    }
    const count = [...recognised.values()].reduce((sum, each) => sum + each, 0);
    expect(count, JSON.stringify([...recognised])).toBeLessThan(BUFFERS / 100);
  });
});

describe('any bytes', () => {
  it('are read without an exception, the same whatever stands around them', () => {
    fc.assert(
      fc.property(anything, port, port, (bytes, srcPort, dstPort) => {
        expect(everything(bytes, 0x00, srcPort, dstPort)).toEqual(everything(bytes, 0xff, srcPort, dstPort));
      }),
      { seed: SEED, numRuns: 3000 },
    );
  });

  it('give an application that has a name, and texts that are escaped', () => {
    fc.assert(
      fc.property(anything, port, port, (bytes, srcPort, dstPort) => {
        const at = placed(bytes);
        expect(recogniseTcp(...at, srcPort, dstPort)).toBeLessThan(APPLICATIONS.length);
        expect(recogniseUdp(...at, srcPort, dstPort)).toBeLessThan(APPLICATIONS.length);
        const devices = new SeenDevices();
        readDhcp(...at, devices.sightings, 1, 0);
        readDhcpv6(...at, devices.sightings, 1, 0);
        for (const { name } of devices.devices) expect(name).toMatch(ESCAPED);
        const request = readHttpRequest(...at, true);
        if (request === null || request === 'incomplete') return;
        expect(request.headBytes).toBeLessThanOrEqual(bytes.length);
        for (const text of [request.method, request.path, request.host, request.userAgent.replaceAll(' ', '')])
          expect(text).toMatch(ESCAPED);
      }),
      { seed: SEED, numRuns: 3000 },
    );
  });
});

describe('messages that are cut', () => {
  it('at every length are read without a look beyond their end', () => {
    for (const message of MESSAGES)
      for (let length = 0; length <= Math.min(message.length, 300); length++) {
        const bytes = message.subarray(0, length);
        // A view that ends with them, where such a look throws.
        const view = viewOf(bytes.slice());
        for (const [srcPort, dstPort] of [
          [40_000, 40_002],
          [53, 40_002],
          [40_000, 502],
        ] as const) {
          recogniseTcp(view, 0, length, srcPort, dstPort);
          recogniseUdp(view, 0, length, srcPort, dstPort);
        }
        readHttpRequest(view, 0, length, true);
        expect(everything(bytes, 0x00, 67, 53)).toEqual(everything(bytes, 0xff, 67, 53));
      }
  });

  // A request with a path is HTTP until its line names another protocol.
  const samples = TCP_SAMPLES.filter(({ what }) => what !== 'request with a path');
  it.each(samples.map((sample) => [`${sample.application}: ${sample.what}`, sample] as const))(
    'show nothing else than they show whole: %s',
    (_, { bytes, srcPort, dstPort, application }) => {
      for (let length = 0; length < bytes.length; length++) {
        const name = APPLICATIONS[recogniseTcp(viewOf(bytes.subarray(0, length)), 0, length, srcPort, dstPort)];
        expect(['', application]).toContain(name);
      }
    },
  );
});
