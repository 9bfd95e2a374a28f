import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { HttpCounts } from '../../src/api/http/counts.js';
import { LiveHub } from '../../src/api/live/live-hub.js';
import { Metrics } from '../../src/api/metrics.js';
import { DROP_REASONS, Drop } from '../../src/ring/drop-reason.js';
import { LinkTable } from '../../src/ring/link-table.js';
import { Cell, type ThreadBlock } from '../../src/ring/thread-block.js';
import { ApiPipeline } from '../helpers/api-pipeline.js';

interface Family {
  readonly type: string;
  readonly help: string;
  readonly series: Map<string, number>;
}

const NAME = '[a-zA-Z_:][a-zA-Z0-9_:]*';
const LABEL = '[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\\\\n]|\\\\["\\\\n])*"';
const SAMPLE = new RegExp(`^(${NAME})(?:\\{(${LABEL}(?:,${LABEL})*)\\})? (-?(?:\\d+(?:\\.\\d+)?(?:e[+-]?\\d+)?|\\+?Inf)|NaN)$`);

/** Reads Prometheus' text format 0.0.4, and refuses everything that a strict reader would. */
function parse(text: string): Map<string, Family> {
  expect(text.endsWith('\n')).toBe(true);
  const families = new Map<string, Family>();
  let help: [string, string] | null = null;
  let current = '';
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const comment = /^# (HELP|TYPE) (\S+) (.+)$/.exec(line);
    if (comment) {
      const [, kind, name = '', rest = ''] = comment;
      if (kind === 'HELP') {
        expect(families.has(name), `second HELP of ${name}`).toBe(false);
        help = [name, rest];
        continue;
      }
      expect(help?.[0], `TYPE of ${name} without HELP before it`).toBe(name);
      expect(['counter', 'gauge']).toContain(rest);
      families.set(name, { type: rest, help: help?.[1] ?? '', series: new Map() });
      current = name;
      continue;
    }
    const sample = SAMPLE.exec(line);
    expect(sample, `not a sample: ${line}`).not.toBeNull();
    const [, name = '', labels = '', value = ''] = sample as RegExpExecArray;
    expect(name, 'a sample outside its family').toBe(current);
    const key = labels.split(',').sort().join(',');
    const family = families.get(name) as Family;
    expect(family.series.has(key), `second ${name}{${key}}`).toBe(false);
    family.series.set(key, Number(value));
  }
  return families;
}

const scrape = async (metrics: Metrics, pipeline: ApiPipeline): Promise<Map<string, Family>> =>
  parse(await metrics.render(pipeline.monitor.metricInput()));

describe('the metrics', () => {
  it('are well-formed and named by the rules', async () => {
    const families = await scrape(new Metrics(), new ApiPipeline().running());
    expect(families.size).toBeGreaterThan(30);
    for (const [name, { type, help }] of families) {
      expect(name).toMatch(/^(flowberry|process)_[a-z0-9_]+$/);
      expect(name.endsWith('_total'), `${name} is a ${type}`).toBe(type === 'counter');
      expect(name).not.toMatch(/_(ms|us|kib|mb|percent)(_total)?$/);
      expect(help).toMatch(/\.$/);
    }
  });

  it('are well-formed before anything runs', async () => {
    const families = await scrape(new Metrics(), new ApiPipeline());
    expect(families.get('flowberry_thread_running')?.series.get('thread="writer"')).toBe(0);
    expect(families.get('flowberry_thread_heartbeat_age_seconds')?.series.size).toBe(0);
  });

  it('show the counters as they are at each scrape', async () => {
    const pipeline = new ApiPipeline().running();
    const metrics = new Metrics();
    pipeline.receive(100, 0);
    pipeline.receive(50, 1);
    pipeline.drop(2, Drop.Arp, pipeline.parse[0] as ThreadBlock);
    pipeline.add(pipeline.capture, Cell.KernelDropped, 9);
    pipeline.add(pipeline.writer, Cell.CommitMs, 1_500);
    pipeline.add(pipeline.writer, Cell.BatchesWritten, 3);
    pipeline.push(pipeline.memory.flowRings[1], 992);
    const value = (families: Map<string, Family>, name: string, labels = ''): number | undefined =>
      families.get(name)?.series.get(labels);

    const first = await scrape(metrics, pipeline);
    expect(value(first, 'flowberry_received_packets_total')).toBe(152);
    expect(value(first, 'flowberry_received_wire_bytes_total')).toBe(15_000);
    expect(value(first, 'flowberry_flow_packets_total', 'worker="1"')).toBe(50);
    expect(value(first, 'flowberry_dropped_packets_total', 'reason="arp"')).toBe(2);
    expect(value(first, 'flowberry_dropped_packets_total', 'reason="llc"')).toBe(0);
    expect(value(first, 'flowberry_kernel_dropped_packets_total')).toBe(9);
    expect(value(first, 'flowberry_writer_commit_seconds_total')).toBe(1.5);
    expect(value(first, 'flowberry_written_batches_total')).toBe(3);
    expect(value(first, 'flowberry_ring_used_bytes', 'ring="flows",worker="1"')).toBe(1_000);
    expect(value(first, 'flowberry_thread_running', 'thread="parse-0"')).toBe(1);
    expect(value(first, 'flowberry_health_status', 'status="degraded"')).toBe(1);
    expect(value(first, 'flowberry_health_status', 'status="ok"')).toBe(0);
    expect(value(first, 'flowberry_ledger_balanced')).toBe(1);
    expect(value(first, 'process_resident_memory_bytes')).toBeGreaterThan(1e6);

    pipeline.receive(8, 0);
    const second = await scrape(metrics, pipeline);
    expect(value(second, 'flowberry_received_packets_total')).toBe(160);
    expect(value(second, 'flowberry_flow_packets_total', 'worker="0"')).toBe(108);
  });

  it('have bounded labels', async () => {
    const families = await scrape(new Metrics(), new ApiPipeline().running());
    const names = new Set(
      [...families.values()].flatMap(({ series }) => [...series.keys()].flatMap((key) => key.match(/\w+(?==")/g) ?? [])),
    );
    expect([...names].sort()).toEqual(['mode', 'reason', 'ring', 'status', 'step', 'thread', 'version', 'worker']);
    expect(families.get('flowberry_dropped_packets_total')?.series.size).toBe(DROP_REASONS.length - 1);
  });

  /** What the API counts of itself, after a query or two. */
  const api = {
    counts: Object.assign(new HttpCounts(), { connectionsOpen: 3, sentBytes: 9 }),
    queries: {
      running: 1,
      waiting: 2,
      timeouts: 3,
      joined: 4,
      exports: 5,
      cacheHits: 6,
      cacheMisses: 7,
      cacheEntries: 8,
      cacheBytes: 9,
      byQuery: [['flows', { count: 10, failed: 1, sumMs: 2_500, maxMs: 700, slow: 2 }]] as const,
    },
    live: { ...new LiveHub().state(), clients: 4, waitingBytes: 5, dropped: 6, closedSlow: 7 },
  };
  const withApi = (pipeline: ApiPipeline) => new Metrics().render({ ...pipeline.monitor.metricInput(), api });

  it('tell of the API, by endpoint and never by client', async () => {
    const families = parse(await withApi(new ApiPipeline().running()));
    const value = (name: string, labels = ''): number | undefined => families.get(name)?.series.get(labels);
    expect(value('flowberry_api_connections')).toBe(3);
    expect(value('flowberry_api_refused_total', 'reason="token"')).toBe(0);
    expect(value('flowberry_api_answers_total', 'status="5xx"')).toBe(0);
    expect(value('flowberry_api_query_seconds_total', 'query="flows"')).toBe(2.5);
    expect(value('flowberry_api_query_max_seconds', 'query="flows"')).toBe(0.7);
    expect(value('flowberry_api_queries_total', 'query="flows"')).toBe(10);
    expect(value('flowberry_live_clients')).toBe(4);
    expect(value('flowberry_live_waiting_bytes')).toBe(5);
    expect(value('flowberry_live_dropped_messages_total')).toBe(6);
    expect(value('flowberry_live_closed_slow_total')).toBe(7);
  });

  it('have every counter of every thread', async () => {
    const source = readFileSync(new URL('../../src/ring/thread-block.ts', import.meta.url), 'utf8');
    const [, cells = ''] = /const enum Cell \{\n(.*?)^\}/ms.exec(source) ?? [];
    const numbers = new Map([...cells.matchAll(/^ {2}(\w+) = (\d+),$/gm)].map(([, name = '', number]) => [name, Number(number)]));
    expect(numbers.size).toBeGreaterThan(40);
    // Shown in another way (age, restarts, port), of no use outside, or those of replays, which have no API.
    for (const name of [
      'HeartbeatMs',
      'Starts',
      'Blocked',
      'FramesPublished',
      'InputBytesRead',
      'InputBytesTotal',
      'ApiPort',
      'Drops',
      // Told by /health: what is wrong with the file.
      'RetentionTrouble',
      'WriteFault',
      // Told by /health under io, or as a label.
      ...['IoTodayBytes', 'IoDeviceMinuteBytes', 'IoDeviceTodayBytes', 'IoTotalFlows', 'IoTotalSeconds'],
      ...['IoHourMinutes', 'IoHourBytes', 'IoHourBytesMax', 'BudgetStep'],
      // For a successor of the writer.
      'LossRounds',
      'FileDevice',
      'FileInode',
    ])
      numbers.delete(name);
    // Needed to take over a flow table: what was emitted is counted by records and packets.
    for (const name of ['IpBytesEmitted', 'WireBytesEmitted', 'IpBytesLost', 'WireBytesLost', 'IpBytesShed', 'WireBytesShed'])
      numbers.delete(name);
    const hidden: string[] = [];
    for (const [name, cell] of numbers) {
      const pipeline = new ApiPipeline().running();
      for (const block of [pipeline.capture, pipeline.writer, ...pipeline.parse]) block.cells[cell] = 123_456_789_000;
      if (
        !/123456789/.test((await withApi(pipeline)).replaceAll('.', '')) &&
        !['WriteFailing', 'FileDamaged', 'SaveRunning'].includes(name)
      )
        hidden.push(name);
    }
    expect(hidden, 'cells that no metric shows: add them to src/api/metric-table.ts').toEqual([]);
  }, 60_000);

  it.skipIf(!hasPromtool())('are clean by promtool (needs Prometheus)', async () => {
    const pipeline = new ApiPipeline().running();
    new LinkTable(pipeline.memory.links).add(0, 'eth0');
    const output = execFileSync('promtool', ['check', 'metrics'], {
      input: await withApi(pipeline),
      encoding: 'utf8',
    });
    expect(output).toBe('');
  });
});

function hasPromtool(): boolean {
  try {
    execFileSync('promtool', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
