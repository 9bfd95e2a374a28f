import { spawn } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { serialize } from 'node:v8';
import { onTestFinished } from 'vitest';
import { DeviceSource } from '../../src/ring/name-records.js';
import { TunnelType } from '../../src/ring/tunnel-type.js';
import { flow, flows, temporaryDirectory, WriterRig } from './flow-records.js';
import { dns } from './name-records.js';

const DIST = new URL('../../dist/src/', import.meta.url);
const CHILD = fileURLToPath(new URL('../fixtures/damaged-writer.mjs', import.meta.url));
/** A file that takes longer hangs. */
const FILE_MS_MAX = 30_000;

export const isBuilt = existsSync(DIST);

/** Emits something of everything. */
export function emitAll(rig: WriterRig, startUs: number): void {
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

/** A file with the memory of a run that has emitted something of everything, for `openAll`. */
export function emittedMemory(startUs: number): string {
  const rig = new WriterRig();
  emitAll(rig, startUs);
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
  return memoryFile;
}

/** How it went with a file. */
export interface Result {
  readonly path: string;
  readonly outcome: string;
  readonly code: string | null;
  readonly codes: readonly string[];
  readonly isSound: boolean | null;
}

/** What a process of its own does with the files. One that crashes or hangs is told with the file that it had in hand. `wrapper` goes before the command. */
export async function openAll(paths: readonly string[], memoryFile: string, wrapper: readonly string[] = []): Promise<Result[]> {
  const words = [...wrapper, process.execPath, CHILD, DIST.href, memoryFile];
  const child = spawn(words[0] as string, words.slice(1), { stdio: ['pipe', 'pipe', 'inherit'] });
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
