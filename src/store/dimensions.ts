import type { Database } from 'better-sqlite3';
import type { InterfaceTable } from '../ring/interface-table.js';
import { ADDRESSES_MAX, Addresses } from './addresses.js';
import { Interfaces } from './interfaces.js';
import { TEXTS_MAX, Texts } from './texts.js';

/** Entries whose texts share a page of the index, when they are as long as usual. */
const ENTRIES_PER_PAGE = 64;

/** The tables whose entries other rows name by number. */
export class Dimensions {
  readonly addresses: Addresses;
  readonly interfaces: Interfaces;
  readonly texts: Texts;

  constructor(db: Database, interfaces: InterfaceTable) {
    this.addresses = new Addresses(db, ADDRESSES_MAX);
    this.interfaces = new Interfaces(db, interfaces);
    this.texts = new Texts(db, TEXTS_MAX);
  }

  /** Entries that were added to the tables since the start. */
  get entriesAdded(): number {
    return this.addresses.added + this.texts.added;
  }

  /** Pages of the indexes over which new entries are strewn, about. */
  get entryPages(): number {
    return Math.ceil((this.addresses.count + this.texts.count) / ENTRIES_PER_PAGE);
  }

  /** Whether what has no entry is given none now. */
  set isClosed(isClosed: boolean) {
    this.addresses.isClosed = isClosed;
    this.texts.isClosed = isClosed;
  }

  /** Tells whether there is no room for more entries: what has none is then given none, and counted. */
  set isFull(isFull: () => boolean) {
    this.addresses.isFull = isFull;
    this.texts.isFull = isFull;
  }

  /** An address as the tables hold it: an IPv4 address is its four bytes as a signed number, any other one an id in `addresses`. */
  addressOf(version: number, words: Int32Array, index: number): number {
    return version === 6 ? this.addresses.idOf(words, index) : (words[index + 3] as number);
  }

  /** The transaction was rolled back: forgets what it had inserted. Returns the highest id of a text that is committed. */
  revert(): number {
    this.addresses.revert();
    this.interfaces.revert();
    return this.texts.revert();
  }
}
