import { tcpFrame } from './frames.js';
import type { ParseRig } from './parse-rig.js';
import { alpn, clientHello, extension, serverName, supportedVersions } from './tls-hello.js';

export const CLIENT = '192.168.1.10';
export const SERVER = '198.51.100.7';
/** The first sequence number of both sides; the streams wrap soon. */
export const ISN = 0xffff_ff00;

/** One TCP connection, whose segments come in any order. Offsets count from the first byte of each side. */
export class Connection {
  us = 1e6;

  /** Of each frame with more than `snapBytes`, the rest is not captured. */
  constructor(
    readonly rig: ParseRig,
    readonly port = 443,
    readonly clientPort = 40_000,
    private readonly snapBytes = Number.POSITIVE_INFINITY,
  ) {}

  handshake(): this {
    return this.segment(true, -1, '', 'S').segment(false, -1, '', 'S.').segment(true, 0, '');
  }

  /** The server ends the connection. */
  reset(): this {
    return this.segment(false, 0, '', 'R');
  }

  client(offset: number, payload: string | Uint8Array): this {
    return this.segment(true, offset, payload);
  }

  server(offset: number, payload: string | Uint8Array): this {
    return this.segment(false, offset, payload);
  }

  private segment(isClient: boolean, offset: number, payload: string | Uint8Array, flags = '.'): this {
    const [src, dst] = isClient ? [CLIENT, SERVER] : [SERVER, CLIENT];
    const [srcPort, dstPort] = isClient ? [this.clientPort, this.port] : [this.port, this.clientPort];
    const seq = (ISN + 1 + offset) >>> 0;
    this.us += 1000;
    const bytes = tcpFrame({ src, dst, srcPort, dstPort, flags, seq, ack: 1, payload });
    this.rig.feed(bytes.subarray(0, this.snapBytes), this.us, { wireBytes: bytes.length });
    return this;
  }
}

/** A ClientHello of TLS 1.3 that offers HTTP. */
export function hello(name: string, paddingBytes = 0): Uint8Array {
  const padding = extension(21, new Uint8Array(paddingBytes));
  return clientHello({ extensions: [serverName(name), alpn('h2', 'http/1.1'), supportedVersions(0x0304), padding] });
}
