import { describe, expect, it } from 'vitest';
import { DnsTransport } from '../../src/ring/name-records.js';
import { checkDatabase } from '../../src/store/check.js';
import { flow, NOW_MS, WriterRig } from '../helpers/flow-records.js';
import { type DnsSpec, dns } from '../helpers/name-records.js';

const NOW_US = NOW_MS * 1000;

function storedRig(specs: readonly DnsSpec[], workers: readonly number[] = []): WriterRig {
  const rig = new WriterRig({ workers: 2 });
  const writer = rig.open();
  for (const [index, spec] of specs.entries()) rig.emitDns(spec, workers[index] ?? 0);
  while (writer.step(NOW_MS, true));
  writer.close(NOW_MS);
  expect(checkDatabase(rig.path).checks.filter((check) => !check.ok)).toEqual([]);
  return rig;
}

/** What of `columns` the view shows of one transaction. */
function shownOf(given: Partial<DnsSpec>, columns = '*'): Record<string, unknown> | undefined {
  return storedRig([dns({ seenUs: NOW_US - 5_000_000, ...given })]).query(`SELECT ${columns} FROM dns_view`)[0];
}

const ROW = {
  id: NOW_US,
  seen_us: NOW_US - 1_234_567,
  client_ip: '192.168.1.10',
  client_port: 65_535,
  server_ip: '255.255.255.255',
  server_port: 53,
  transport: 'udp',
  query: 'www.example.org',
  query_type: 'A',
  response_code: 'NOERROR',
  latency_us: 4_321,
  answer_count: 3,
  answers: 'alias.example.org,203.0.113.7,203.0.113.255',
};

describe('dns_view', () => {
  it('shows every column of an answered query, in the promised order', () => {
    const row = shownOf({
      emittedUs: NOW_US + 1,
      seenUs: NOW_US - 1_234_567,
      latencyUs: 4_321,
      clientPort: 65_535,
      server: '255.255.255.255',
      answers: [{ name: 'alias.example.org' }, { address: '203.0.113.7' }, { address: '203.0.113.255' }],
    });
    expect(row).toEqual(ROW);
    expect(Object.keys(row ?? {})).toEqual(Object.keys(ROW));
  });

  it('shows NULL for what a query without an answer has not', () => {
    const shown = shownOf({ code: -1, latencyUs: -1, answers: [] }, 'response_code, latency_us, answer_count, answers');
    expect(shown).toEqual({ response_code: null, latency_us: null, answer_count: 0, answers: null });
  });

  it('shows IPv6 addresses of both ends and in answers', () => {
    const given = { client: '2001:db8::1', server: 'fe80::53', type: 28, answers: [{ address: '2001:db8:0:0:0:0:0:7' }] };
    expect(shownOf(given, 'client_ip, server_ip, query_type, answers')).toEqual({
      client_ip: '2001:db8::1',
      server_ip: 'fe80::53',
      query_type: 'AAAA',
      answers: '2001:db8::7',
    });
  });

  it.each([
    [1, 'A'],
    [12, 'PTR'],
    [33, 'SRV'],
    [65, 'HTTPS'],
    [255, 'ANY'],
    [32, 'TYPE32'],
    [0, 'TYPE0'],
    [65_535, 'TYPE65535'],
  ])('shows type %i as %s', (type, text) => {
    expect(shownOf({ type }, 'query_type')).toEqual({ query_type: text });
  });

  it('knows the types of NetBIOS', () => {
    const transport = DnsTransport.Netbios;
    const shown = (type: number): unknown => shownOf({ type, transport }, 'query_type')?.['query_type'];
    expect([32, 33, 1].map(shown)).toEqual(['NB', 'NBSTAT', 'A']);
  });

  it.each([
    [0, 'NOERROR'],
    [2, 'SERVFAIL'],
    [3, 'NXDOMAIN'],
    [5, 'REFUSED'],
    [16, 'BADVERS'],
    [15, 'RCODE15'],
    [4095, 'RCODE4095'],
  ])('shows response code %i as %s', (code, text) => {
    expect(shownOf({ code }, 'response_code')).toEqual({ response_code: text });
  });

  it.each(['udp', 'tcp', 'mdns', 'llmnr', 'netbios'])('shows transport %s', (text) => {
    const transport = ['udp', 'tcp', 'mdns', 'llmnr', 'netbios'].indexOf(text);
    expect(shownOf({ transport }, 'transport')).toEqual({ transport: text });
  });

  it('keeps hostile names as they are', () => {
    for (const query of ['x'.repeat(253), `a'b\\";DROP\\032TABLE\\032dns;--`, '\\000\\255.example', '.'])
      expect(shownOf({ query, answers: [{ name: query }] }, 'query, answers')).toEqual({ query, answers: query });
  });

  it('keeps as many answers as a record holds, and the count that its header tells', () => {
    const answers = Array.from({ length: 170 }, (_, i) => ({ address: `10.0.0.${i}` }));
    const shown = shownOf({ answers, answerCount: 65_535 }, 'answer_count, answers');
    expect(shown).toEqual({ answer_count: 65_535, answers: answers.map(({ address }) => address).join(',') });
  });

  it('keeps a time that lies ahead of the emission: the clock was set back', () => {
    expect(shownOf({ seenUs: NOW_US + 77, emittedUs: NOW_US }, 'id, seen_us')).toEqual({ id: NOW_US, seen_us: NOW_US + 77 });
  });
});

describe('the table of DNS transactions', () => {
  it('has unique even ids in the order of emission, whichever worker saw them', () => {
    const at = (us: number): DnsSpec => dns({ seenUs: NOW_US, emittedUs: NOW_US + us, clientPort: us });
    const rig = storedRig([at(10), at(10), at(500), at(11), at(100)], [0, 0, 0, 1, 1]);
    expect(rig.query(`SELECT id - ${NOW_US} AS us, client_port FROM dns_view ORDER BY id`)).toEqual([
      { us: 10, client_port: 10 },
      { us: 12, client_port: 10 },
      { us: 14, client_port: 11 },
      { us: 100, client_port: 100 },
      { us: 500, client_port: 500 },
    ]);
  });

  it('counts its ids apart from those of flows, and steps aside for those of an earlier run', () => {
    const rig = storedRig([dns({ seenUs: NOW_US }), dns({ seenUs: NOW_US })]);
    const later = new WriterRig({ path: rig.path });
    const writer = later.open();
    later.emitDns(dns({ seenUs: NOW_US }));
    later.emit(flow({ emittedUs: NOW_US }));
    writer.step(NOW_MS, true);
    writer.close(NOW_MS);
    expect(rig.query('SELECT id FROM dns').map((row) => (row['id'] as number) - NOW_US)).toEqual([0, 2, 4]);
    expect(rig.value('SELECT id FROM flows')).toBe(NOW_US);
  });

  it('takes many rows', () => {
    const specs = Array.from({ length: 333 }, (_, i) =>
      dns({ seenUs: NOW_US + i * 2, query: `n${i % 10}.example`, clientPort: i }),
    );
    const rig = storedRig(specs);
    const shown = rig.query('SELECT seen_us, query, client_port FROM dns_view ORDER BY id');
    expect(shown).toEqual(specs.map(({ seenUs, query, clientPort }) => ({ seen_us: seenUs, query, client_port: clientPort })));
    expect(rig.value('SELECT count(*) FROM texts')).toBe(11);
  });
});
