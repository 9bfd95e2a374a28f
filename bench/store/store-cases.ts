import Database from 'better-sqlite3';
import { type CaseResult, type CaseValues, type Metric, summarize } from '../result.js';
import { makeRunDirectory, removeRunDirectory } from '../temporary.js';
import { readBeside } from './readers.js';
import { StoreRig } from './store-rig.js';

/** How much each case does. */
export interface StoreSizes {
  readonly flows: number;
  /** Minutes of the cases that go by a clock. */
  readonly minutes: number;
}

export interface StoreCase {
  readonly name: string;
  run(sizes: StoreSizes): Promise<CaseResult>;
}

/** The start of a minute; every case has the same. */
const START_MS = 1_750_000_020_000;
const TICK_MS = 250;
const READERS = 10;

/** What each batch size writes; one row in a batch is slow, so it gets fewer rows. */
const BATCHES = [1, 50, 500, 5_000] as const;
const FLOWS_PER_BATCH_MAX = 400;

const SIX_INDEXES = ['src', 'dst', 'server_name', 'application', 'ports', 'end_age_us']
  .map((column) => `CREATE INDEX bench_${column} ON flows (${column});`)
  .join('');

/** Writes flows in batches of one size, as fast as it goes. */
async function writeBatches(name: string, flows: number, batch: number, values: CaseValues, sql = ''): Promise<CaseResult> {
  const directory = makeRunDirectory();
  try {
    const rig = new StoreRig({ directory, startMs: START_MS, mode: 'replay' });
    if (sql !== '') {
      const other = new Database(rig.path);
      other.exec(sql);
      other.close();
    }
    let ms = START_MS;
    for (let at = 0; at < flows; at += batch) {
      for (let i = 0; i < batch; i++) rig.emit(ms * 1000 + i);
      rig.publish();
      rig.drain(ms);
      ms += Math.max(1, Math.ceil(batch / 1000));
    }
    rig.close(ms);
    return { case: name, values: { ...values, flows: rig.flows, batch }, metrics: metricsOf(rig), result_hash: null };
  } finally {
    removeRunDirectory(directory);
  }
}

/** Writes flows at a rate, by a clock that runs as fast as the machine can. */
async function writeAtRate(
  name: string,
  rate: number,
  minutes: number,
  options: Readonly<Record<string, string>>,
  mode: 'live' | 'replay',
): Promise<CaseResult> {
  const directory = makeRunDirectory();
  try {
    const rig = new StoreRig({ directory, startMs: START_MS, mode, options });
    const ticks = (minutes * 60_000) / TICK_MS;
    const bytesAt: number[] = [];
    let most = 0;
    let due = 0;
    for (let tick = 0; tick < ticks; tick++) {
      const nowMs = START_MS + tick * TICK_MS;
      due += (rate * TICK_MS) / 1000;
      for (let i = 0; due >= 1; i++, due--) if (!rig.emit(nowMs * 1000 + i)) due = 1;
      rig.publish();
      for (let steps = 0; steps < 50 && rig.step(nowMs + TICK_MS); steps++);
      bytesAt.push(rig.bytesWritten ?? 0);
      most = Math.max(most, (bytesAt[tick] as number) - (bytesAt[tick - 60_000 / TICK_MS] ?? 0));
    }
    rig.close(START_MS + ticks * TICK_MS);
    most = Math.max(most, (rig.bytesWritten ?? 0) - (bytesAt[ticks - 60_000 / TICK_MS] ?? 0));
    const metrics = [
      ...metricsOf(rig),
      figure('written_mb_per_minute', 'lower', (rig.bytesWritten ?? 0) / minutes / 1e6),
      figure('written_mb_in_a_minute_max', 'lower', most / 1e6),
      figure('flows_left_out', null, rig.flowsShed),
    ];
    return { case: name, values: { flows_per_s: rate, minutes, ...options }, metrics, result_hash: null };
  } finally {
    removeRunDirectory(directory);
  }
}

/** Rows are those of flows and of DNS transactions; their sums and look-ups are not counted, but the time for them is. */
function metricsOf(rig: StoreRig): Metric[] {
  const written = rig.bytesWritten;
  return [
    figure('rows_per_s', 'higher', ((rig.flows + rig.transactions) * 1000) / rig.writerMs),
    figure('flows_per_s', 'higher', (rig.flows * 1000) / rig.writerMs),
    ...(written === null ? [] : [figure('written_per_flow', 'lower', written / rig.flows)]),
  ];
}

function figure(name: string, better: Metric['better'], value: number): Metric {
  return summarize(name, better, [value]);
}

/** The same rows into a table of their own, with other settings of SQLite; rows of the real table come from a rig. */
async function writeRaw(name: string, flows: number, pragmas: readonly string[]): Promise<CaseResult> {
  const directory = makeRunDirectory();
  try {
    const rig = new StoreRig({ directory, startMs: START_MS, mode: 'replay', isMixed: false });
    for (let i = 0; i < flows; i++) {
      if (rig.emit(START_MS * 1000 + i * 10)) continue;
      rig.publish();
      rig.drain(START_MS);
      i--;
    }
    rig.publish();
    rig.close(START_MS);
    const source = new Database(rig.path, { readonly: true });
    const rows = source.prepare<[], unknown[]>('SELECT * FROM flows').raw().all();
    const sql = source.prepare<[], string>("SELECT sql FROM sqlite_schema WHERE name = 'flows'").pluck().get() as string;
    source.close();
    const before = rig.bytesWritten ?? 0;
    const db = new Database(`${directory}/raw.db`);
    for (const pragma of pragmas) db.pragma(pragma);
    db.exec(sql);
    const insert = db.prepare(`INSERT INTO flows VALUES (${(rows[0] ?? []).map(() => '?').join()})`);
    const batch = db.transaction((from: number) => {
      for (const row of rows.slice(from, from + RAW_BATCH)) insert.run(...row);
    });
    const startedMs = performance.now();
    for (let from = 0; from < rows.length; from += RAW_BATCH) batch(from);
    const elapsedS = (performance.now() - startedMs) / 1000;
    db.close();
    const written = (rig.bytesWritten ?? 0) - before;
    const metrics = [
      figure('rows_per_s', 'higher', rows.length / elapsedS),
      figure('written_per_flow', 'lower', written / rows.length),
    ];
    return {
      case: name,
      values: { flows: rows.length, batch: RAW_BATCH, pragmas: pragmas.join('; ') },
      metrics,
      result_hash: null,
    };
  } finally {
    removeRunDirectory(directory);
  }
}

const RAW_BATCH = 250;

const WAL = ['page_size = 2048', 'journal_mode = WAL', 'synchronous = NORMAL', 'wal_autocheckpoint = 8000'] as const;

/** Every case, in the order of the report. */
export const STORE_CASES: readonly StoreCase[] = [
  ...BATCHES.map(
    (batch): StoreCase => ({
      name: `batch_${batch}`,
      run: ({ flows }) =>
        writeBatches(`batch_${batch}`, Math.min(flows, batch * FLOWS_PER_BATCH_MAX * 10), batch, { indexes: 'none' }),
    }),
  ),
  {
    name: 'six_indexes',
    run: ({ flows }) => writeBatches('six_indexes', Math.min(flows, 20_000), 50, { indexes: 'six, as a warning' }, SIX_INDEXES),
  },
  { name: 'rate_50', run: ({ minutes }) => writeAtRate('rate_50', 50, minutes, { 'store.profile': 'sd' }, 'replay') },
  { name: 'rate_50_ssd', run: ({ minutes }) => writeAtRate('rate_50_ssd', 50, minutes, { 'store.profile': 'ssd' }, 'replay') },
  {
    name: 'rate_1000',
    run: ({ minutes }) => writeAtRate('rate_1000', 1_000, Math.ceil(minutes / 10), { 'store.profile': 'sd' }, 'replay'),
  },
  {
    name: 'budget_1000',
    run: ({ minutes }) => writeAtRate('budget_1000', 1_000, Math.ceil(minutes / 4), { 'store.profile': 'sd' }, 'live'),
  },
  { name: 'wal', run: ({ flows }) => writeRaw('wal', flows, WAL) },
  {
    name: 'journal_delete',
    run: ({ flows }) =>
      writeRaw('journal_delete', Math.min(flows, 20_000), ['page_size = 2048', 'journal_mode = DELETE', 'synchronous = NORMAL']),
  },
  { name: 'sqlite_defaults', run: ({ flows }) => writeRaw('sqlite_defaults', Math.min(flows, 20_000), []) },
  {
    name: 'wal_full',
    run: ({ flows }) => writeRaw('wal_full', flows, [...WAL.slice(0, 2), 'synchronous = FULL', ...WAL.slice(3)]),
  },
  {
    name: 'readers',
    run: async ({ flows }) => {
      const directory = makeRunDirectory();
      try {
        const { latenciesMs, rowsLost, rowsPerS } = await readBeside(directory, START_MS, flows, READERS);
        const sorted = [...latenciesMs].sort((a, b) => a - b);
        const at = (part: number): number => sorted[Math.max(0, Math.ceil(sorted.length * part) - 1)] ?? 0;
        const metrics = [
          figure('rows_per_s', 'higher', rowsPerS),
          figure('query_median_ms', 'lower', at(0.5)),
          figure('query_p95_ms', 'lower', at(0.95)),
          figure('query_max_ms', null, at(1)),
          figure('queries', null, sorted.length),
          figure('rows_lost', 'lower', rowsLost),
        ];
        return { case: 'readers', values: { flows, readers: READERS }, metrics, result_hash: null };
      } finally {
        removeRunDirectory(directory);
      }
    },
  },
];
