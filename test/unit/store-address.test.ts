import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { AddressCache, NOT_CACHED } from '../../src/store/address-cache.js';
import { ipv6Text } from '../../src/store/address-text.js';
import { ADDRESS_ID_BASE, Addresses } from '../../src/store/addresses.js';
import { migrate } from '../../src/store/schema.js';

describe('text of IPv6 addresses (RFC 5952)', () => {
  it.each([
    ['::', [0, 0, 0, 0]],
    ['::1', [0, 0, 0, 1]],
    ['2001:db8::', [0x20010db8, 0, 0, 0]],
    ['2001:db8::1', [0x20010db8, 0, 0, 1]],
    ['2001:db8:0:1:1:1:1:1', [0x20010db8, 0x00000001, 0x00010001, 0x00010001]],
    ['2001:0:0:1::1', [0x20010000, 0x00000001, 0, 1]],
    ['2001:db8::1:0:0:1', [0x20010db8, 0, 0x00010000, 1]],
    ['fe80::aabb:ccff:fedd:eeff', [0xfe800000, 0, 0xaabbccff, 0xfeddeeff]],
    ['ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', [-1, -1, -1, -1]],
    ['1:2:3:4:5:6:7:0', [0x00010002, 0x00030004, 0x00050006, 0x00070000]],
    ['::ffff:192.0.2.1', [0, 0, 0xffff, 0xc0000201]],
    ['64:ff9b::c000:201', [0x0064ff9b, 0, 0, 0xc0000201]],
  ])('%s', (text, words) => {
    // The words in front show that the index is heeded.
    expect(ipv6Text(Int32Array.from([7, 7, ...words]), 2)).toBe(text);
  });
});

describe('address cache', () => {
  const words = (n: number): Int32Array => Int32Array.of(0x20010db8, 0, 0, n);

  it('keeps the four that were used last in a set, and drops the oldest', () => {
    const cache = new AddressCache(1);
    for (const n of [1, 2, 3, 4]) cache.set(words(n), 0, n);
    expect(cache.get(words(1), 0)).toBe(1);
    cache.set(words(5), 0, 5);
    expect([1, 2, 3, 4, 5].map((n) => cache.get(words(n), 0))).toEqual([1, NOT_CACHED, 3, 4, 5]);
  });

  it('tells addresses apart that differ in one word', () => {
    const cache = new AddressCache(1);
    cache.set(Int32Array.of(1, 2, 3, 4), 0, 9);
    for (const other of [
      [0, 2, 3, 4],
      [1, 0, 3, 4],
      [1, 2, 0, 4],
      [1, 2, 3, 0],
    ])
      expect(cache.get(Int32Array.from(other), 0)).toBe(NOT_CACHED);
    expect(cache.get(Int32Array.of(8, 1, 2, 3, 4), 1)).toBe(9);
  });

  it('knows nothing after clear, the address of zeros included', () => {
    const cache = new AddressCache(16);
    expect(cache.get(words(0), 0)).toBe(NOT_CACHED);
    cache.set(words(0), 0, 3);
    cache.clear();
    expect(cache.get(words(0), 0)).toBe(NOT_CACHED);
    expect(cache.get(new Int32Array(4), 0)).toBe(NOT_CACHED);
  });
});

describe('the table of addresses', () => {
  function openTable(rowsMax: number): { db: Database.Database; addresses: Addresses } {
    const db = new Database(':memory:');
    migrate(db, 0);
    return { db, addresses: new Addresses(db, rowsMax) };
  }
  const words = (n: number): Int32Array => Int32Array.of(0x20010db8, 0, 0, n);

  it('stores what finds it full as one entry, and counts it', () => {
    const { db, addresses } = openTable(2);
    const ids = [1, 2, 3, 4, 1, 3].map((n) => addresses.idOf(words(n), 0));
    const other = ADDRESS_ID_BASE;
    expect(ids).toEqual([other + 1, other + 2, other, other, other + 1, other]);
    expect(addresses.settle()).toBe(3);
    expect(addresses.settle()).toBe(0);
    expect(db.prepare('SELECT ip FROM addresses WHERE id = ?').pluck().get(other)).toBe('other');
  });

  it('finds what an earlier run has stored', () => {
    const { db, addresses } = openTable(10);
    const id = addresses.idOf(words(7), 0);
    expect(new Addresses(db, 10).idOf(words(7), 0)).toBe(id);
  });

  it('forgets what a rolled-back transaction had stored', () => {
    const { db, addresses } = openTable(10);
    db.exec('BEGIN');
    addresses.idOf(words(1), 0);
    db.exec('ROLLBACK');
    addresses.revert();
    const id = addresses.idOf(words(2), 0);
    addresses.idOf(words(1), 0);
    expect(db.prepare('SELECT id FROM addresses WHERE ip = ?').pluck().get('2001:db8::2')).toBe(id);
    expect(db.prepare('SELECT count(*) FROM addresses').pluck().get()).toBe(3);
  });
});
