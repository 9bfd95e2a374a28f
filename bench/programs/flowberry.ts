import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { CaptureTruth } from '../generate/packets.js';
import type { Program, ProgramFigures } from './program.js';
import { readStoredResult } from './stored-result.js';

/** What `flowberry replay --json` prints, as far as the bench reads it. */
interface ReplayReport {
  readonly packets: { readonly received: number; readonly in_flows: number; readonly dropped: Readonly<Record<string, number>> };
  readonly flows: { readonly emitted: number; readonly written: number; readonly evicted: number };
  readonly bytes: { readonly ip: number; readonly wire: number };
  readonly resources: {
    readonly rss_bytes_max: number;
    /** CPU time in ns by stage, where the system tells it. */
    readonly cpu_ns?: Readonly<Record<string, number>> | null;
  };
}

/** The built program: beside the built bench, or in `dist` when the bench runs from its sources. */
export function builtProgram(): string {
  const beside = fileURLToPath(new URL('../../src/main.js', import.meta.url));
  return existsSync(beside) ? beside : fileURLToPath(new URL('../../dist/src/main.js', import.meta.url));
}

function expectSame(what: string, found: number, expected: number): void {
  if (found !== expected) throw new Error(`wrong result: ${found} ${what} where ${expected} are right`);
}

/** A run counts only if its ledger balances and, for a generated capture, if everything in it was found. */
function checkLedger(report: ReplayReport, truth: CaptureTruth | null): number {
  const dropped = Object.values(report.packets.dropped).reduce((sum, count) => sum + count, 0);
  expectSame('packets in flows or dropped', report.packets.in_flows + dropped, report.packets.received);
  expectSame('rows written', report.flows.written, report.flows.emitted);
  if (truth === null) return dropped;
  expectSame('packets in flows', report.packets.in_flows, truth.packets);
  expectSame('IP bytes', report.bytes.ip, truth.ipBytes);
  expectSame('wire bytes', report.bytes.wire, truth.wireBytes);
  return dropped;
}

/** Capture file to committed rows, through the built program. `truth` is what the file holds, where that is known. */
export function flowberryProgram(truth: CaptureTruth | null): Program {
  let hash: string | null = null;
  /** The rows are added up after the first run; the ledger of the later ones says that they are the same. */
  const hashOf = (database: string): string => {
    if (hash !== null) return hash;
    const stored = readStoredResult(database);
    if (truth !== null) {
      expectSame('stored packets', stored.packets, truth.packets);
      expectSame('stored 5-tuples', stored.flows, truth.flows);
    }
    hash = stored.hash;
    return hash;
  };
  return {
    name: 'flowberry',
    work: 'flow tracking, rows committed to a SQLite file',
    find: () => process.execPath,
    prepare: async (path, file, directory) => {
      const database = join(directory, 'flowberry.db');
      return {
        command: path,
        args: [builtProgram(), 'replay', file, '--db', database, '--json'],
        figures: ({ stdout }): ProgramFigures => {
          const report = JSON.parse(stdout) as ReplayReport;
          const dropped = checkLedger(report, truth);
          const storedBytes = readdirSync(directory).reduce((sum, name) => sum + statSync(join(directory, name)).size, 0);
          return {
            packets: report.packets.received,
            flows: report.flows.written,
            dropped,
            evicted: report.flows.evicted,
            storedBytes,
            rssBytes: report.resources.rss_bytes_max,
            cpuNsByStage: report.resources.cpu_ns ?? null,
            resultHash: hashOf(database),
          };
        },
        close: () => undefined,
      };
    },
  };
}
