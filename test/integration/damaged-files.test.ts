import { spawn } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { serialize } from 'node:v8';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Random } from '../../bench/generate/random.js';
import { DeviceSource } from '../../src/ring/name-records.js';
import { TunnelType } from '../../src/ring/tunnel-type.js';
import { damage } from '../helpers/damage.js';
import { flow, flows, NOW_MS, temporaryDirectory, WriterRig } from '../helpers/flow-records.js';
import { dns } from '../helpers/name-records.js';

const DIST = new URL('../../dist/src/', import.meta.url);
const CHILD = fileURLToPath(new URL('../fixtures/damaged-writer.mjs', import.meta.url));

/** `npm run test:damage` takes all of them. */
const FILES = process.env['DAMAGE'] === 'all' ? 500 : 40;
/** A file that takes longer hangs. */
const FILE_MS_MAX = 30_000;
const NOW_US = NOW_MS * 1000;

/** Emits something of everything. */
function emitAll(rig: WriterRig, startUs: number): void {
  rig.emitAll(flows(150, { emittedUs: startUs }));
  for (let i = 0; i < 40; i++) {
    const emittedUs = startUs + 1e6 + i * 1000;
    rig.emit(flow({ src: `2001:db8::${i + 1}`, dst: '2001:db8:1::1', emittedUs, protocol: 6, retransmits: [i, 1] }));
    rig.emit(flow({ emittedUs: emittedUs + 2, tunnel: { type: TunnelType.Vxlan, id: i, addresses: ['10.0.0.1', '10.0.0.2'] } }));
    rig.emitDns(dns({ seenUs: emittedUs, query: `host-${i}.example` }));
    rig.emitDevice({
      emittedUs,
      seenUs: emittedUs,
      mac: `02:00:00:00:00:${(i + 16).toString(16)}`,
      ip: `10.0.1.${i}`,
      name: `device-${i}`,
      source: DeviceSource.Dhcp,
    });
  }
}

interface Sample {
  readonly database: Buffer;
  /** The write-ahead log, of a database that was copied while it was open. */
  readonly log: Buffer | null;
}

/** A database that was closed, and one of a process that was killed. */
function samples(): Sample[] {
  const closed = new WriterRig({ options: { 'ring.flow-bytes': 1_048_576 } });
  const writer = closed.open();
  for (let round = 0; round < 12; round++) {
    emitAll(closed, NOW_US + round * 1e7);
    while (writer.step(NOW_MS + round * 10_000, true));
  }
  writer.close(NOW_MS + 120_000);
  const killed = join(temporaryDirectory(), 'flowberry.db');
  copyFileSync(closed.path, killed);
  const later = new WriterRig({ path: killed, options: { 'ring.flow-bytes': 1_048_576 } });
  const second = later.open(NOW_MS + 200_000);
  emitAll(later, NOW_US + 2e8);
  while (second.step(NOW_MS + 200_000, true));
  const sample = { database: readFileSync(killed), log: readFileSync(`${killed}-wal`) };
  second.abandon();
  return [{ database: readFileSync(closed.path), log: null }, sample];
}

/** Writes damaged databases, each in a directory of its own, the same ones each time. */
function writeDamaged(count: number): string[] {
  const random = new Random(20261121);
  const made = samples();
  const directory = temporaryDirectory();
  return Array.from({ length: count }, (_, index) => {
    const { database, log } = made[index % made.length] as Sample;
    const path = join(directory, String(index), 'flowberry.db');
    mkdirSync(dirname(path));
    const isLogDamaged = log !== null && random.below(2) === 0;
    writeFileSync(path, isLogDamaged ? database : damage(database, random));
    if (log) writeFileSync(`${path}-wal`, isLogDamaged ? damage(log, random) : log);
    return path;
  });
}

interface Result {
  readonly path: string;
  readonly outcome: string;
  readonly code: string | null;
  readonly codes: readonly string[];
  readonly isSound: boolean | null;
}

/** What a process of its own does with the files. One that crashes or hangs is told with the file that it had in hand. */
async function openAll(paths: readonly string[], memoryFile: string): Promise<Result[]> {
  const child = spawn(process.execPath, [CHILD, DIST.href, memoryFile], { stdio: ['pipe', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  const results: Result[] = [];
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  for (const path of paths) {
    child.stdin.write(`${path}\n`);
    const timer = setTimeout(() => child.kill('SIGKILL'), FILE_MS_MAX);
    const { value, done } = await lines.next();
    clearTimeout(timer);
    if (done) throw new Error(`the process crashed or hung at ${path}: exit code ${child.exitCode}, signal ${child.signalCode}`);
    results.push(JSON.parse(value as string) as Result);
  }
  child.stdin.end();
  return results;
}

describe.skipIf(!existsSync(DIST))('damaged databases (needs npm run build)', () => {
  it(`${FILES} of them are opened or set aside, and none crashes, hangs or stops the process`, { timeout: 600_000 }, async () => {
    const rig = new WriterRig();
    emitAll(rig, NOW_US + 3e8);
    const { capture, parse, flowRings, interfaces } = rig.memory;
    const bytesOf = (memory: SharedArrayBuffer | undefined) => Buffer.from(new Uint8Array(memory as SharedArrayBuffer));
    const memoryFile = join(temporaryDirectory(), 'memory');
    writeFileSync(
      memoryFile,
      serialize({
        capture: bytesOf(capture),
        parse: bytesOf(parse[0]),
        flowRings: bytesOf(flowRings[0]),
        interfaces: bytesOf(interfaces),
      }),
    );
    const results = await openAll(writeDamaged(FILES), memoryFile);
    const counts: Record<string, number> = {};
    for (const { outcome, code } of results) {
      const name = outcome === 'refused' ? `refused, ${code}` : outcome;
      counts[name] = (counts[name] ?? 0) + 1;
    }
    console.log(JSON.stringify(counts));
    expect(results.filter(({ outcome }) => outcome === 'defect' || outcome === 'stuck')).toEqual([]);
    // What does not even say any more that it is ours, or says that it is of tomorrow, is left alone.
    const refused = results.filter(({ outcome }) => outcome === 'refused');
    expect(refused.filter(({ code }) => !['DATABASE_FOREIGN', 'DATABASE_NEWER'].includes(code ?? ''))).toEqual([]);
    expect(refused.length).toBeLessThan(FILES / 10);
    expect(results.filter(({ isSound }) => isSound === false).map(({ path }) => basename(dirname(path)))).toEqual([]);
  });
});
