import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { createThreadBlock, ThreadBlock } from '../../src/ring/thread-block.js';
import { Addresses } from '../../src/store/addresses.js';
import { REFERRERS } from '../../src/store/check.js';
import { KINDS } from '../../src/store/rollup/kinds.js';
import { LEVEL_NAMES } from '../../src/store/rollup/levels.js';
import { Texts } from '../../src/store/texts.js';
import { Slices } from '../../src/store/upkeep/slices.js';
import { Sweep } from '../../src/store/upkeep/sweep.js';
import { UpkeepNotes } from '../../src/store/upkeep/upkeep-notes.js';
import { flow, NOW_MS, WriterRig } from '../helpers/flow-records.js';
import { dns } from '../helpers/name-records.js';
import { idOf } from '../helpers/texts.js';
import { DAY_MS, databaseOf, failedChecks, HOUR_MS } from '../helpers/upkeep.js';

/** Tables without ids of texts or addresses. A new table stands here or in `REFERRERS`, or its names are swept away under it. */
const WITHOUT_IDS = [
  ...['meta', 'interfaces', 'addresses', 'texts', 'sessions', 'ledger', 'gaps', 'nic_losses', 'pruned', 'upkeep'],
  ...['flow_trouble', 'devices', 'device_notes', 'alerts', 'rollup_state', 'lookup', 'lookup_blocks', 'lookup_runs'],
  ...['bytes_written', 'host_samples', 'unwritten', 'file_events'],
];
const ROWS_MAX = 40;
/** They refer to names and addresses for longer than rows do. */
const ROLLUPS = LEVEL_NAMES.flatMap((level) => Object.keys(KINDS).map((kind) => `rollup_${kind}_${level}`));

describe('the sweep of texts and addresses', () => {
  it('knows every table', () => {
    const rig = new WriterRig();
    rig.store([]);
    const tables = rig
      .query<{ name: string }>(`SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'`)
      .map(({ name }) => name);
    expect([...new Set([...REFERRERS.map(({ table }) => table), ...WITHOUT_IDS])].sort()).toEqual(tables.sort());
  });

  /** A database with flows and names of which the first `count` are gone, and a sweep of it with small caps. */
  function sweptOf(rig: WriterRig) {
    const db = new Database(rig.path);
    const texts = new Texts(db, ROWS_MAX);
    const addresses = new Addresses(db, ROWS_MAX);
    const log: string[] = [];
    const table = (ids: Texts['swept'], held: number[] = []) => ({ ids, rowsMax: ROWS_MAX, alsoHeld: () => held });
    const held: number[] = [];
    const needs: boolean[] = [];
    const start = (): Sweep =>
      new Sweep(
        rig.path,
        { texts: table(texts.swept, held), addresses: table(addresses.swept) },
        () => needs.shift() ?? false,
        new UpkeepNotes(db),
        new Slices(db, new ThreadBlock(createThreadBlock())),
        rig.scanFile,
        (_, message) => log.push(message),
        NOW_MS,
      );
    /** Runs the sweep until it is not due for an hour. `meanwhile` comes between the scan and the deleting. */
    const run = async (sweep: Sweep, meanwhile: () => void = () => undefined): Promise<void> => {
      let nowMs = NOW_MS + DAY_MS;
      sweep.step(nowMs, 20);
      meanwhile();
      while (sweep.dueMs < nowMs + HOUR_MS / 2) {
        nowMs = Math.max(nowMs, sweep.dueMs);
        sweep.step(nowMs, 20);
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    };
    return { db, texts, addresses, log, held, needs, start, run };
  }

  /** Thirty names and addresses, two of each row; the rows of the first twenty are deleted. */
  function halfGone(): WriterRig {
    const rig = new WriterRig();
    const writer = rig.open();
    for (let index = 0; index < 30; index++) {
      const address = `2001:db8::${index.toString(16)}`;
      const emittedUs = (NOW_MS + index) * 1000;
      if (index % 2) rig.emit(flow({ emittedUs, src: address, dst: '2001:db8::1', details: { sni: `n${index}` } }));
      else rig.emitDns(dns({ emittedUs, seenUs: emittedUs, client: address, server: '2001:db8::1', query: `n${index}` }));
    }
    while (writer.step(NOW_MS, true));
    writer.close(NOW_MS);
    rig.execute(`DELETE FROM flow_tls; DELETE FROM dns WHERE id < ${(NOW_MS + 20) * 1000};
      INSERT INTO pruned SELECT 'flows', count(*), sum(src_packets + dst_packets), sum(src_bytes + dst_bytes),
        sum(src_bytes + dst_bytes + src_link_bytes + dst_link_bytes), 0 FROM flows WHERE id < ${(NOW_MS + 20) * 1000};
      DELETE FROM flows WHERE id < ${(NOW_MS + 20) * 1000};
      ${ROLLUPS.map((table) => `DELETE FROM ${table}`).join('; ')}`);
    return rig;
  }

  it('deletes what no row refers to, and nothing else', async () => {
    const rig = halfGone();
    const { db, log, start, run } = sweptOf(rig);
    await run(start());
    expect(rig.query<{ text: string }>('SELECT text FROM texts ORDER BY id').map(({ text }) => text)).toEqual([
      'other',
      ...Array.from({ length: 10 }, (_, index) => `n${index + 20}`),
    ]);
    expect(rig.value('SELECT count(*) FROM addresses')).toBe(12);
    expect(log).toEqual(['sweep: 39 texts and addresses were deleted that nothing refers to']);
    db.close();
    expect(failedChecks(rig.path)).not.toContain('every id resolves');
  });

  it('leaves what the writer holds in memory, and what it writes while the sweep is under way', async () => {
    const rig = halfGone();
    const { db, texts, held, start, run } = sweptOf(rig);
    const inCache = idOf(texts, 'n1');
    const inNames = db.prepare<[], number>(`SELECT id FROM texts WHERE text = 'n2'`).pluck().get() as number;
    held.push(inNames);
    let later = 0;
    await run(start(), () => {
      later = idOf(texts, 'n3');
    });
    expect(
      rig.query<{ text: string }>('SELECT text FROM texts WHERE id BETWEEN 1 AND 20 ORDER BY id').map(({ text }) => text),
    ).toEqual(expect.arrayContaining(['n1', 'n2', 'n3']));
    expect([inCache, inNames, later].map((id) => rig.value<string>(`SELECT text FROM texts WHERE id = ${id}`))).toEqual([
      'n1',
      'n2',
      'n3',
    ]);
    expect(rig.value('SELECT count(*) FROM texts')).toBe(14);
    db.close();
  });

  it('gives the table room again, and no id twice', async () => {
    const rig = halfGone();
    const { db, texts, start, run } = sweptOf(rig);
    const idMax = rig.value('SELECT max(id) FROM texts');
    const fill = (from: number): number[] => Array.from({ length: 60 }, (_, index) => idOf(texts, `${from}-${index}`));
    expect(fill(0).filter((id) => id === 0).length).toBeGreaterThan(0);
    texts.revert();
    await run(start());
    const given = new Texts(db, ROWS_MAX);
    const ids = Array.from({ length: 60 }, (_, index) => idOf(given, `again-${index}`));
    const fresh = ids.filter((id) => id !== 0);
    expect(new Set(fresh).size).toBe(fresh.length);
    expect(Math.min(...fresh)).toBeGreaterThan(idMax);
    expect(rig.value('SELECT count(*) FROM texts')).toBeLessThanOrEqual(ROWS_MAX + 1);
    expect(fresh.length).toBeGreaterThan(10);
    db.close();
  });

  it('lets a table be that is not half full', async () => {
    const rig = new WriterRig();
    rig.store([flow({ details: { sni: 'a' } })]);
    rig.execute('DELETE FROM flow_tls');
    const db = databaseOf(rig);
    const { log, start, run } = sweptOf(rig);
    await run(start());
    expect(log).toEqual([]);
    db.close();
  });

  it('does not wait until a table is half full where sums go for want of room', async () => {
    const rig = new WriterRig();
    rig.store([flow({ details: { sni: 'a', alpn: 'h2' } })]);
    rig.execute('DELETE FROM flow_tls');
    const { db, log, needs, start, run } = sweptOf(rig);
    // The last one of a table stays, since ids are counted on from it.
    idOf(new Texts(db, ROWS_MAX), 'last');
    needs.push(true);
    await run(start());
    expect(log).toEqual(['sweep: 1 texts and addresses were deleted that nothing refers to']);
    expect(rig.query('SELECT text FROM texts ORDER BY id')).toEqual([{ text: 'other' }, { text: 'a' }, { text: 'last' }]);
    db.close();
  });
});
