import { Interface } from './layout.js';

/** Allocates the interface table. */
export function createInterfaceTable(): SharedArrayBuffer {
  return new SharedArrayBuffer(Interface.Bytes * Interface.CountMax);
}

const encoder = new TextEncoder();

/** A name as the table can keep it, so that the same interface finds itself again: cut between two characters. */
function keptName(text: string): string {
  let name = '';
  let bytes = 0;
  for (const character of text.replace(/\p{Cc}/gu, '?')) {
    bytes += encoder.encode(character).length;
    if (bytes >= Interface.NameBytesMax) break;
    name += character;
  }
  return name;
}

/** Name that stands for every interface beyond `Interface.CountMax - 1`. */
const OVERFLOW_NAME = 'other';

/**
 * The interfaces of this run by index, as frames and flows name them. The capture adds an entry before it publishes the first
 * frame that refers to it, so whoever reads such a frame finds the entry filled.
 */
export class InterfaceTable {
  private readonly words: Int32Array;
  private readonly bytes: Uint8Array;

  constructor(readonly memory: SharedArrayBuffer) {
    this.words = new Int32Array(memory);
    this.bytes = new Uint8Array(memory);
  }

  /** Interfaces known so far. */
  get count(): number {
    let count = 0;
    while (count < Interface.CountMax && Atomics.load(this.words, count * Interface.Words + Interface.Ready) === 1) count++;
    return count;
  }

  /**
   * Gives the index of the interface `text` with this link type, which is added when it is new. A name is kept up to 47 bytes,
   * without control characters. When the table is full, the last entry, named `other`, is the answer.
   */
  indexOf(text: string, linkType: number): number {
    const name = keptName(text);
    const count = this.count;
    for (let index = 0; index < count; index++) if (this.name(index) === name && this.linkType(index) === linkType) return index;
    const index = Math.min(count, Interface.CountMax - 1);
    if (count === Interface.CountMax) return index;
    const encoded = encoder.encode(index === Interface.CountMax - 1 ? OVERFLOW_NAME : name);
    const start = index * Interface.Bytes + Interface.NameBytes;
    this.bytes.set(encoded, start);
    this.words[index * Interface.Words + Interface.LinkType] = linkType;
    Atomics.store(this.words, index * Interface.Words + Interface.Ready, 1);
    return index;
  }

  /** Name of the interface at `index`, empty for none. */
  name(index: number): string {
    const start = index * Interface.Bytes + Interface.NameBytes;
    const field = this.bytes.slice(start, start + Interface.NameBytesMax);
    const end = field.indexOf(0);
    return new TextDecoder().decode(end < 0 ? field : field.subarray(0, end));
  }

  /** pcap's LINKTYPE_ number of the interface at `index`. */
  linkType(index: number): number {
    return this.words[index * Interface.Words + Interface.LinkType] as number;
  }
}
