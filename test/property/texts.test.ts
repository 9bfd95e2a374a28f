import Database from 'better-sqlite3';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { migrate } from '../../src/store/schema.js';
import { Texts } from '../../src/store/texts.js';
import { idOf } from '../helpers/texts.js';

/** Texts of few letters, so that many begin alike, end alike, and come again. */
const text = fc.string({ unit: fc.constantFrom('a', 'b', '.', '\\'), maxLength: 6 });
const step = fc.oneof({ weight: 20, arbitrary: text }, { weight: 1, arbitrary: fc.constant(null) });

describe('the table of texts, whatever it is asked', () => {
  it('gives each text one id, and each id one text, also after a rollback', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const db = new Database(':memory:');
        migrate(db, 0);
        const texts = new Texts(db, 1000);
        let ids = new Map<string, number>();
        let committed = new Map<string, number>();
        db.exec('BEGIN');
        for (const [number, wanted] of steps.entries()) {
          if (wanted !== null) {
            const id = idOf(texts, wanted);
            expect(id).toBe(ids.get(wanted) ?? ids.size + 1);
            ids.set(wanted, id);
          } else if (number % 2 === 0) {
            db.exec('COMMIT; BEGIN');
            committed = new Map(ids);
          } else {
            db.exec('ROLLBACK; BEGIN');
            texts.revert();
            ids = new Map(committed);
          }
        }
        for (const [wanted, id] of ids) expect(db.prepare('SELECT text FROM texts WHERE id = ?').pluck().get(id)).toBe(wanted);
        db.close();
      }),
    );
  });
});
