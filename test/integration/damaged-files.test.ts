import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Random } from '../../bench/generate/random.js';
import { damage } from '../helpers/damage.js';
import { emitAll, emittedMemory, isBuilt, openAll } from '../helpers/damaged-writer.js';
import { NOW_MS, temporaryDirectory, WriterRig } from '../helpers/flow-records.js';

/** `npm run test:damage` takes all of them. */
const FILES = process.env['DAMAGE'] === 'all' ? 500 : 40;
const NOW_US = NOW_MS * 1000;

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

describe.skipIf(!isBuilt)('damaged databases (needs npm run build)', () => {
  it(`${FILES} of them are opened or set aside, and none crashes, hangs or stops the process`, { timeout: 600_000 }, async () => {
    const results = await openAll(writeDamaged(FILES), emittedMemory(NOW_US + 3e8));
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
