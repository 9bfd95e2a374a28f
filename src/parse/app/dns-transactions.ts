import { NO_SLOT } from '../../ring/flow-slots.js';
import { RecordKind } from '../../ring/layout.js';
import { Dns, DnsTransport } from '../../ring/name-records.js';
import { SlotList } from '../slot-list.js';
import type { DnsDraft } from './dns-draft.js';
import { hashBytes, mixWord } from './dns-hash.js';
import type { RecordSink } from './record-sink.js';

/** Queries and answered queries that are kept. */
const ENTRIES_MAX = 1024;
/** How long an answer is waited for, and how long the same answer again is taken for a copy. */
const WAIT_US = 10e6;
const BUCKET_BITS = 11;
/** Entries of a bucket, newest first, that are looked at: what is aimed at one bucket costs no more than this. */
const STEPS_MAX = 32;
/** Open queries, newest first, among which an answer that names nothing is looked for. */
const NAMELESS_STEPS_MAX = 64;
/** A record up to and with its name, in words; a multiple of two, since there are 64-bit words in it. */
const ENTRY_WORDS = ((Dns.HeaderBytes + Dns.NameBytesMax + 7) >> 3) << 1;

/** Asked by multicast or broadcast, so that whoever knows answers: the key must not hold the server's address. */
function isOpenToAll(transport: number): boolean {
  return transport === DnsTransport.Llmnr || transport === DnsTransport.Netbios;
}

/**
 * Pairs queries with their answers, and hands each transaction to the sink as one record. The key is the addresses and ports of client
 * and server, the message's id, transport, name and type; for LLMNR and NetBIOS without the server's address, for NetBIOS without the
 * type, which a negative answer does not repeat (RFC 1002 section 4.2.14).
 *
 * - A query that is repeated before the answer keeps its first time; after the answer, it begins anew.
 * - An answer without query is a record by itself, with latency -1; one that names nothing (an error of a server that understood nothing)
 *   and finds no query is none.
 * - A further answer within 10 s is left out if code and answers are the same, whatever their order and time to live: it is a copy, as
 *   captures and repeated queries bring them. One that differs is a record by itself, with latency -1.
 * - A query without answer is a record with code -1 after 10 s, and at the end.
 *
 * At most 1,024 queries are kept; at that limit an answered one, and failing that the oldest, gives way and is taken for unanswered.
 * Time is the largest seen, of packets and of `expire`. Allocates nothing, apart from the constructor. A dead worker takes its queries
 * with it; their answers are then records without latency. About 1 MiB in all.
 */
export class DnsTransactions {
  private readonly entries: readonly Int32Array[];
  private readonly entryBytes: readonly Uint8Array[];
  /** By entry: packet time of the query, when it is given up, message id, hash of the key, digest of the answer. */
  private readonly seenUs = new Float64Array(ENTRIES_MAX);
  private readonly dueUs = new Float64Array(ENTRIES_MAX);
  private readonly ids = new Int32Array(ENTRIES_MAX);
  private readonly hashes = new Int32Array(ENTRIES_MAX);
  private readonly digests = new Int32Array(ENTRIES_MAX);
  private readonly isOpen = new Uint8Array(ENTRIES_MAX);
  private readonly free: SlotList;
  private readonly open: SlotList;
  private readonly answered: SlotList;
  private readonly older = new Int32Array(ENTRIES_MAX);
  private readonly olderInBucket = new Int32Array(ENTRIES_MAX);
  private readonly buckets: readonly SlotList[];
  private clockUs = Number.NEGATIVE_INFINITY;
  private hash = 0;

  constructor(private readonly sink: RecordSink) {
    const memory = new ArrayBuffer(ENTRIES_MAX * ENTRY_WORDS * 4);
    const indexes = Array.from({ length: ENTRIES_MAX }, (_, entry) => entry);
    this.entries = indexes.map((entry) => new Int32Array(memory, entry * ENTRY_WORDS * 4, ENTRY_WORDS));
    this.entryBytes = indexes.map((entry) => new Uint8Array(memory, entry * ENTRY_WORDS * 4, ENTRY_WORDS * 4));
    const newer = new Int32Array(ENTRIES_MAX);
    this.free = new SlotList(this.older, newer);
    this.open = new SlotList(this.older, newer);
    this.answered = new SlotList(this.older, newer);
    const newerInBucket = new Int32Array(ENTRIES_MAX);
    this.buckets = Array.from({ length: 1 << BUCKET_BITS }, () => new SlotList(this.olderInBucket, newerInBucket));
    for (const entry of indexes) this.free.append(entry);
  }

  /** Takes a query. */
  ask(draft: DnsDraft): void {
    this.expire(draft.seenUs);
    let entry = this.find(draft);
    if (entry !== NO_SLOT) {
      if (this.isOpen[entry] === 1) return;
      this.answered.remove(entry);
    } else {
      entry = this.take();
      this.hashes[entry] = this.hash;
      this.bucketOf(this.hash).append(entry);
    }
    this.open.append(entry);
    this.isOpen[entry] = 1;
    this.ids[entry] = draft.id;
    this.seenUs[entry] = draft.seenUs;
    this.dueUs[entry] = this.clockUs + WAIT_US;
    const words = this.entries[entry] as Int32Array;
    const count = (Dns.HeaderBytes + (draft.words[Dns.NameBytes] as number) + 3) >> 2;
    for (let i = 0; i < count; i++) words[i] = draft.words[i] as number;
  }

  /** Takes an answer. */
  answer(draft: DnsDraft): void {
    this.expire(draft.seenUs);
    const isNameless = draft.words[Dns.NameBytes] === 0;
    const entry = isNameless ? this.findNameless(draft) : this.find(draft);
    if (entry === NO_SLOT) {
      if (!isNameless) this.emit(draft);
      return;
    }
    const digest = digestOf(draft);
    if (this.isOpen[entry] === 0) {
      const isCopy = this.digests[entry] === digest && this.clockUs < (this.dueUs[entry] as number);
      if (!isCopy) this.emit(draft);
      return;
    }
    const query = this.entries[entry] as Int32Array;
    const latencyUs = draft.seenUs - (this.seenUs[entry] as number);
    draft.adopt(query, this.entryBytes[entry] as Uint8Array, this.seenUs[entry] as number);
    // Packet time may have been set in between.
    draft.words[Dns.LatencyUs] = latencyUs >= 0 && latencyUs <= WAIT_US ? latencyUs : -1;
    this.emit(draft);
    this.open.remove(entry);
    this.answered.append(entry);
    this.isOpen[entry] = 0;
    this.digests[entry] = digest;
    this.dueUs[entry] = this.clockUs + WAIT_US;
  }

  /** Gives up on the queries that are due by `nowUs`. One comparison if none is. */
  expire(nowUs: number): void {
    if (nowUs > this.clockUs) this.clockUs = nowUs;
    const { open } = this;
    while (open.oldest !== NO_SLOT && (this.dueUs[open.oldest] as number) <= this.clockUs) this.giveUp(open.oldest);
  }

  /** Gives up on all queries; nothing is kept afterwards. */
  flush(): void {
    const { open, answered } = this;
    while (open.oldest !== NO_SLOT) this.giveUp(open.oldest);
    while (answered.oldest !== NO_SLOT) this.release(answered.oldest);
  }

  private emit(draft: DnsDraft): void {
    this.sink.emit(RecordKind.Dns, draft.words, draft.recordBytes);
  }

  /** Emits an open query as it stands: without code, latency and answers. */
  private giveUp(entry: number): void {
    const words = this.entries[entry] as Int32Array;
    this.sink.emit(RecordKind.Dns, words, Dns.HeaderBytes + (words[Dns.NameBytes] as number));
    this.release(entry);
  }

  private release(entry: number): void {
    (this.isOpen[entry] === 1 ? this.open : this.answered).remove(entry);
    this.bucketOf(this.hashes[entry] as number).remove(entry);
    this.free.append(entry);
  }

  /** An entry that is in no list. */
  private take(): number {
    if (this.free.oldest === NO_SLOT) {
      if (this.answered.oldest !== NO_SLOT) this.release(this.answered.oldest);
      else this.giveUp(this.open.oldest);
    }
    const entry = this.free.newest;
    this.free.remove(entry);
    return entry;
  }

  private bucketOf(hash: number): SlotList {
    return this.buckets[hash >>> (32 - BUCKET_BITS)] as SlotList;
  }

  /** The entry that has the key of `draft`, or `NO_SLOT`; its hash is kept either way. */
  private find(draft: DnsDraft): number {
    const { words } = draft;
    const transport = words[Dns.Transport] as number;
    let hash = mixWord(draft.id, (transport << 8) | (words[Dns.IpVersion] as number));
    hash = mixWord(hash, words[Dns.Ports] as number);
    for (let i = 0; i < 4; i++) hash = mixWord(hash, words[Dns.Client + i] as number);
    if (!isOpenToAll(transport)) for (let i = 0; i < 4; i++) hash = mixWord(hash, words[Dns.Server + i] as number);
    if (transport !== DnsTransport.Netbios) hash = mixWord(hash, words[Dns.Type] as number);
    this.hash = mixWord(hash, hashBytes(draft.bytes, Dns.HeaderBytes, draft.answersOffset));
    let entry = this.bucketOf(this.hash).newest;
    for (let steps = 0; entry !== NO_SLOT && steps < STEPS_MAX; steps++) {
      if (this.hashes[entry] === this.hash && this.isSame(entry, draft) && this.hasSameName(entry, draft)) return entry;
      entry = this.olderInBucket[entry] as number;
    }
    return NO_SLOT;
  }

  private findNameless(draft: DnsDraft): number {
    let entry = this.open.newest;
    for (let steps = 0; entry !== NO_SLOT && steps < NAMELESS_STEPS_MAX; steps++) {
      if (this.isSame(entry, draft)) return entry;
      entry = this.older[entry] as number;
    }
    return NO_SLOT;
  }

  /** Whether all of the key is the same, save name and type. */
  private isSame(entry: number, draft: DnsDraft): boolean {
    if (this.ids[entry] !== draft.id) return false;
    const words = this.entries[entry] as Int32Array;
    const transport = draft.words[Dns.Transport] as number;
    if (words[Dns.Ports] !== draft.words[Dns.Ports] || words[Dns.Transport] !== transport) return false;
    if (words[Dns.IpVersion] !== draft.words[Dns.IpVersion]) return false;
    const count = isOpenToAll(transport) ? 4 : 8;
    for (let i = Dns.Client; i < Dns.Client + count; i++) if (words[i] !== draft.words[i]) return false;
    return true;
  }

  private hasSameName(entry: number, draft: DnsDraft): boolean {
    const words = this.entries[entry] as Int32Array;
    if (words[Dns.NameBytes] !== draft.words[Dns.NameBytes]) return false;
    if (words[Dns.Type] !== draft.words[Dns.Type] && words[Dns.Transport] !== DnsTransport.Netbios) return false;
    const bytes = this.entryBytes[entry] as Uint8Array;
    const end = draft.answersOffset;
    for (let at = Dns.HeaderBytes; at < end; at++) if (bytes[at] !== draft.bytes[at]) return false;
    return true;
  }
}

/** A number that is the same for the same code and answers in any order, and for LLMNR and NetBIOS from the same server. */
function digestOf(draft: DnsDraft): number {
  const { words, bytes } = draft;
  let digest = words[Dns.Code] as number;
  const end = draft.recordBytes;
  for (let at = draft.answersOffset; at < end; ) {
    const next = at + 2 + (bytes[at + 1] as number);
    digest = (digest + hashBytes(bytes, at, next)) | 0;
    at = next;
  }
  if (isOpenToAll(words[Dns.Transport] as number))
    for (let i = Dns.Server; i < Dns.Server + 4; i++) digest = mixWord(digest, words[i] as number);
  return digest;
}
