import { join } from 'node:path';
import Database from 'better-sqlite3';
import { builtProgram } from '../programs/flowberry.js';
import type { LedgerCheck, LiveCounts, LiveProgram, LiveRun } from './live-program.js';
import { CAPTURE_INTERFACE, type Rig } from './rig.js';

/** Drop reasons that are a loss; the others name packets that are no flows. */
const LOSSES = ['ring_full', 'capture_crash', 'worker_crash'];

/** Threads by their kernel names; everything else of the process is `other`: main, API, the compiler, memory. */
const STAGES = { 'fb-capture': 'capture', 'fb-parse': 'parse', 'fb-writer': 'writer' } as const;

/** The API's port: nobody else is in the namespace. */
export const HEALTH_URL = 'http://127.0.0.1:8417/health';

type Sums = Record<'received' | 'in_flows' | 'dropped' | 'shed' | 'kernel' | 'kernel_dropped', number>;

interface Stored {
  readonly sums: Sums;
  readonly rows: number;
  readonly rowPackets: number;
  readonly drops: Readonly<Record<string, number>>;
}

function readStored(path: string): Stored {
  const database = new Database(path, { readonly: true });
  try {
    const sums = database
      .prepare<[], Sums>(
        `SELECT sum(frames_received) AS received, sum(packets_in_flows) AS in_flows, sum(packets_dropped) AS dropped,
           sum(packets_shed) AS shed, sum(kernel_packets) AS kernel, sum(kernel_dropped) AS kernel_dropped FROM ledger`,
      )
      .get() as Sums;
    const flows = database
      .prepare<[], { rows: number; packets: number | null }>(
        'SELECT count(*) AS rows, sum(src_packets + dst_packets) AS packets FROM flow_view',
      )
      .get() as { rows: number; packets: number | null };
    const drops = database
      .prepare<[], [string, number]>('SELECT key, sum(value) FROM ledger, json_each(drops) GROUP BY key')
      .raw()
      .all();
    return { sums, rows: flows.rows, rowPackets: flows.packets ?? 0, drops: Object.fromEntries(drops) };
  } finally {
    database.close();
  }
}

/** What the database says after a run in which `arrived` packets came in. */
function countsOf(path: string, arrived: number): LiveCounts {
  const { sums, rows, rowPackets, drops } = readStored(path);
  const lost = LOSSES.reduce((sum, reason) => sum + (drops[reason] ?? 0), 0);
  const ledger: LedgerCheck = {
    arrived_less_kernel: arrived - sums.kernel,
    kernel_less_received: sums.kernel - sums.kernel_dropped - sums.received,
    received_less_ledger: sums.received - sums.in_flows - sums.dropped,
    ledger_less_rows: sums.in_flows - sums.shed - rowPackets,
  };
  return {
    received: sums.received,
    kernelDropped: sums.kernel_dropped,
    ownDropped: lost + sums.shed,
    stored: rowPackets,
    ignored: sums.dropped - lost,
    rows,
    ledger,
  };
}

/** Why the backend cannot be had, or null. */
async function backendObstacle(backend: 'afpacket' | 'cap'): Promise<string | null> {
  if (backend === 'afpacket') return null;
  return await import('cap').then(
    () => null,
    () => 'the package cap is not built',
  );
}

/** Limits that spare a card would leave rows out at most rates that are worth a bench. */
const UNLIMITED = ['soft', 'hard'].flatMap((limit) => [`--store-write-bytes-per-minute-${limit}`, '100000000000']);

/** The built program on one backend, free to write; else with all its defaults. Options can be given in the environment, as always. */
export function liveFlowberry(backend: 'afpacket' | 'cap'): LiveProgram {
  return {
    name: `flowberry-${backend}`,
    work: `flow tracking, rows committed to a SQLite file; capture by ${backend}`,
    obstacle: () => backendObstacle(backend),
    prepare: async (rig: Rig, directory: string): Promise<LiveRun> => {
      const database = join(directory, 'flowberry.db');
      const arrivedBefore = rig.packetsArrived();
      const isLimited = Object.keys(process.env).some((name) => name.startsWith('FLOWBERRY_STORE_'));
      const limits = isLimited ? [] : UNLIMITED;
      const options = ['--interface', CAPTURE_INTERFACE, '--backend', backend, '--db', database, ...limits];
      return {
        command: process.execPath,
        args: [builtProgram(), 'run', ...options],
        stopSignal: 'SIGTERM',
        readyText: '"capturing"',
        counts: () => countsOf(database, rig.packetsArrived() - arrivedBefore),
        stages: STAGES,
        close: () => undefined,
      };
    },
  };
}
