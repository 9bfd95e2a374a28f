import { CLIENT_HELLO, SERVER_HELLO } from './client-hello.js';
import { SERVER_NAME, writeServerNumber } from './name.js';
import { quicDatagram } from './quic-datagram.js';

const TLS_PORTS: ReadonlySet<number> = new Set([443, 8443, 993]);
const HTTP_PORTS: ReadonlySet<number> = new Set([80, 8080]);
const REQUEST_BYTES = 420;
const NAME_IN_HELLO = Buffer.from(CLIENT_HELLO).indexOf(SERVER_NAME);

/** Names that QUIC clients ask for: a datagram takes a tenth of a millisecond to protect, so they are made once. */
const QUIC_NAMES = 64;

const ascii = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'latin1'));

const REQUEST = ((): Uint8Array => {
  const head = [
    'GET /index.html HTTP/1.1',
    `Host: ${SERVER_NAME}`,
    'User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
    'Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8',
    'Accept-Language: en-GB,en;q=0.5',
    'Accept-Encoding: gzip, deflate',
    'Connection: keep-alive',
  ].join('\r\n');
  const cookie = '\r\nCookie: id=';
  return ascii(`${head}${cookie}${'x'.repeat(REQUEST_BYTES - head.length - cookie.length - 4)}\r\n\r\n`);
})();
const NAME_IN_REQUEST = Buffer.from(REQUEST).indexOf(SERVER_NAME);
const RESPONSE = ascii('HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n');
const BANNER = ascii('SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u7\r\n');

/** Length of a client's first segment to `port`, or null for the usual one. */
export function requestBytes(port: number): number | null {
  return TLS_PORTS.has(port) ? CLIENT_HELLO.length : null;
}

/** Writes what a client or server begins its stream with over the fill bytes at `offset`, as far as `bytes` bytes go. */
export class FirstBytes {
  /** By length, which is another for IPv6, and then by server. */
  private readonly quic = new Map<number, Uint8Array>();

  constructor(
    private readonly bytes: Uint8Array,
    private readonly view: DataView,
  ) {}

  /** The segment behind the handshake, or the first answer to it. */
  tcp(offset: number, bytes: number, fromClient: boolean, port: number, server: number): void {
    if (TLS_PORTS.has(port))
      this.put(fromClient ? CLIENT_HELLO : SERVER_HELLO, offset, bytes, fromClient ? NAME_IN_HELLO : -1, server);
    else if (HTTP_PORTS.has(port))
      this.put(fromClient ? REQUEST : RESPONSE, offset, bytes, fromClient ? NAME_IN_REQUEST : -1, server);
    else if (port === 22) this.put(BANNER, offset, bytes, -1, server);
  }

  /** A QUIC client's first datagram, of `bytes` bytes. */
  quicInitial(offset: number, bytes: number, server: number): void {
    const key = bytes * QUIC_NAMES + (server % QUIC_NAMES);
    let datagram = this.quic.get(key);
    if (datagram === undefined) {
      datagram = quicDatagram(server % QUIC_NAMES, bytes);
      this.quic.set(key, datagram);
    }
    this.bytes.set(datagram, offset);
  }

  private put(what: Uint8Array, offset: number, bytes: number, name: number, server: number): void {
    if (what.length > bytes) return;
    this.bytes.set(what, offset);
    if (name >= 0) writeServerNumber(this.view, offset + name, server);
  }
}
