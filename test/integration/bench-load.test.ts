import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { type BenchReport, type CaseResult, metricOf } from '../../bench/result.js';
import { program, temporaryDirectory } from '../helpers/daemon.js';
import { namespaceObstacle } from '../helpers/network-namespace.js';

const obstacle = namespaceObstacle();

/** A capture of its own, so that no other bench is asked to write the same file. */
const SMALL = ['--packets', '2000', '--flows', '200'];

async function bench(...args: readonly string[]): Promise<BenchReport> {
  const directory = temporaryDirectory();
  const { stdout } = await promisify(execFile)(process.execPath, [program, 'bench', ...args, ...SMALL, '--json'], {
    env: { ...process.env, TMPDIR: directory },
  });
  expect(readdirSync(directory).filter((name) => name.includes('-run-'))).toEqual([]);
  return JSON.parse(stdout) as BenchReport;
}

const figure = (result: CaseResult, name: string): number => metricOf(result, name)?.median ?? Number.NaN;

describe.skipIf(obstacle !== null)(`the bench of a daemon under load${obstacle ? ` (${obstacle})` : ''}`, () => {
  it('asks a daemon with a history for everything while it captures, and looks at /health in a flood', async () => {
    const users = ['--users', '4', '--requests', '30', '--pause', '5'];
    const { results } = await bench('api', '--rate', '2k', '--history', '3000', '--flood', '4k', '--seconds', '1', ...users);
    expect(results.map((result) => result.case)).toEqual(['api-ingest', 'api-flood']);
    const [ingest, flood] = results as [CaseResult, CaseResult];
    expect(ingest.values).toMatchObject({ users: 4, requests_per_user: 30, flows: 3000, rate: 2000 });
    expect(figure(ingest, 'answered_percent')).toBe(100);
    for (const result of [ingest, flood]) {
      expect(figure(result, 'ledger_difference')).toBe(0);
      expect(figure(result, 'packets_per_s')).toBeGreaterThan(0);
      expect(figure(result, 'health_p99_ms')).toBeGreaterThan(0);
    }
  });

  it('tells clients of the live stream everything, and has others that never read', async () => {
    const { results } = await bench('stream', '--seconds', '8', '--clients', '6', '--deaf', '2', '--messages', '100');
    const [stream] = results as [CaseResult];
    expect(stream).toMatchObject({ case: 'stream', values: { clients: 6, deaf: 2 } });
    expect(stream.notes?.join()).toContain('6 clients at most');
    for (const name of ['missed_flows', 'told_dropped', 'disordered_flows', 'fast_clients_lost', 'ledger_difference'])
      expect(figure(stream, name), name).toBe(0);
    for (const name of ['messages_per_s', 'sent_bytes_per_s', 'rss_bytes_before', 'rss_bytes_while'])
      expect(figure(stream, name), name).toBeGreaterThan(0);
  });
});
