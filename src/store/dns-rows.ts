import type { Database } from 'better-sqlite3';
import { Dns, DnsTransport } from '../ring/name-records.js';
import { ipv4Text, ipv6Text } from './address-text.js';
import type { Dimensions } from './dimensions.js';
import type { RecordMemory } from './flow-rings.js';
import type { LiveRun } from './lookup/live-run.js';
import { addDnsKeys } from './lookup/lookup-rows.js';
import type { NameCache } from './name-cache.js';
import type { Rollups } from './rollup/rollups.js';
import { RowBuffer } from './row-buffer.js';
import type { RowIds } from './row-ids.js';
import { OVERFLOW_ID } from './texts.js';

/** Columns of `dns`, in the order of the table. */
const enum Column {
  Id = 0,
  SeenAgeUs,
  LatencyUs,
  Client,
  Server,
  Ports,
  Transport,
  Type,
  Code,
  Query,
  AnswerCount,
  Answers,
  Count,
}

/** An answer: type, length, so many bytes. */
const ANSWER_HEADER_BYTES = 2;
const TYPE_A = 1;
const TYPE_AAAA = 28;
const NO_ERROR = 0;

/** Turns DNS transactions into rows of `dns`, and tells the cache which names they gave addresses. Has no transaction of its own. */
export class DnsRows {
  private readonly rows: RowBuffer;
  /** The address of the answer in hand, as in a record. */
  private readonly address = new Int32Array(4);

  constructor(
    db: Database,
    private readonly ids: RowIds,
    private readonly dimensions: Dimensions,
    private readonly names: NameCache,
    private readonly lookup: LiveRun,
    private readonly rollups: Rollups,
  ) {
    this.rows = new RowBuffer(db, 'dns', Column.Count);
  }

  /** Starts a batch; what an abandoned one has left is forgotten. */
  begin(): void {
    this.rows.begin();
  }

  /** Adds the `Dns` record at byte offset `payload`; one that is left out tells names and is given no row. */
  add(memory: RecordMemory, payload: number, isShed: boolean): void {
    const { words, doubles, bytes } = memory;
    const word = payload >> 2;
    const double = payload >> 3;
    const version = words[word + Dns.IpVersion] as number;
    const latencyUs = words[word + Dns.LatencyUs] as number;
    const code = words[word + Dns.Code] as number;
    const nameStart = payload + Dns.HeaderBytes;
    const nameEnd = nameStart + Math.min(words[word + Dns.NameBytes] as number, Dns.NameBytesMax);
    const query = this.dimensions.texts.idOf(bytes, nameStart, nameEnd);
    if (isShed) {
      if (query !== OVERFLOW_ID) this.readAnswers(memory, payload, nameEnd, query);
      return;
    }
    const id = this.ids.next(doubles[double + Dns.EmittedUsF64] as number);

    const { values, at } = this.rows;
    values[at + Column.Id] = id;
    values[at + Column.SeenAgeUs] = id - (doubles[double + Dns.SeenUsF64] as number);
    values[at + Column.LatencyUs] = latencyUs < 0 ? null : latencyUs;
    values[at + Column.Client] = this.dimensions.addressOf(version, words, word + Dns.Client);
    values[at + Column.Server] = this.dimensions.addressOf(version, words, word + Dns.Server);
    values[at + Column.Ports] = words[word + Dns.Ports] as number;
    values[at + Column.Transport] = words[word + Dns.Transport] as number;
    values[at + Column.Type] = words[word + Dns.Type] as number;
    values[at + Column.Code] = code < 0 ? null : code;
    values[at + Column.Query] = query;
    values[at + Column.AnswerCount] = words[word + Dns.AnswerCount] as number;
    values[at + Column.Answers] = this.readAnswers(memory, payload, nameEnd, query);
    const client = values[at + Column.Client] as number;
    const seenUs = doubles[double + Dns.SeenUsF64] as number;
    this.rollups.addDns(id, seenUs, client, words[word + Dns.Transport] as number, code, latencyUs);
    const run = this.lookup.add(id, doubles[double + Dns.SeenUsF64] as number, 0);
    if (run)
      addDnsKeys(
        run,
        values[at + Column.Client] as number,
        values[at + Column.Server] as number,
        query,
        values[at + Column.Code] as number | null,
      );
    this.rows.push();
  }

  /** Inserts the rows that do not fill a statement. */
  finish(): void {
    this.rows.finish();
    this.lookup.finish();
  }

  /**
   * The answers as text, joined by commas, or null without any; one that is cut is left out. Their addresses have the name `query`
   * from the moment of the answer on. Not so for mDNS: what devices tell of themselves comes in `Device` records, and is true for
   * every client. Nor is an address of the other IP version of use: which flow of that version is the client's cannot be told.
   */
  private readAnswers({ words, doubles, bytes }: RecordMemory, payload: number, start: number, query: number): string | null {
    const word = payload >> 2;
    const end = start + Math.min(words[word + Dns.AnswerBytes] as number, Dns.AnswerBytesMax);
    const clientVersion = words[word + Dns.IpVersion] as number;
    const isNaming = words[word + Dns.Code] === NO_ERROR && words[word + Dns.Transport] !== DnsTransport.Mdns;
    const toldUs = (doubles[(payload >> 3) + Dns.SeenUsF64] as number) + Math.max(words[word + Dns.LatencyUs] as number, 0);
    let text: string | null = null;
    for (let at = start; at + ANSWER_HEADER_BYTES <= end; ) {
      const type = bytes[at] as number;
      const value = at + ANSWER_HEADER_BYTES;
      at = value + (bytes[at + 1] as number);
      if (at > end) break;
      const version = this.readAddress(bytes, type, value, at);
      if (isNaming && version !== 0)
        this.names.addAnswer(
          clientVersion,
          words,
          word + Dns.Client,
          version,
          this.address,
          query,
          toldUs,
          words[word + Dns.TtlS] as number,
        );
      const answer = version === 0 ? bytes.toString('latin1', value, at) : this.addressText(version);
      text = text === null ? answer : `${text},${answer}`;
    }
    return text;
  }

  /** Reads an address into `address`, and returns its IP version; 0 if the answer is none. */
  private readAddress(bytes: Buffer, type: number, start: number, end: number): number {
    const { address } = this;
    if (type === TYPE_A && end - start === 4) {
      address.fill(0);
      address[3] = bytes.readInt32BE(start);
      return 4;
    }
    if (type !== TYPE_AAAA || end - start !== 16) return 0;
    for (let i = 0; i < 4; i++) address[i] = bytes.readInt32BE(start + 4 * i);
    return 6;
  }

  private addressText(version: number): string {
    return version === 6 ? ipv6Text(this.address, 0) : ipv4Text(this.address[3] as number);
  }
}
