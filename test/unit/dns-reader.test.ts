import { describe, expect, it } from 'vitest';
import { FragmentKind } from '../../src/wire/packet.js';
import { ANSWER, dnsMessage, FIRST_NAME, opt, pointer, question, record, wireName } from '../helpers/dns-bytes.js';
import { type Datagram, DnsScene, START_US } from '../helpers/dns-scene.js';
import { address } from '../helpers/frame-bytes.js';

const NAME = pointer(FIRST_NAME);
const CLIENT = ['10.0.0.2', 40_000] as const;
const SERVER = ['10.0.0.1', 53] as const;
const ASK: Datagram = { from: CLIENT, to: SERVER };
const REPLY: Datagram = { from: SERVER, to: CLIENT, us: 30 };

const query = dnsMessage({ questions: [question('example.com')], additionals: [opt(0)] });
const answer = dnsMessage({
  flags: ANSWER,
  questions: [question('example.com')],
  answers: [record(NAME, 1, address('192.0.2.1'))],
});

describe('DNS over UDP', () => {
  it('becomes a row for each pair, from the client to the server', () => {
    const scene = new DnsScene();
    expect(scene.udp(ASK, query)).toBe(true);
    expect(scene.udp(REPLY, answer)).toBe(true);
    expect(scene.rows()).toEqual([
      {
        transport: 'udp',
        client: '10.0.0.2 40000',
        server: '10.0.0.1 53',
        name: 'example.com',
        type: 1,
        code: 0,
        latencyUs: 30,
        us: START_US,
        answerCount: 1,
        ttlS: 300,
        interfaceIndex: 2,
        answers: ['192.0.2.1'],
      },
    ]);
    expect(scene.seen()).toEqual([]);
  });

  it('has addresses of IPv6', () => {
    const scene = new DnsScene();
    scene.udp({ from: ['2001:db8::2', 40_000], to: ['2001:db8::53', 53] }, query);
    scene.udp({ from: ['2001:db8::53', 53], to: ['2001:db8::2', 40_000], us: 9 }, answer);
    expect(scene.rows()).toMatchObject([{ client: '2001:db8::2 40000', server: '2001:db8::53 53', latencyUs: 9 }]);
  });

  it('has queries from whatever port, be it that of a server too', () => {
    for (const port of [53, 137, 5353]) {
      const scene = new DnsScene();
      expect(scene.udp({ from: ['10.0.0.2', port], to: SERVER }, query)).toBe(true);
      expect(scene.udp({ from: SERVER, to: ['10.0.0.2', port], us: 5 }, answer)).toBe(true);
      expect(scene.rows()).toMatchObject([{ transport: 'udp', latencyUs: 5 }]);
    }
  });

  it('gives up on answers by the clock, and at the end', () => {
    const scene = new DnsScene();
    scene.udp(ASK, query);
    scene.reader.expire(START_US + 9e6);
    expect(scene.told()).toEqual([]);
    scene.reader.expire(START_US + 10e6);
    expect(scene.told()).toEqual(['example.com 1 -1 -1']);
    scene.udp({ ...ASK, us: 11e6 }, query);
    scene.reader.flush();
    expect(scene.told()).toEqual(['example.com 1 -1 -1']);
  });

  it('is cut by the capture: what is there is read', () => {
    const scene = new DnsScene();
    expect(scene.udp({ ...REPLY, wireBytes: answer.length }, answer.slice(0, 12 + 17))).toBe(true);
    expect(scene.rows()).toMatchObject([{ name: 'example.com', answers: [], answerCount: 1 }]);
    expect(scene.udp({ ...REPLY, wireBytes: answer.length }, answer.slice(0, 12 + 16))).toBe(false);
    expect(scene.udp({ ...REPLY, wireBytes: answer.length }, answer.slice(0, 11))).toBe(false);
  });

  it('is sent in fragments, of which the first is read', () => {
    const answers = Array.from({ length: 200 }, () => record(NAME, 1, address('192.0.2.1')));
    const first = dnsMessage({ flags: ANSWER, questions: [question('a')], answers }).slice(0, 1480);
    const scene = new DnsScene();
    expect(scene.udp({ ...REPLY, fragment: FragmentKind.First }, first)).toBe(true);
    expect(scene.rows()[0]?.answers.length).toBeGreaterThan(80);
    expect(scene.udp(REPLY, first)).toBe(false);
  });

  it.each([
    ['that does not exist', 3 << 11],
    ['that is not assigned', 7 << 11],
  ])('has no operation %s', (_, flags) => {
    const scene = new DnsScene();
    expect(scene.udp(ASK, dnsMessage({ flags, questions: [question('a')] }))).toBe(false);
    scene.reader.flush();
    expect(scene.rows()).toEqual([]);
  });

  it('has operations besides queries', () => {
    const scene = new DnsScene();
    for (const opcode of [0, 1, 2, 4, 5, 6])
      expect(scene.udp(ASK, dnsMessage({ flags: opcode << 11, questions: [question(`op${opcode}`, 6)] }))).toBe(true);
    scene.reader.flush();
    expect(scene.told()).toEqual([0, 1, 2, 4, 5, 6].map((opcode) => `op${opcode} 6 -1 -1`));
  });

  it('asks nothing without a question', () => {
    const scene = new DnsScene();
    const bytes = dnsMessage({ flags: 1 << 11, answers: [record('a', 1, address('192.0.2.1'))] });
    expect(scene.udp(ASK, bytes)).toBe(true);
    scene.reader.flush();
    expect(scene.rows()).toEqual([]);
  });

  it('is told by its form, not by its port alone', () => {
    const scene = new DnsScene();
    const text = Uint8Array.from(Buffer.from('this is something else that goes to that port'));
    for (const port of [53, 5353, 5355, 137]) expect(scene.udp({ from: CLIENT, to: ['10.0.0.1', port] }, text)).toBe(false);
    for (const port of [67, 80, 5354]) expect(scene.udp({ from: CLIENT, to: ['10.0.0.1', port] }, query)).toBe(false);
    expect(scene.rows()).toEqual([]);
  });
});

describe('DNS over TCP', () => {
  it('is paired in the same way, and apart from UDP', () => {
    const scene = new DnsScene();
    expect(scene.tcp(ASK, query)).toBe(true);
    scene.udp(REPLY, answer);
    expect(scene.rows()).toMatchObject([{ transport: 'udp', latencyUs: -1 }]);
    expect(scene.tcp({ ...REPLY, us: 44 }, answer)).toBe(true);
    expect(scene.rows()).toMatchObject([{ transport: 'tcp', latencyUs: 44, answers: ['192.0.2.1'] }]);
    expect(scene.tcp(ASK, answer.slice(0, 20))).toBe(false);
  });
});

describe('LLMNR', () => {
  const ASKER = ['10.0.0.2', 50_000] as const;
  const asked = dnsMessage({ flags: 0, questions: [question('Printer')] });
  const answered = dnsMessage({
    flags: 0x8000,
    questions: [question('Printer')],
    answers: [record(NAME, 1, address('10.0.0.5')), record(NAME, 28, address('fe80::5'))],
  });

  it('is asked of all, and answered by the one who has the name', () => {
    const scene = new DnsScene();
    expect(scene.udp({ from: ASKER, to: ['224.0.0.252', 5355] }, asked)).toBe(true);
    expect(scene.udp({ from: ['10.0.0.5', 5355], to: ASKER, us: 70, mac: [0x9000, 5] }, answered)).toBe(true);
    expect(scene.rows()).toMatchObject([
      { transport: 'llmnr', client: '10.0.0.2 50000', server: '10.0.0.5 5355', name: 'printer', latencyUs: 70 },
    ]);
    expect(scene.seen()).toEqual(['llmnr 90:00:00:00:00:05 10.0.0.5 printer', 'llmnr - fe80::5 printer']);
  });

  it('is unanswered as often as not', () => {
    const scene = new DnsScene();
    const additionals = [record('printer', 1, address('10.0.0.5'))];
    scene.udp(
      { from: ASKER, to: ['224.0.0.252', 5355] },
      dnsMessage({ flags: 0, questions: [question('Printer')], additionals }),
    );
    // A question tells of no device.
    expect(scene.seen()).toEqual([]);
    scene.reader.flush();
    expect(scene.rows()).toMatchObject([{ transport: 'llmnr', server: '224.0.0.252 5355', code: -1 }]);
    expect(
      scene.udp({ from: ASKER, to: ['224.0.0.252', 5355] }, dnsMessage({ flags: 4 << 11, questions: [question('a')] })),
    ).toBe(false);
  });
});

describe('multicast DNS', () => {
  const GROUP = ['224.0.0.251', 5353] as const;
  const HOST = ['10.0.0.5', 5353] as const;
  const service = wireName('My Printer._ipp._tcp.local');
  const answered = dnsMessage({
    id: 0,
    flags: 0x8400,
    answers: [record('_ipp._tcp.local', 12, service)],
    additionals: [
      record('Host.local', 1, address('10.0.0.5'), { klass: 0x8001, ttl: 120 }),
      record('Host.local', 28, address('fe80::5'), { klass: 0x8001, ttl: 120 }),
      record('Host.local', 1, address('10.0.0.8'), { klass: 0x8001, ttl: 120 }),
      record('gone.local', 1, address('10.0.0.6'), { ttl: 0 }),
      record('group.local', 1, address('224.0.0.9')),
      record('chaos.local', 1, address('10.0.0.7'), { klass: 3 }),
    ],
  });

  it('has a row for each question of a query, at once, sixteen at most', () => {
    const scene = new DnsScene();
    const questions = Array.from({ length: 20 }, (_, i) => question(`_s${i}._tcp.local`, 12, 0x8001));
    expect(scene.udp({ from: HOST, to: GROUP }, dnsMessage({ flags: 0, questions }))).toBe(true);
    expect(scene.told()).toEqual(Array.from({ length: 16 }, (_, i) => `_s${i}._tcp.local 12 -1 -1`));
    expect(scene.udp({ from: HOST, to: GROUP }, dnsMessage({ flags: 0, questions: questions.slice(0, 1) }))).toBe(true);
    expect(scene.rows()).toMatchObject([{ transport: 'mdns', client: '10.0.0.5 5353', server: '224.0.0.251 5353' }]);
  });

  it('has a row for a response, and the devices of all its addresses', () => {
    const scene = new DnsScene();
    expect(scene.udp({ from: HOST, to: GROUP, mac: [0x9000, 5] }, answered)).toBe(true);
    expect(scene.rows()).toMatchObject([
      {
        transport: 'mdns',
        client: '224.0.0.251 5353',
        server: '10.0.0.5 5353',
        name: '_ipp._tcp.local',
        type: 12,
        code: 0,
        latencyUs: -1,
        answers: ['12:my\\032printer._ipp._tcp.local'],
      },
    ]);
    expect(scene.seen()).toEqual([
      'mdns 90:00:00:00:00:05 10.0.0.5 host.local',
      'mdns - fe80::5 host.local',
      'mdns - 10.0.0.8 host.local',
    ]);
  });

  it('names no device in a response to one host, which may come from anywhere', () => {
    const scene = new DnsScene();
    expect(scene.udp({ from: HOST, to: ['10.0.0.2', 5353], mac: [0x9000, 5] }, answered)).toBe(true);
    expect(scene.rows()).toHaveLength(1);
    expect(scene.seen()).toEqual([]);
  });

  it('names no device in a query, in which hosts say what they know', () => {
    const scene = new DnsScene();
    const known = [record('a.local', 1, address('10.0.0.9'))];
    expect(scene.udp({ from: HOST, to: GROUP }, dnsMessage({ flags: 0, questions: [question('a.local')], answers: known }))).toBe(
      true,
    );
    expect(scene.told()).toEqual(['a.local 1 -1 -1']);
    // And goes on in messages without questions.
    expect(scene.udp({ from: HOST, to: GROUP }, dnsMessage({ flags: 0, answers: known }))).toBe(true);
    expect(scene.told()).toEqual([]);
    expect(scene.seen()).toEqual([]);
  });

  it('answers to and from other ports as well', () => {
    const scene = new DnsScene();
    expect(scene.udp({ from: ['10.0.0.5', 40_000], to: GROUP }, answered)).toBe(true);
    expect(scene.rows()).toMatchObject([{ transport: 'mdns', server: '10.0.0.5 40000', latencyUs: -1 }]);
    expect(scene.seen()).toHaveLength(3);
    expect(scene.udp({ from: HOST, to: ['10.0.0.2', 40_000] }, answered)).toBe(true);
    expect(scene.rows()).toMatchObject([{ transport: 'mdns', client: '10.0.0.2 40000', latencyUs: -1 }]);
    expect(scene.udp({ from: HOST, to: GROUP }, dnsMessage({ flags: 5 << 11, questions: [question('a')] }))).toBe(false);
  });
});
