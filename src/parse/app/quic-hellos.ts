import { readCryptoFrames } from './quic-frames.js';
import { LongHeader, QuicPacket, readLongHeader } from './quic-header.js';
import { clientInitialKeys, type InitialKeys } from './quic-keys.js';
import { QuicUnprotector } from './quic-unprotect.js';
import { StreamAssembly } from './stream-assembly.js';
import { type ClientHello, readClientHello } from './tls-client-hello.js';
import { HELLO_BYTES_MAX } from './tls-records.js';

/** Flows whose ClientHello is waited for; beyond them, the one that was seen first is forgotten and gives no name. */
const FLOWS_MAX = 256;
/** Packets of a datagram that are looked at; a client sends Initial, 0-RTT and Handshake at most once each. */
const PACKETS_PER_DATAGRAM_MAX = 4;
/** Initial packets of a flow that are tried before it stays without a name. */
const INITIALS_PER_FLOW_MAX = 10;
/**
 * Initial packets that are decrypted per second of packet time. Each costs the keys and two ciphers, so that a flood of them could
 * hold up everything else; beyond this, they are counted in `skipped`, and names are not read. No home or office comes near it.
 */
export const DECRYPTIONS_PER_SECOND_MAX = 5000;
const US_PER_SECOND = 1e6;

const MESSAGE_HEADER_BYTES = 4;
const CLIENT_HELLO = 1;

/** What the first packets of a QUIC connection tell. */
export interface QuicHello {
  /** As on the wire; a `QuicVersion`. */
  readonly version: number;
  readonly hello: ClientHello;
}

/** What is known of a flow whose ClientHello is not complete. */
interface Waiting {
  version: number;
  dcid: Uint8Array;
  keys: InitialKeys;
  triedCount: number;
  /** Absent until a packet was decrypted. */
  assembly: StreamAssembly | null;
  /** The ClientHello was found, or given up. */
  isDone: boolean;
}

/**
 * Reads the ClientHellos of QUIC connections out of their Initial packets, whose keys everyone can derive who sees the first one (RFC
 * 9001 section 5.2). The memory is bounded: a ClientHello takes 16 KiB while it is incomplete, so 4 MiB if 256 come at once.
 */
export class QuicHellos {
  /** Initial packets that were not tried since there were too many in that second. */
  skipped = 0;
  /** In the order in which the flows were first seen. */
  private readonly flows = new Map<number, Waiting>();
  private readonly freeAssemblies: StreamAssembly[] = [];
  private readonly header = new LongHeader();
  private readonly unprotector = new QuicUnprotector();
  private second = 0;
  private decryptions = 0;

  /**
   * Takes a datagram that lies in `view` from `offset` to `end` and was sent by the client of `flow`, a number of the caller's, at `us`
   * (µs since 1970, packet time). Returns what the client says as soon as it is complete, once; null before and after.
   */
  read(flow: number, view: DataView, offset: number, end: number, us: number): QuicHello | null {
    const { header } = this;
    let at = offset;
    for (let count = 0; count < PACKETS_PER_DATAGRAM_MAX && at < end; count++) {
      if (!readLongHeader(view, at, end, header)) return null;
      if (header.type === QuicPacket.Initial) {
        const found = this.takeInitial(flow, view, at, us);
        if (found !== null) return found;
      }
      at = header.end;
    }
    return null;
  }

  /** Forgets `flow`, so that its number can stand for another one. */
  forget(flow: number): void {
    const waiting = this.flows.get(flow);
    if (waiting === undefined) return;
    this.finish(waiting);
    this.flows.delete(flow);
  }

  private takeInitial(flow: number, view: DataView, at: number, us: number): QuicHello | null {
    const known = this.flows.get(flow);
    if (known?.isDone === true || !this.mayDecrypt(us)) return null;
    const waiting = known ?? this.begin(flow, view);
    const frames = this.decrypt(waiting, view, at, us);
    waiting.triedCount++;
    const hello = frames === null ? null : this.takeFrames(waiting, frames);
    if (waiting.triedCount >= INITIALS_PER_FLOW_MAX) this.finish(waiting);
    return hello === null ? null : { version: waiting.version, hello };
  }

  /**
   * The frames of the Initial packet in `this.header`. Its keys come from the connection id of the flow's first one, or from its own
   * if the server has sent a Retry or the client begins anew (RFC 9001 section 5.2); what was collected then belongs to another try.
   */
  private decrypt(waiting: Waiting, view: DataView, at: number, us: number): Uint8Array | null {
    const { header, unprotector } = this;
    const isSameVersion = header.version === waiting.version;
    const frames = isSameVersion ? unprotector.open(view, at, header, waiting.keys) : null;
    if (frames !== null || (isSameVersion && isSameId(waiting.dcid, view, header))) return frames;
    if (isSameVersion && !this.mayDecrypt(us)) return null;
    const dcid = copyId(view, header);
    const keys = clientInitialKeys(header.version, dcid);
    const others = unprotector.open(view, at, header, keys);
    if (others === null) return null;
    waiting.version = header.version;
    waiting.dcid = dcid;
    waiting.keys = keys;
    waiting.assembly?.clear();
    return others;
  }

  /** The ClientHello, if `frames` complete it. */
  private takeFrames(waiting: Waiting, frames: Uint8Array): ClientHello | null {
    waiting.assembly ??= this.freeAssemblies.pop() ?? new StreamAssembly(HELLO_BYTES_MAX);
    const { assembly } = waiting;
    readCryptoFrames(new DataView(frames.buffer, frames.byteOffset, frames.length), 0, frames.length, assembly);
    const bytes = assembly.contiguousBytes;
    if (bytes < MESSAGE_HEADER_BYTES) return null;
    const messageBytes = MESSAGE_HEADER_BYTES + (assembly.view.getUint32(0) & 0xffffff);
    const isHello = assembly.view.getUint8(0) === CLIENT_HELLO && messageBytes <= HELLO_BYTES_MAX;
    if (isHello && bytes < messageBytes) return null;
    const hello = isHello ? readClientHello(assembly.view, 0, messageBytes) : null;
    this.finish(waiting);
    return hello;
  }

  private begin(flow: number, view: DataView): Waiting {
    if (this.flows.size >= FLOWS_MAX) this.forget(this.flows.keys().next().value as number);
    const { version } = this.header;
    const dcid = copyId(view, this.header);
    const keys = clientInitialKeys(version, dcid);
    const waiting: Waiting = { version, dcid, keys, triedCount: 0, assembly: null, isDone: false };
    this.flows.set(flow, waiting);
    return waiting;
  }

  /** Nothing more is expected of a flow; its assembly is free for another one. */
  private finish(waiting: Waiting): void {
    waiting.isDone = true;
    if (waiting.assembly === null) return;
    waiting.assembly.clear();
    this.freeAssemblies.push(waiting.assembly);
    waiting.assembly = null;
  }

  /** Whether this second has room for another decryption, which is then counted. */
  private mayDecrypt(us: number): boolean {
    const second = Math.floor(us / US_PER_SECOND);
    if (second !== this.second) {
      this.second = second;
      this.decryptions = 0;
    }
    if (this.decryptions >= DECRYPTIONS_PER_SECOND_MAX) {
      this.skipped++;
      return false;
    }
    this.decryptions++;
    return true;
  }
}

function isSameId(dcid: Uint8Array, view: DataView, { dcidOffset, dcidBytes }: LongHeader): boolean {
  if (dcid.length !== dcidBytes) return false;
  return dcid.every((byte, index) => byte === view.getUint8(dcidOffset + index));
}

/** A copy in memory that is not shared. */
function copyId(view: DataView, { dcidOffset, dcidBytes }: LongHeader): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset + dcidOffset, dcidBytes).slice();
}
