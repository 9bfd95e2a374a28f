import { describe, expect, it } from 'vitest';
import { Application } from '../../src/ring/application.js';
import { DeviceSource, DnsTransport } from '../../src/ring/name-records.js';
import { Cell } from '../../src/ring/thread-block.js';
import { checkDatabase } from '../../src/store/check.js';
import { type FlowSpec, flow, NOW_MS, WriterRig } from '../helpers/flow-records.js';
import { type DnsSpec, dns } from '../helpers/name-records.js';

const NOW_US = NOW_MS * 1000;
const S = 1e6;
const NAME = 'server_name, server_name_source, server_name_age_s, server_name_ambiguous';
const NO_NAME = { server_name: null, server_name_source: null, server_name_age_s: null, server_name_ambiguous: null };

/** What of `columns` the view shows of one flow. */
function shownOf(spec: FlowSpec, columns: string): Record<string, unknown> | undefined {
  const rig = new WriterRig();
  rig.store([spec]);
  expect(checkDatabase(rig.path).checks.filter((check) => !check.ok)).toEqual([]);
  return rig.query(`SELECT ${columns} FROM flow_view`)[0];
}

describe('application', () => {
  const columns = 'application, application_source';

  it.each([
    ['what the payload shows, whatever the port', { application: Application.Ssh, dstPort: 443 }, 'ssh', 'protocol'],
    ['the last one that has a name', { application: Application.SFlow }, 'sflow', 'protocol'],
    ['what the port suggests where the payload shows nothing', { protocol: 6, dstPort: 443 }, 'tls', 'port'],
    ['nothing where the first bytes speak against it', { protocol: 6, dstPort: 6668, isStartUnknown: true }, null, null],
    ['what the port suggests where first bytes say little', { protocol: 6, dstPort: 445, isStartUnknown: true }, 'smb', 'port'],
    ['nothing where neither does', { protocol: 6, srcPort: 40_000, dstPort: 40_001 }, null, null],
    ['nothing of a number that has no name', { application: 255 as Application }, null, 'protocol'],
  ] as const)('is %s', (_, given, application, source) => {
    for (const direction of [0, 1] as const)
      expect(shownOf(flow({ ...given, direction }), columns)).toEqual({ application, application_source: source });
  });
});

describe('what a flow itself tells', () => {
  const TLS = 'tls_version, alpn, ja4, quic_version';
  const HTTP = 'http_method, http_path, http_user_agent, http_status';
  const ja4 = 't13d1516h2_8daaf6152771_e5627efa2ab1';

  it('is a server name, from the best source, without an age', () => {
    const name = (server_name: string, server_name_source: string): object => ({
      ...NO_NAME,
      server_name,
      server_name_source,
      server_name_ambiguous: 0,
    });
    const host = 'h.example';
    expect(shownOf(flow({ details: { host } }), NAME)).toEqual(name(host, 'http'));
    expect(shownOf(flow({ details: { host, quicSni: 'q.example' } }), NAME)).toEqual(name('q.example', 'quic'));
    expect(shownOf(flow({ details: { host, sni: 's.example' } }), NAME)).toEqual(name('s.example', 'sni'));
    expect(shownOf(flow({ details: { sni: '' } }), NAME)).toEqual(NO_NAME);
  });

  it('is what the ClientHello of TLS told', () => {
    const shown = shownOf(flow({ details: { sni: 's', alpn: 'h2,http/1.1', ja4, tlsVersion: 0x0304 } }), `${TLS}, ${HTTP}`);
    expect(shown).toEqual({
      tls_version: 'TLS 1.3',
      alpn: 'h2,http/1.1',
      ja4,
      quic_version: null,
      http_method: null,
      http_path: null,
      http_user_agent: null,
      http_status: null,
    });
  });

  it.each([
    [0x0300, 'SSL 3.0'],
    [0x0301, 'TLS 1.0'],
    [0x0302, 'TLS 1.1'],
    [0x0303, 'TLS 1.2'],
    [0x7f1c, '0x7f1c'],
  ])('shows TLS version %i as %s', (tlsVersion, text) => {
    expect(shownOf(flow({ details: { tlsVersion } }), TLS)).toEqual({
      tls_version: text,
      alpn: null,
      ja4: null,
      quic_version: null,
    });
  });

  it.each([
    [1, 'v1'],
    [0x6b3343cf, 'v2'],
    [0xff00001d, '0xff00001d'],
    [0, '0x00000000'],
  ])('shows QUIC version %i as %s', (quicVersion, text) => {
    expect(shownOf(flow({ details: { quicVersion } }), TLS)).toMatchObject({ tls_version: null, quic_version: text });
  });

  it('is what the first request and its answer told', () => {
    const userAgent = `Mozilla/5.0\\032(X11)';DROP\\032TABLE\\032flows;--`;
    const details = { host: 'h', method: 'GET', path: '/a?b=%00', userAgent, status: 404 };
    expect(shownOf(flow({ details }), HTTP)).toEqual({
      http_method: 'GET',
      http_path: '/a?b=%00',
      http_user_agent: userAgent,
      http_status: 404,
    });
    expect(shownOf(flow({ details: { status: 999 } }), HTTP)).toMatchObject({ http_method: null, http_status: 999 });
  });

  it('is kept for many flows among others without, as many as there are', () => {
    const rig = new WriterRig();
    const sni = (i: number): string => `${'x'.repeat(240)}${i}`;
    rig.store(
      Array.from({ length: 150 }, (_, i) =>
        flow({ emittedUs: NOW_US + i * 10, ...(i % 2 === 0 ? { details: { sni: sni(i), alpn: 'h2', status: 200 } } : {}) }),
      ),
    );
    const shown = rig.query('SELECT server_name FROM flow_view ORDER BY id').map((row) => row['server_name']);
    expect(shown).toEqual(Array.from({ length: 150 }, (_, i) => (i % 2 === 0 ? sni(i) : null)));
    expect(rig.query('SELECT (SELECT count(*) FROM flow_tls) AS tls, (SELECT count(*) FROM flow_http) AS http')).toEqual([
      { tls: 75, http: 75 },
    ]);
    expect(rig.value(`SELECT count(*) FROM texts WHERE text = 'h2'`)).toBe(1);
  });
});

describe('what was heard of the server before', () => {
  /** A rig whose writer has written the answers. */
  function rigWith(...answers: readonly DnsSpec[]): { rig: WriterRig; shown: (given: Partial<FlowSpec>) => unknown } {
    const rig = new WriterRig({ workers: 2 });
    const writer = rig.open();
    for (const answer of answers) rig.emitDns(answer);
    writer.step(NOW_MS, true);
    let emittedUs = NOW_US;
    const shown = (given: Partial<FlowSpec>): unknown => {
      emittedUs += 1000;
      const startUs = given.startUs ?? NOW_US;
      rig.emit(flow({ dst: '203.0.113.7', dstPort: 443, startUs, endUs: startUs, ...given, emittedUs }), 1);
      writer.step(NOW_MS, true);
      return rig.query(`SELECT ${NAME} FROM flow_view ORDER BY id DESC LIMIT 1`)[0];
    };
    return { rig, shown };
  }
  const AT_US = NOW_US - 100 * S;
  const byDns = (server_name: string, age: number, ambiguous = 0): object => ({
    server_name,
    server_name_source: 'dns',
    server_name_age_s: age,
    server_name_ambiguous: ambiguous,
  });

  it('names a flow by the DNS answer that its client had got, from the moment of the answer on', () => {
    const { rig, shown } = rigWith(dns({ seenUs: AT_US, latencyUs: 2 * S, query: 'a.example' }));
    expect(shown({ startUs: AT_US + 10 * S })).toEqual(byDns('a.example', 8));
    expect(shown({ startUs: AT_US + S })).toEqual(NO_NAME);
    expect(shown({ src: '192.168.1.11' })).toEqual(NO_NAME);
    expect(shown({ dst: '203.0.113.8' })).toEqual(NO_NAME);
    // The initiator's name is not asked for.
    expect(shown({ src: '203.0.113.7', dst: '192.168.1.10' })).toEqual(NO_NAME);
    expect([Cell.NameHits, Cell.NameMisses, Cell.NameAddresses].map((cell) => rig.writerBlock.cell(cell))).toEqual([1, 4, 1]);
  });

  it('puts the name that a flow itself tells before it', () => {
    const { rig, shown } = rigWith(dns({ seenUs: AT_US }));
    expect(shown({ details: { sni: 'own.example' } })).toMatchObject({ server_name: 'own.example', server_name_source: 'sni' });
    expect(shown({ details: { alpn: 'h2' } })).toMatchObject({ server_name: 'www.example.org', server_name_source: 'dns' });
    expect(rig.writerBlock.cell(Cell.NameHits)).toBe(1);
  });

  it('names IPv6 addresses, and each of several addresses by the name that was asked for', () => {
    const client = '2001:db8::10';
    const answers = [{ name: 'alias.example' }, { address: '2001:db8::7' }, { address: '2001:db8::8' }];
    const { shown } = rigWith(dns({ seenUs: AT_US, client, server: '2001:db8::1', type: 28, query: 'six.example', answers }));
    for (const dst of ['2001:db8::7', '2001:db8::8'])
      for (const direction of [0, 1] as const) expect(shown({ src: client, dst, direction })).toEqual(byDns('six.example', 100));
    expect(shown({ src: client, dst: '2001:db8::9' })).toEqual(NO_NAME);
  });

  it("is anyone's where the answer came over the other IP version, unless the client was told another", () => {
    const crossed = dns({
      seenUs: AT_US,
      client: '192.168.1.77',
      type: 28,
      query: 'six.example',
      answers: [{ address: '2001:db8::7' }],
    });
    const { rig, shown } = rigWith(crossed);
    expect(shown({ src: '2001:db8::10', dst: '2001:db8::7' })).toEqual(byDns('six.example', 100));
    const own = {
      client: '2001:db8::10',
      server: '2001:db8::1',
      type: 28,
      query: 'own.example',
      answers: [{ address: '2001:db8::7' }],
    };
    rig.emitDns(dns({ seenUs: AT_US, ...own }));
    expect(shown({ src: '2001:db8::10', dst: '2001:db8::7' })).toMatchObject({ server_name: 'own.example' });
    expect(shown({ src: '2001:db8::11', dst: '2001:db8::7' })).toMatchObject({ server_name: 'six.example' });
  });

  it('is nothing after the time to live, but 300 s at least', () => {
    const { shown } = rigWith(dns({ seenUs: AT_US, ttlS: 5 }));
    expect(shown({ startUs: AT_US + 299 * S })).toEqual(byDns('www.example.org', 299));
    expect(shown({ startUs: AT_US + 300 * S })).toEqual(NO_NAME);
    expect(shown({ startUs: AT_US + 301 * S, segmentIndex: 1, flowId: 7 })).toEqual(byDns('www.example.org', 301));
  });

  it('says so when an address has several names', () => {
    const { shown } = rigWith(dns({ seenUs: AT_US, query: 'a.example' }), dns({ seenUs: AT_US + 50 * S, query: 'b.example' }));
    expect(shown({ startUs: AT_US + 49 * S })).toEqual(byDns('a.example', 49));
    expect(shown({ startUs: AT_US + 60 * S })).toEqual(byDns('b.example', 10, 1));
  });

  it.each([
    ['an error', { code: 3 }],
    ['a query without an answer', { code: -1, latencyUs: -1 }],
    ['mDNS, whose names come with the devices', { transport: DnsTransport.Mdns }],
  ] as const)('is not taken from %s', (_, given) => {
    const { rig, shown } = rigWith(dns({ seenUs: AT_US, ...given }));
    expect(shown({})).toEqual(NO_NAME);
    expect(rig.writerBlock.cell(Cell.NameAddresses)).toBe(0);
  });

  it.each([DnsTransport.Tcp, DnsTransport.Llmnr, DnsTransport.Netbios])(
    'is taken from answers over transport %i',
    (transport) => {
      const { shown } = rigWith(dns({ seenUs: AT_US, transport }));
      expect(shown({})).toEqual(byDns('www.example.org', 100));
    },
  );

  it.each([
    [DeviceSource.Mdns, 'mdns'],
    [DeviceSource.Llmnr, 'mdns'],
    [DeviceSource.Netbios, 'mdns'],
    [DeviceSource.Dhcp, 'dhcp'],
    [DeviceSource.Dhcpv6, 'dhcp'],
  ])('is what a device of source %i told of itself, to any client', (source, text) => {
    const { rig, shown } = rigWith();
    rig.emitDevice({ emittedUs: AT_US, seenUs: AT_US, source, ip: '203.0.113.7', name: 'printer.local' });
    const found = { server_name: 'printer.local', server_name_source: text, server_name_age_s: 100, server_name_ambiguous: 0 };
    expect(shown({ src: '192.168.1.99' })).toEqual(found);
  });

  it('reaches flows of the other worker in the order of emission', () => {
    const rig = new WriterRig({ workers: 2 });
    const writer = rig.open();
    const given = { dst: '203.0.113.7', dstPort: 443, startUs: NOW_US, endUs: NOW_US };
    rig.emit(flow({ ...given, emittedUs: NOW_US + 10, srcPort: 1 }), 0);
    rig.emit(flow({ ...given, emittedUs: NOW_US + 30, srcPort: 2 }), 0);
    rig.emitDns(dns({ seenUs: AT_US, emittedUs: NOW_US + 20 }), 1);
    writer.step(NOW_MS, true);
    writer.close(NOW_MS);
    expect(rig.query('SELECT src_port, server_name FROM flow_view ORDER BY id')).toEqual([
      { src_port: 1, server_name: null },
      { src_port: 2, server_name: 'www.example.org' },
    ]);
  });

  it('is forgotten at the limit, least recently used first', () => {
    const rig = new WriterRig({ options: { 'names.addresses-max': 64 } });
    const writer = rig.open();
    for (let i = 0; i < 200; i++)
      rig.emitDns(dns({ seenUs: AT_US, emittedUs: AT_US + i, answers: [{ address: `203.0.113.${i}` }] }));
    writer.step(NOW_MS, true);
    writer.close(NOW_MS);
    expect(rig.writerBlock.cell(Cell.NameAddresses)).toBeLessThanOrEqual(64);
    expect(rig.writerBlock.cell(Cell.NameAddresses) + rig.writerBlock.cell(Cell.NameEvictions)).toBe(200);
  });
});
