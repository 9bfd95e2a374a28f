import { type DnsName, skipDnsName } from './dns-name.js';

/** Sections of a message that hold records. */
export const enum DnsSection {
  Answer = 0,
  Authority = 1,
  Additional = 2,
}

/** Behind the owner's name: type, class, time to live, length of the data (RFC 1035 section 4.1.3). */
const enum Field {
  Class = 2,
  Ttl = 4,
  DataBytes = 8,
  HeaderBytes = 10,
}

/** Records of one message that are looked at; more are left out. */
const RECORDS_MAX = 256;

/**
 * Goes through the records of a message, all three sections in their order. One instance is reused; nothing here allocates. What a
 * record holds lies in the view, in which every offset given here is sound.
 */
export class DnsRecords {
  section: DnsSection = DnsSection.Answer;
  type = 0;
  /** With the upper bit, which multicast DNS uses for something else. */
  class = 0;
  /** s; 0 where the upper bit is set (RFC 2181 section 8). */
  ttlS = 0;
  /** Where the data lie. */
  dataOffset = 0;
  dataEnd = 0;
  /** A record is cut, or its owner's name cannot be skipped: nothing behind it can be read. */
  isBroken = false;
  private view: DataView = new DataView(new ArrayBuffer(0));
  private start = 0;
  private end = 0;
  private first = 0;
  private owner = 0;
  private at = 0;
  private taken = 0;
  private answers = 0;
  private authorities = 0;
  private total = 0;

  /** Takes up the message that lies from `start` to `end`, and whose records begin at `first`, with their numbers by section. */
  set(
    view: DataView,
    start: number,
    end: number,
    first: number,
    answers: number,
    authorities: number,
    additionals: number,
  ): void {
    this.view = view;
    this.start = start;
    this.end = end;
    this.first = first;
    this.answers = answers;
    this.authorities = authorities;
    this.total = Math.min(answers + authorities + additionals, RECORDS_MAX);
    this.rewind();
  }

  /** Back to before the first record. */
  rewind(): void {
    this.at = this.first;
    this.taken = 0;
    this.isBroken = false;
  }

  /** Goes to the next record; false when there is none that can be read. */
  next(): boolean {
    if (this.taken === this.total || this.isBroken) return false;
    const { view, end } = this;
    const header = skipDnsName(view, this.at, end);
    if (header < 0 || header + Field.HeaderBytes > end) return this.giveUp();
    const dataOffset = header + Field.HeaderBytes;
    const dataEnd = dataOffset + view.getUint16(header + Field.DataBytes);
    if (dataEnd > end) return this.giveUp();
    this.owner = this.at;
    this.type = view.getUint16(header);
    this.class = view.getUint16(header + Field.Class);
    this.ttlS = Math.max(view.getInt32(header + Field.Ttl), 0);
    this.dataOffset = dataOffset;
    this.dataEnd = dataEnd;
    this.at = dataEnd;
    const index = this.taken++;
    this.section =
      index < this.answers
        ? DnsSection.Answer
        : index < this.answers + this.authorities
          ? DnsSection.Authority
          : DnsSection.Additional;
    return true;
  }

  /** The upper byte of the time to live of the record, which EDNS uses for something else. */
  get ttlHighByte(): number {
    return this.view.getUint8(this.dataOffset - Field.HeaderBytes + Field.Ttl);
  }

  /** Reads the name to which the record belongs; false if it is not sound. */
  readOwner(name: DnsName): boolean {
    return name.read(this.view, this.start, this.owner, this.end) >= 0;
  }

  /** Reads a name that stands `skip` bytes into the data; false if it is not sound, or not within the data. */
  readDataName(name: DnsName, skip: number): boolean {
    const next = name.read(this.view, this.start, this.dataOffset + skip, this.dataEnd);
    return next >= 0;
  }

  private giveUp(): false {
    this.isBroken = true;
    return false;
  }
}
