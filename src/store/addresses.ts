import type { Database } from 'better-sqlite3';
import { AddressCache, NOT_CACHED } from './address-cache.js';
import { ipv6Text } from './address-text.js';
import { DimensionTable, FULL, NOT_TAKEN } from './dimension-table.js';

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
export class Addresses extends DimensionTable {
  private readonly cache = new AddressCache(CACHE_SETS);

  constructor(db: Database, rowsMax: number) {
    super(db, { table: 'addresses', column: 'ip', overflowId: ADDRESS_ID_BASE, rowsMax });
  }

  /** Id of the IPv6 address whose four words start at `index`; a new one is inserted in the open transaction. */
  idOf(words: Int32Array, index: number): number {
    let id = this.cache.get(words, index);
    if (id === NOT_CACHED) {
      id = this.lookUp(ipv6Text(words, index));
      if (id === NOT_TAKEN) return ADDRESS_ID_BASE;
      if (id === FULL) id = ADDRESS_ID_BASE;
      this.cache.set(words, index, id);
    }
    if (id === ADDRESS_ID_BASE) this.overflowed++;
    return id;
  }

  protected cachedIds(): Iterable<number> {
    return this.cache.entries;
  }

  protected clearCache(): void {
    this.cache.clear();
  }
}
