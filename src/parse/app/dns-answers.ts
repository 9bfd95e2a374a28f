import { Dns } from '../../ring/name-records.js';
import { DnsName } from './dns-name.js';
import type { DnsRecords } from './dns-records.js';
import { DnsClass, DnsType } from './dns-type.js';
import { EscapeStyle, putEscaped } from './text-escape.js';

const ENTRY_HEADER_BYTES = 2;
const IPV4_BYTES = 4;
const IPV6_BYTES = 16;
/** Bytes of a text that are kept, and characters that they are written as. */
const TEXT_BYTES_MAX = 100;
const TEXT_CHARS_MAX = 253;
const SPACE = 0x20;

/** Where the name stands in the data of types that have one (RFC 1035 section 3.3, RFC 2782); -1 for other types. */
function nameOffset(type: number): number {
  switch (type) {
    case DnsType.Ns:
    case DnsType.Cname:
    case DnsType.Soa:
    case DnsType.Ptr:
      return 0;
    case DnsType.Mx:
      return 2;
    case DnsType.Srv:
      return 6;
    default:
      return -1;
  }
}

/**
 * What the answers of one message hold, laid out as `Dns.AnswerBytes` tells: addresses, names, the start of texts. What does not fit in
 * `Dns.AnswerBytesMax` bytes is left out, whole; other types are not kept. Reused; allocates nothing.
 */
export class DnsAnswers {
  readonly bytes = new Uint8Array(Dns.AnswerBytesMax);
  length = 0;
  /** Smallest time to live among the addresses, s; 0 if there is none. */
  ttlS = 0;
  private readonly name = new DnsName();
  private readonly text = new Uint8Array(TEXT_CHARS_MAX);
  private hasAddress = false;

  clear(): void {
    this.length = 0;
    this.ttlS = 0;
    this.hasAddress = false;
  }

  /** Takes a record of the view that `records` goes through; false if its data are not what its type demands. */
  add(view: DataView, records: DnsRecords): boolean {
    const { type, dataOffset, dataEnd } = records;
    if (type === DnsType.A || type === DnsType.Aaaa) {
      if ((records.class & DnsClass.Mask) !== DnsClass.Internet) return true;
      if (dataEnd - dataOffset !== (type === DnsType.A ? IPV4_BYTES : IPV6_BYTES)) return false;
      this.addAddress(type, view, dataOffset, dataEnd, records.ttlS);
      return true;
    }
    if (type === DnsType.Txt) return this.addText(view, dataOffset, dataEnd);
    const skip = nameOffset(type);
    if (skip < 0) return true;
    if (!records.readDataName(this.name, skip)) return false;
    this.put(type, this.name.bytes, this.name.length);
    return true;
  }

  /** Takes an address that lies in the view from `offset` to `end`. */
  addAddress(type: DnsType.A | DnsType.Aaaa, view: DataView, offset: number, end: number, ttlS: number): void {
    this.ttlS = this.hasAddress ? Math.min(this.ttlS, ttlS) : ttlS;
    this.hasAddress = true;
    const { bytes } = this;
    let at = this.length;
    if (at + ENTRY_HEADER_BYTES + end - offset > Dns.AnswerBytesMax) return;
    bytes[at++] = type;
    bytes[at++] = end - offset;
    for (let from = offset; from < end; from++) bytes[at++] = view.getUint8(from);
    this.length = at;
  }

  /** A text is strings, each with its length before it (RFC 1035 section 3.3.14); a space is put between them. */
  private addText(view: DataView, offset: number, end: number): boolean {
    const { text } = this;
    let length = 0;
    let taken = 0;
    let isFull = false;
    for (let at = offset; at < end; ) {
      const stringEnd = at + 1 + view.getUint8(at);
      if (stringEnd > end) return false;
      if (at > offset && !isFull) length = putEscaped(text, length, TEXT_CHARS_MAX, SPACE, EscapeStyle.Plain);
      for (at++; at < stringEnd && !isFull; at++) {
        const behind = putEscaped(text, length, TEXT_CHARS_MAX, view.getUint8(at), EscapeStyle.Plain);
        isFull = ++taken > TEXT_BYTES_MAX || behind === length;
        if (!isFull) length = behind;
      }
      at = stringEnd;
    }
    this.put(DnsType.Txt, text, length);
    return true;
  }

  private put(type: number, value: Uint8Array, length: number): void {
    const { bytes } = this;
    let at = this.length;
    if (at + ENTRY_HEADER_BYTES + length > Dns.AnswerBytesMax) return;
    bytes[at++] = type;
    bytes[at++] = length;
    for (let i = 0; i < length; i++) bytes[at++] = value[i] as number;
    this.length = at;
  }
}
