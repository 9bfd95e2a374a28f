import { closeSync } from 'node:fs';
import { errnoText, lastErrno, libcFunction, type NativeFunction } from '../libc.js';

/** linux/socket.h, asm-generic/socket.h */
const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const SOCK_CLOEXEC = 0o2000000;
const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;
/** Room for a path in `struct sockaddr_un`, its closing zero byte included (unix(7)). */
const PATH_BYTES_MAX = 108;

/**
 * The bytes of `struct sockaddr_un` for an address as NOTIFY_SOCKET gives it: an absolute path, or `@` and the name of an abstract
 * socket, which begins with a zero byte and has none at its end. Null for any other kind (`vsock:` of virtual machines) and for what
 * is too long.
 */
export function socketAddress(text: string): Uint8Array | null {
  const isAbstract = text.startsWith('@');
  const name = Buffer.from(isAbstract ? text.slice(1) : `${text}\0`, 'utf8');
  const isKnown = isAbstract ? name.length > 0 : text.startsWith('/');
  if (!isKnown || name.length + Number(isAbstract) > PATH_BYTES_MAX) return null;
  const address = new Uint8Array(2 + Number(isAbstract) + name.length);
  new Uint16Array(address.buffer, 0, 1)[0] = AF_UNIX;
  address.set(name, address.length - name.length);
  return address;
}

/** Sends datagrams to a socket in the file system or to an abstract one; Node has no datagram sockets of this family. */
export class NotifySocket {
  private readonly fd: number;
  private readonly sendto: NativeFunction;

  /** Throws an `Error` that names the system call. */
  constructor(private readonly address: Uint8Array) {
    const socket = libcFunction('int socket(int domain, int type, int protocol)');
    this.sendto = libcFunction(
      'long sendto(int fd, const void *data, size_t bytes, int flags, const void *address, uint32_t addressBytes)',
    );
    this.fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (this.fd < 0) throw new Error(`socket: ${errnoText(lastErrno())}`);
  }

  /** Sends one datagram without waiting. Returns why it did not get through, or null. */
  send(text: string): string | null {
    const data = Buffer.from(text, 'utf8');
    const sent = this.sendto(this.fd, data, data.byteLength, MSG_DONTWAIT | MSG_NOSIGNAL, this.address, this.address.byteLength);
    return sent < 0 ? `sendto: ${errnoText(lastErrno())}` : null;
  }

  close(): void {
    closeSync(this.fd);
  }
}
