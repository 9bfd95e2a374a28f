import { existsSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { builtProgram } from '../programs/flowberry.js';
import type { LedgerCheck, LiveCounts, LiveProgram, LiveRun } from './live-program.js';
import { CAPTURE_INTERFACE, type Rig } from './rig.js';

/** Drop reasons that are a loss; the others name packets that are no flows. */
const LOSSES = ['ring_full', 'capture_crash', 'worker_crash'];

/** Threads by their kernel names; everything else of the process is `other`: main, API, the compiler, memory. */
const STAGES = { 'fb-capture': 'capture', 'fb-parse': 'parse', 'fb-writer': 'writer' } as const;

/** The file of the database in the directory of a run. */
export const DATABASE_NAME = 'flowberry.db';

/** The API's port: nobody else is in the namespace. */
export const API_URL = 'http://127.0.0.1:8417';
export const HEALTH_URL = `${API_URL}/health`;

type Sums = Record<'received' | 'in_flows' | 'dropped' | 'shed' | 'kernel' | 'kernel_dropped', number>;

interface Stored {
  readonly sums: Sums;
  readonly rows: number;
  readonly rowPackets: number;
  readonly drops: Readonly<Record<string, number>>;
}

/** Up to where a database is filled before a run: the last session and the last flow. */
interface Mark {
  readonly session: number;
  readonly flow: number;
}

const NOTHING: Mark = { session: 0, flow: 0 };

function markOf(path: string): Mark {
  const database = new Database(path, { readonly: true });
  try {
    return database
      .prepare('SELECT (SELECT max(id) FROM sessions) AS session, (SELECT max(id) FROM flows) AS flow')
      .get() as Mark;
  } finally {
    database.close();
  }
}

/** What a run has added behind the mark. */
function readStored(path: string, mark: Mark): Stored {
  const database = new Database(path, { readonly: true });
  try {
    const sums = database
      .prepare<[number], Sums>(
        `SELECT sum(frames_received) AS received, sum(packets_in_flows) AS in_flows, sum(packets_dropped) AS dropped,
           sum(packets_shed) AS shed, sum(kernel_packets) AS kernel, sum(kernel_dropped) AS kernel_dropped FROM ledger WHERE session_id > ?`,
      )
      .get(mark.session) as Sums;
    const flows = database
      .prepare<[number], { rows: number; packets: number | null }>(
        'SELECT count(*) AS rows, sum(src_packets + dst_packets) AS packets FROM flow_view WHERE id > ?',
      )
      .get(mark.flow) as { rows: number; packets: number | null };
    const drops = database
      .prepare<[number], [string, number]>(
        'SELECT key, sum(value) FROM ledger, json_each(drops) WHERE session_id > ? GROUP BY key',
      )
      .raw()
      .all(mark.session);
    return { sums, rows: flows.rows, rowPackets: flows.packets ?? 0, drops: Object.fromEntries(drops) };
  } finally {
    database.close();
  }
}

/** What the database says behind the mark after a run in which `arrived` packets came in. */
function countsOf(path: string, mark: Mark, arrived: number): LiveCounts {
  const { sums, rows, rowPackets, drops } = readStored(path, mark);
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

/**
 * The built program on one backend, free to write; else with all its defaults and `flags`. Options can be given in the environment, as
 * always. A database that lies in the directory of the run already is gone on with, and what the run adds is counted.
 */
export function liveFlowberry(backend: 'afpacket' | 'cap', flags: readonly string[] = []): LiveProgram {
  return {
    name: `flowberry-${backend}`,
    work: `flow tracking, rows committed to a SQLite file; capture by ${backend}`,
    obstacle: () => backendObstacle(backend),
    prepare: async (rig: Rig, directory: string): Promise<LiveRun> => {
      const database = join(directory, DATABASE_NAME);
      const mark = existsSync(database) ? markOf(database) : NOTHING;
      const arrivedBefore = rig.packetsArrived();
      const isLimited = Object.keys(process.env).some((name) => name.startsWith('FLOWBERRY_STORE_'));
      const limits = isLimited ? [] : UNLIMITED;
      const options = ['--interface', CAPTURE_INTERFACE, '--backend', backend, '--db', database, ...limits, ...flags];
      return {
        command: process.execPath,
        args: [builtProgram(), 'run', ...options],
        stopSignal: 'SIGTERM',
        readyText: '"capturing"',
        counts: () => countsOf(database, mark, rig.packetsArrived() - arrivedBefore),
        stages: STAGES,
        close: () => undefined,
      };
    },
  };
}
