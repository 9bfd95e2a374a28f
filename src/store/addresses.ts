import type { Database, Statement } from 'better-sqlite3';
import { AddressCache, NOT_CACHED } from './address-cache.js';
import { ipv6Text } from './address-text.js';
import { SweptIds } from './upkeep/swept-ids.js';

/** Ids of IPv6 addresses start here, so that none can be taken for an IPv4 address. This one is the overflow entry. */
export const ADDRESS_ID_BASE = 2 ** 32;

/**
 * Rows of `addresses`: about 100 MB. Further addresses are stored as the overflow entry, and counted, until those that no row refers
 * to any more are swept out.
 */
export const ADDRESSES_MAX = 1_000_000;

/** Sets of the cache: 32,768 addresses in 768 KiB. */
const CACHE_SETS = 8192;

/** The dimension table `addresses`, as the writer uses it. */
export class Addresses {
  /** Addresses that were answered with the overflow entry in the open transaction. */
  private overflowed = 0;
  /** True: an address without an entry is given none, and is named by the overflow entry; that is not counted. */
  isClosed = false;
  /** Entries added since the start; some of them may have been rolled back. */
  added = 0;
  private readonly cache = new AddressCache(CACHE_SETS);
  private readonly find: Statement<[string], number>;
  private readonly insert: Statement<[number, string]>;
  private readonly findLast: Statement<[], number>;
  private idLast: number;
  /** What the sweep of this table needs to know. */
  readonly swept: SweptIds;

  constructor(
    db: Database,
    private readonly rowsMax: number,
  ) {
    this.find = db.prepare<[string], number>('SELECT id FROM addresses WHERE ip = ?').pluck();
    this.insert = db.prepare('INSERT INTO addresses VALUES (?, ?)');
    this.findLast = db.prepare<[], number>('SELECT max(id) FROM addresses').pluck();
    this.idLast = this.findLast.get() as number;
    this.swept = new SweptIds(db, 'addresses', ADDRESS_ID_BASE, () => this.cache.entries);
  }

  /** Id of the IPv6 address whose four words start at `index`; a new one is inserted in the open transaction. */
  idOf(words: Int32Array, index: number): number {
    let id = this.cache.get(words, index);
    if (id === NOT_CACHED) {
      id = this.lookUp(ipv6Text(words, index));
      if (id === NOT_CACHED) return ADDRESS_ID_BASE;
      this.cache.set(words, index, id);
    }
    if (id === ADDRESS_ID_BASE) this.overflowed++;
    return id;
  }

  /** About how many entries there are. */
  get count(): number {
    return this.idLast - ADDRESS_ID_BASE;
  }

  /** The rows so far are committed; gives the number of addresses among them that found the table full. */
  settle(): number {
    const overflowed = this.overflowed;
    this.overflowed = 0;
    return overflowed;
  }

  /** The transaction was rolled back: forgets what it had inserted. */
  revert(): void {
    this.cache.clear();
    this.idLast = this.findLast.get() as number;
    this.swept.revert();
    this.overflowed = 0;
  }

  private lookUp(text: string): number {
    const known = this.find.get(text);
    if (known !== undefined) {
      this.swept.use(known);
      return known;
    }
    if (this.idLast - ADDRESS_ID_BASE - this.swept.rows >= this.rowsMax) return ADDRESS_ID_BASE;
    if (this.isClosed) return NOT_CACHED;
    this.added++;
    this.insert.run(++this.idLast, text);
    return this.idLast;
  }
}
