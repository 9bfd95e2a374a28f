import type { Database } from 'better-sqlite3';
import { Detail } from '../ring/flow-details.js';
import { Details } from '../ring/layout.js';
import { NameSource } from './name-info.js';
import { RowBuffer } from './row-buffer.js';
import type { Texts } from './texts.js';

/** Columns of `flow_tls`, in the order of the table. */
const enum TlsColumn {
  Id = 0,
  Version,
  Alpn,
  Ja4,
  QuicVersion,
  Count,
}

/** Columns of `flow_http`, in the order of the table. */
const enum HttpColumn {
  Id = 0,
  Method,
  Path,
  UserAgent,
  Status,
  Count,
}

/** Kinds of entries that are known here; others are passed over. */
const KINDS = Detail.HttpStatus + 1;
const NONE = -1;

/**
 * Writes what the payload of flows told: rows of `flow_tls` and `flow_http`, for the flows that have any, and the name that the
 * flow itself gives its server. Has no transaction of its own.
 */
export class FlowDetailRows {
  /** What the last `add` found: id of the text and what told it, or `NameSource.None`. */
  name = NONE;
  source = NameSource.None;
  private readonly tls: RowBuffer;
  private readonly http: RowBuffer;
  private bytes: Buffer = Buffer.alloc(0);
  /** Offset of the value of each kind, or `NONE`; its length is the byte before it. */
  private readonly offsets = new Int32Array(KINDS);

  constructor(
    db: Database,
    private readonly texts: Texts,
  ) {
    this.tls = new RowBuffer(db, 'flow_tls', TlsColumn.Count);
    this.http = new RowBuffer(db, 'flow_http', HttpColumn.Count);
  }

  /** Starts a batch; what an abandoned one has left is forgotten. */
  begin(): void {
    this.tls.begin();
    this.http.begin();
  }

  /** Adds what stands in the `detailBytes` bytes from `start` on, for the flow whose row has the id `id`; null: it has no row. */
  add(id: number | null, bytes: Buffer, start: number, detailBytes: number): void {
    this.bytes = bytes;
    this.locate(start, start + Math.min(detailBytes, Details.BytesMax));
    this.findName();
    if (id === null) return;
    if (this.has(Detail.TlsVersion) || this.has(Detail.Alpn) || this.has(Detail.Ja4) || this.has(Detail.QuicVersion)) {
      const { values, at } = this.tls;
      values[at + TlsColumn.Id] = id;
      values[at + TlsColumn.Version] = this.numberOf(Detail.TlsVersion);
      values[at + TlsColumn.Alpn] = this.textOf(Detail.Alpn);
      values[at + TlsColumn.Ja4] = this.textOf(Detail.Ja4);
      values[at + TlsColumn.QuicVersion] = this.numberOf(Detail.QuicVersion);
      this.tls.push();
    }
    if (
      this.has(Detail.HttpMethod) ||
      this.has(Detail.HttpPath) ||
      this.has(Detail.HttpUserAgent) ||
      this.has(Detail.HttpStatus)
    ) {
      const { values, at } = this.http;
      values[at + HttpColumn.Id] = id;
      values[at + HttpColumn.Method] = this.textOf(Detail.HttpMethod);
      values[at + HttpColumn.Path] = this.textOf(Detail.HttpPath);
      values[at + HttpColumn.UserAgent] = this.textOf(Detail.HttpUserAgent);
      values[at + HttpColumn.Status] = this.numberOf(Detail.HttpStatus);
      this.http.push();
    }
  }

  /** Inserts the rows that do not fill a statement. */
  finish(): void {
    this.tls.finish();
    this.http.finish();
  }

  /** Finds where each entry stands. One that would end behind `end` is none, nor is an empty one. */
  private locate(start: number, end: number): void {
    const { bytes, offsets } = this;
    offsets.fill(NONE);
    for (let at = start; at + 2 <= end; ) {
      const kind = bytes[at] as number;
      const length = bytes[at + 1] as number;
      const value = at + 2;
      at = value + length;
      if (at <= end && length > 0 && kind < KINDS) offsets[kind] = value;
    }
  }

  private findName(): void {
    this.source = NameSource.None;
    if (this.has(Detail.Sni)) this.takeName(NameSource.Sni, Detail.Sni);
    else if (this.has(Detail.QuicSni)) this.takeName(NameSource.Quic, Detail.QuicSni);
    else if (this.has(Detail.HttpHost)) this.takeName(NameSource.Http, Detail.HttpHost);
  }

  private takeName(source: NameSource, kind: Detail): void {
    this.source = source;
    this.name = this.textOf(kind) as number;
  }

  private has(kind: Detail): boolean {
    return this.offsets[kind] !== NONE;
  }

  /** Id of the text of an entry, or null without one. */
  private textOf(kind: Detail): number | null {
    const offset = this.offsets[kind] as number;
    if (offset === NONE) return null;
    return this.texts.idOf(this.bytes, offset, offset + (this.bytes[offset - 1] as number));
  }

  private numberOf(kind: Detail): number | null {
    const offset = this.offsets[kind] as number;
    if (offset === NONE) return null;
    const length = Math.min(this.bytes[offset - 1] as number, 4);
    let number = 0;
    for (let i = 0; i < length; i++) number = number * 256 + (this.bytes[offset + i] as number);
    return number;
  }
}
