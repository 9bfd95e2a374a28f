import { describe, expect, it } from 'vitest';
import { dnsMessage, FIRST_NAME, half, halfAscii, pointer, question, record, wireName } from '../helpers/dns-bytes.js';
import { DnsScene } from '../helpers/dns-scene.js';
import { address, join } from '../helpers/frame-bytes.js';

const NB = 32;
const NBSTAT = 33;
const NULL = 10;
const NAME = pointer(FIRST_NAME);
const HOST = ['10.0.0.5', 137] as const;
const ASKER = ['10.0.0.2', 137] as const;
const BROADCAST = ['10.0.0.255', 137] as const;
const MAC = [0x9000, 5] as const;
const GROUP = 0x8000;

const name = (text: string, suffix = 0): Uint8Array => wireName(halfAscii(text, suffix));
/** Data of an NB record: flags and address, once or more often. */
const owners = (...entries: readonly [flags: number, ip: string][]): Uint8Array =>
  join(...entries.map(([flags, ip]) => join(half(flags), address(ip))));

const asked = (text: string, type = NB): Uint8Array =>
  dnsMessage({ id: 9, flags: 0x0110, questions: [question(name(text), type)] });
const answered = (text: string, data: Uint8Array, suffix = 0): Uint8Array =>
  dnsMessage({ id: 9, flags: 0x8500, answers: [record(name(text, suffix), NB, data)] });
const registration = (text: string, data: Uint8Array, opcode: number, suffix = 0): Uint8Array =>
  dnsMessage({
    id: 9,
    flags: (opcode << 11) | 0x0110,
    questions: [question(name(text, suffix), NB)],
    additionals: [record(NAME, NB, data)],
  });

describe('names of NetBIOS', () => {
  it('are asked of all, and answered by the one who has them', () => {
    const scene = new DnsScene();
    expect(scene.udp({ from: ASKER, to: BROADCAST }, asked('PRINTER'))).toBe(true);
    expect(scene.udp({ from: HOST, to: ASKER, us: 80, mac: MAC }, answered('PRINTER', owners([0, '10.0.0.5'])))).toBe(true);
    expect(scene.rows()).toMatchObject([
      {
        transport: 'netbios',
        client: '10.0.0.2 137',
        server: '10.0.0.5 137',
        name: 'printer',
        type: NB,
        code: 0,
        latencyUs: 80,
        answers: ['10.0.0.5'],
        ttlS: 300,
      },
    ]);
    expect(scene.seen()).toEqual(['netbios 90:00:00:00:00:05 10.0.0.5 printer']);
  });

  it('are unanswered, or answered by no', () => {
    const scene = new DnsScene();
    scene.udp({ from: ASKER, to: BROADCAST }, asked('PRINTER'));
    // RFC 1002 section 4.2.14: of type NULL.
    const no = dnsMessage({ id: 9, flags: 0x8503, answers: [record(name('PRINTER'), NULL, new Uint8Array(0))] });
    expect(scene.udp({ from: HOST, to: ASKER, us: 80 }, no)).toBe(true);
    expect(scene.told()).toEqual([`printer ${NB} 3 80`]);
    const data = owners([0, '10.0.0.5']);
    scene.udp({ from: HOST, to: ASKER }, dnsMessage({ id: 3, flags: 0x8503, answers: [record(name('PRINTER'), NB, data)] }));
    expect(scene.rows()).toMatchObject([{ code: 3, answers: [] }]);
    scene.udp({ from: ASKER, to: BROADCAST }, asked('OTHER'));
    scene.reader.flush();
    expect(scene.told()).toEqual([`other ${NB} -1 -1`]);
    expect(scene.seen()).toEqual([]);
  });

  it('may stand for several addresses, sixteen of which are taken', () => {
    const scene = new DnsScene();
    const many = Array.from({ length: 20 }, (_, i): [number, string] => [0, `10.0.1.${i}`]);
    scene.udp({ from: HOST, to: ASKER, mac: MAC }, answered('PRINTER', owners(...many)));
    expect(scene.rows()[0]?.answers).toEqual(many.slice(0, 16).map(([, ip]) => ip));
    expect(scene.seen()).toHaveLength(16);
    scene.udp({ from: HOST, to: ASKER }, answered('CUT', owners([0, '10.0.0.7'], [0, '10.0.0.8']).slice(0, 11)));
    expect(scene.rows()).toMatchObject([{ name: 'cut', answers: ['10.0.0.7'] }]);
  });

  it.each([5, 8, 9, 15])('are registered and refreshed by their hosts, operation %i', (opcode) => {
    const scene = new DnsScene();
    expect(scene.udp({ from: HOST, to: BROADCAST, mac: MAC }, registration('PRINTER', owners([0, '10.0.0.5']), opcode))).toBe(
      true,
    );
    expect(scene.seen()).toEqual(['netbios 90:00:00:00:00:05 10.0.0.5 printer']);
    scene.reader.flush();
    expect(scene.rows()).toEqual([]);
  });

  it('are not devices where they are those of groups, users and services, or released', () => {
    const scene = new DnsScene();
    const owner = owners([0, '10.0.0.5']);
    for (const bytes of [
      registration('WORKGROUP', owners([GROUP, '10.0.0.5']), 5),
      registration('WORKGROUP', owner, 5, 0x1b),
      registration('SOMEBODY', owner, 5, 0x03),
      registration('PRINTER', owner, 6),
      answered('WORKGROUP', owners([GROUP, '10.0.0.5']), 0x1c),
      registration('PRINTER', owners([0, '0.0.0.0']), 5),
    ])
      expect(scene.udp({ from: HOST, to: BROADCAST }, bytes)).toBe(true);
    expect(scene.seen()).toEqual([]);
    expect(scene.udp({ from: HOST, to: BROADCAST }, registration('PRINTER', owner, 5, 0x20))).toBe(true);
    expect(scene.seen()).toEqual(['netbios - 10.0.0.5 printer']);
  });

  it('are asked what they stand for', () => {
    const scene = new DnsScene();
    scene.udp({ from: ASKER, to: HOST }, asked('*'.padEnd(15, '\0'), NBSTAT));
    const status = dnsMessage({
      id: 9,
      flags: 0x8400,
      answers: [record(name('*'.padEnd(15, '\0')), NBSTAT, new Uint8Array(65))],
    });
    expect(scene.udp({ from: HOST, to: ASKER, us: 5 }, status)).toBe(true);
    expect(scene.rows()).toMatchObject([{ name: '*', type: NBSTAT, latencyUs: 5, answers: [] }]);
  });

  it('are not answered by an acknowledgement that it takes time', () => {
    const scene = new DnsScene();
    scene.udp({ from: ASKER, to: HOST }, asked('PRINTER'));
    const wait = dnsMessage({ id: 9, flags: 0xbc00, answers: [record(name('PRINTER'), NB, half(0))] });
    expect(scene.udp({ from: HOST, to: ASKER, us: 5 }, wait)).toBe(true);
    expect(scene.rows()).toEqual([]);
  });

  it('are encoded by halves: others are not of NetBIOS', () => {
    const scene = new DnsScene();
    expect(scene.udp({ from: ASKER, to: BROADCAST }, dnsMessage({ questions: [question('www.example.com', NB)] }))).toBe(false);
    expect(scene.udp({ from: ASKER, to: BROADCAST }, dnsMessage({ flags: 1 << 11, questions: [question(name('A'), NB)] }))).toBe(
      false,
    );
    expect(scene.udp({ from: ASKER, to: BROADCAST }, dnsMessage({ flags: 0x8003 }))).toBe(false);
  });
});
