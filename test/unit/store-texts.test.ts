import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { migrate } from '../../src/store/schema.js';
import { Texts } from '../../src/store/texts.js';
import { idOf } from '../helpers/texts.js';

function openTable(rowsMax: number): { db: Database.Database; texts: Texts } {
  const db = new Database(':memory:');
  migrate(db, 0);
  return { db, texts: new Texts(db, rowsMax) };
}

const textOf = (db: Database.Database, id: number): unknown => db.prepare('SELECT text FROM texts WHERE id = ?').pluck().get(id);

describe('the table of texts', () => {
  it('gives each text one id, from 1 on', () => {
    const { db, texts } = openTable(10);
    expect(['a', 'b', 'a', 'A', ''].map((text) => idOf(texts, text))).toEqual([1, 2, 1, 3, 4]);
    expect([1, 2, 3, 4].map((id) => textOf(db, id))).toEqual(['a', 'b', 'A', '']);
    expect(texts.settle()).toBe(0);
  });

  it('keeps texts that look like SQL, and long ones, as they are', () => {
    const { db, texts } = openTable(10);
    for (const text of [`'); DROP TABLE texts; --`, `a"b'c\\034\\000`, 'x'.repeat(255), '%s NULL ?1'])
      expect(textOf(db, idOf(texts, text))).toBe(text);
  });

  it('stores what finds it full as one entry, and counts it', () => {
    const { db, texts } = openTable(2);
    expect(['a', 'b', 'c', 'd', 'a', 'c'].map((text) => idOf(texts, text))).toEqual([1, 2, 0, 0, 1, 0]);
    expect(texts.settle()).toBe(3);
    expect(texts.settle()).toBe(0);
    expect(textOf(db, 0)).toBe('other');
    // A text that reads like the entry is no overflow.
    expect([idOf(texts, 'other'), texts.settle()]).toEqual([0, 0]);
  });

  it('adds nothing while there is no room, counts that, and goes on when there is', () => {
    const { db, texts } = openTable(10);
    idOf(texts, 'a');
    texts.isFull = () => true;
    expect(['a', 'b', 'b'].map((text) => idOf(texts, text))).toEqual([1, 0, 0]);
    expect(texts.settle()).toBe(2);
    texts.isFull = () => false;
    expect(textOf(db, idOf(texts, 'b'))).toBe('b');
    expect(texts.settle()).toBe(0);
  });

  it('gives what found it full an entry of its own when a sweep has made room', () => {
    const { db, texts } = openTable(2);
    expect(['a', 'b', 'c'].map((text) => idOf(texts, text))).toEqual([1, 2, 0]);
    // What is in memory may yet be written, and would stay.
    texts.revert();
    expect(idOf(texts, 'c')).toBe(0);
    texts.swept.begin([]);
    expect(texts.swept.sweep(-1, 100, 100).removed).toBe(1);
    texts.swept.end();
    expect(textOf(db, idOf(texts, 'c'))).toBe('c');
  });

  it('finds what an earlier run has stored', () => {
    const { db, texts } = openTable(10);
    const id = idOf(texts, 'a');
    expect(idOf(new Texts(db, 10), 'a')).toBe(id);
  });

  it('forgets what a rolled-back transaction had stored', () => {
    const { db, texts } = openTable(10);
    idOf(texts, 'kept');
    db.exec('BEGIN');
    idOf(texts, 'a');
    db.exec('ROLLBACK');
    expect(texts.revert()).toBe(1);
    expect([idOf(texts, 'b'), idOf(texts, 'a'), idOf(texts, 'kept')]).toEqual([2, 3, 1]);
    expect([1, 2, 3].map((id) => textOf(db, id))).toEqual(['kept', 'b', 'a']);
  });

  it('remembers what is used often, and asks for the rest again', () => {
    const { db, texts } = openTable(100_000);
    db.exec('BEGIN');
    const often = idOf(texts, 'often');
    const seldom = idOf(texts, 'seldom');
    for (let i = 0; i < 40_000; i++) {
      idOf(texts, `text ${i}`);
      if (i % 1000 === 0) idOf(texts, 'often');
    }
    // Another program changes the table: only what has left the memory is asked for.
    db.exec(`UPDATE texts SET text = text || ' changed' WHERE text IN ('often', 'seldom')`);
    expect(idOf(texts, 'often')).toBe(often);
    expect(idOf(texts, 'seldom')).not.toBe(seldom);
  });
});
