import { join } from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { captureNames, capturePath, expectedDns, expectedSni, hasCaptures } from '../helpers/captures.js';
import { replay, temporaryDirectory } from '../helpers/daemon.js';

const WHOLE_FILE = ['--idle-timeout', '0', '--active-timeout', '0', '--flows-active-max', '10000'];

/**
 * Captures whose DNS is not compared, and why: pointers that point forwards are refused (RFC 9267 section 2); a message that an ICMP
 * error quotes was read when it was sent, or not at all.
 */
const NOT_COMPARED: ReadonlySet<string> = new Set(['tcpdump__dns_fwdptr.pcap', 'zeek__icmp-destunreach-udp.pcap']);

/** Addresses of name servers, which stand in the additional section: they are no answers to the question. */
const GLUE: ReadonlySet<string> = new Set(['208.80.152.130', '208.80.152.142', '91.198.174.4']);

async function stored<T>(capture: string, sql: string): Promise<T[]> {
  const path = join(temporaryDirectory(), 'flows.db');
  const { exitCode } = await replay([capturePath(capture), '--db', path, ...WHOLE_FILE]);
  expect(exitCode).toBe(0);
  const database = new Database(path, { readonly: true });
  const rows = database.prepare<[], T>(sql).all();
  database.close();
  return rows;
}

const withSni = captureNames.filter((name) => expectedSni(name).length > 0);
const withDns = captureNames.filter((name) => !NOT_COMPARED.has(name) && expectedDns(name).length > 0);

describe.skipIf(!hasCaptures)(
  'names in real captures, compared with tshark (needs the folder of captures beside the project)',
  () => {
    it.each(withSni)('%s: names of servers', async (name) => {
      const flows = await stored<Record<string, string | number>>(name, 'SELECT * FROM flow_view');
      const found = new Map(
        flows.map((flow) => [`${flow['src_ip']} ${flow['src_port']} ${flow['dst_ip']} ${flow['dst_port']}`, flow]),
      );
      for (const { key, server } of expectedSni(name)) {
        const { server_name, server_name_source, application, tls_version, ja4 } = found.get(key) ?? {};
        expect([key, server_name]).toEqual([key, server]);
        expect([server_name_source, application]).toEqual(
          expect.arrayContaining([expect.stringMatching(/^(sni|quic)$/), expect.stringMatching(/^(tls|quic|http)$/)]),
        );
        expect(tls_version).toMatch(/^TLS 1\.[0-3]$/);
        expect(ja4).toMatch(/^[tq]1[0-3]d\d{4}.._[0-9a-f]{12}_[0-9a-f]{12}$/);
      }
    });

    it.each(withDns)('%s: DNS questions and answers', async (name) => {
      const rows = await stored<{
        query: string;
        answers: string | null;
        latency_us: number | null;
        response_code: string | null;
      }>(name, 'SELECT query, answers, latency_us, response_code FROM dns_view');
      const answersOf = new Map<string, Set<string>>();
      for (const { query, answers } of rows) {
        const known = answersOf.get(query) ?? new Set();
        for (const answer of answers?.split(',') ?? []) known.add(answer);
        answersOf.set(query, known);
      }
      const missing: string[] = [];
      for (const { frame, isResponse, questions, answers } of expectedDns(name))
        for (const question of questions) {
          const known = answersOf.get(question);
          if (!known) missing.push(`frame ${frame}: ${question}`);
          // The answers in an mDNS query are what its sender knows already.
          if (isResponse)
            missing.push(
              ...answers
                .filter((answer) => known && !known.has(answer) && !GLUE.has(answer))
                .map((answer) => `${frame}: ${answer}`),
            );
        }
      expect(missing).toEqual([]);
      for (const { latency_us, response_code } of rows)
        if (latency_us !== null) expect([latency_us >= 0, response_code]).toEqual([true, expect.any(String)]);
    });

    it('flows to an address that DNS has named bear that name', async () => {
      const rows = await stored<Record<string, string | number | null>>(
        'pcapplusplus__example.pcap',
        `SELECT server_name, server_name_source, server_name_age_s, dst_ip FROM flow_view WHERE server_name_source = 'dns'`,
      );
      expect(rows.length).toBeGreaterThan(10);
      for (const row of rows) expect(row['server_name_age_s']).toBeGreaterThanOrEqual(0);
    });

    it('every connection with an answer of HTTP has its status, also between padded frames', async () => {
      const statuses = await stored<{ status: number }>(
        'pcapplusplus__example.pcap',
        'SELECT http_status AS status FROM flow_view WHERE http_status IS NOT NULL',
      );
      // tshark -Y http.response -T fields -e tcp.stream | sort -u | wc -l
      expect(statuses.length).toBe(47);
    });

    it('a forward pointer in a name is no name', async () => {
      const rows = await stored<{ query: string }>('tcpdump__dns_fwdptr.pcap', 'SELECT query FROM dns_view');
      for (const { query } of rows) expect(query.length).toBeLessThanOrEqual(253);
    });
  },
);
