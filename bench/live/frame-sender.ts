import { Errno, errnoText, lastErrno, libcFunction } from '../../src/libc.js';
import { type LoadedFrames, mapMemory } from './loaded-frames.js';

const AF_PACKET = 17;
const SOCK_RAW = 3;
const SOL_SOCKET = 1;
const SO_SNDBUFFORCE = 32;
const SEND_BUFFER_BYTES = 8_388_608;
/** No room at the moment, in two ways that send(2) tells it. */
const EAGAIN = 11;
const ENOBUFS = 105;

/** Frames that one system call takes. */
const BATCH_FRAMES = 128;

/** Words of `struct iovec` and `struct mmsghdr` (bits/types/struct_iovec.h, bits/socket.h) on 64-bit systems. */
const enum Iovec {
  Bytes = 16,
  BaseLowWord = 0,
  BaseHighWord = 1,
  LengthWord = 2,
}

const enum Message {
  Bytes = 64,
  /** Address and number of its iovecs. */
  IovecLowWord = 4,
  IovecHighWord = 5,
  IovecCountWord = 6,
}

const WORD = 2 ** 32;

/** Sends frames on an interface, many with each system call: sendmmsg(2) on a packet socket. */
export class FrameSender {
  private readonly sendmmsg = libcFunction('int sendmmsg(int fd, void *messages, uint32_t count, int flags)');
  private readonly fd: number;
  private readonly words: Uint32Array;
  private readonly messages: bigint;
  private next = 0;
  /** Frames that the kernel refused. */
  refused = 0;

  constructor(
    interfaceName: string,
    private readonly frames: LoadedFrames,
  ) {
    this.fd = openSocket(interfaceName);
    const memory = mapMemory(BATCH_FRAMES * (Iovec.Bytes + Message.Bytes));
    this.words = new Uint32Array(memory.bytes);
    const first = BATCH_FRAMES * Iovec.Bytes;
    this.messages = BigInt(memory.address + first);
    for (let index = 0; index < BATCH_FRAMES; index++) {
      const iovec = memory.address + index * Iovec.Bytes;
      const message = (first + index * Message.Bytes) >> 2;
      this.words[message + Message.IovecLowWord] = iovec % WORD;
      this.words[message + Message.IovecHighWord] = Math.floor(iovec / WORD);
      this.words[message + Message.IovecCountWord] = 1;
    }
  }

  /** Sends at most `count` frames, those that come next; begins again behind the last. Returns how many were sent. */
  send(count: number): number {
    const { words, frames } = this;
    const batch = Math.min(count, BATCH_FRAMES, frames.lengths.length - this.next);
    for (let index = 0; index < batch; index++) {
      const address = frames.address + (frames.offsets[this.next + index] as number);
      const iovec = (index * Iovec.Bytes) >> 2;
      words[iovec + Iovec.BaseLowWord] = address % WORD;
      words[iovec + Iovec.BaseHighWord] = Math.floor(address / WORD);
      words[iovec + Iovec.LengthWord] = frames.lengths[this.next + index] as number;
    }
    const sent = this.sendmmsg(this.fd, this.messages, batch, 0);
    if (sent < 0) return this.refuse();
    this.next = (this.next + sent) % frames.lengths.length;
    return sent;
  }

  /** A frame for which there was no room is tried again; one that cannot be sent is left out and counted. */
  private refuse(): number {
    const errno = lastErrno();
    if (errno === ENOBUFS || errno === EAGAIN || errno === Errno.EINTR) return 0;
    if (errno === Errno.ENETDOWN) throw new Error(`sendmmsg: ${errnoText(errno)}`);
    this.refused++;
    this.next = (this.next + 1) % this.frames.lengths.length;
    return 0;
  }
}

function openSocket(interfaceName: string): number {
  const fd = libcFunction('int socket(int domain, int type, int protocol)')(AF_PACKET, SOCK_RAW, 0);
  if (fd < 0) throw new Error(`socket: ${errnoText(lastErrno())}`);
  const address = new Int32Array(5);
  new Uint16Array(address.buffer)[0] = AF_PACKET;
  address[1] = libcFunction('uint32_t if_nametoindex(const char *name)')(interfaceName);
  if (libcFunction('int bind(int fd, const void *address, uint32_t bytes)')(fd, address, address.byteLength) < 0)
    throw new Error(`bind to ${interfaceName}: ${errnoText(lastErrno())}`);
  const setsockopt = libcFunction('int setsockopt(int fd, int level, int option, const void *value, uint32_t bytes)');
  // Where it is refused, the buffer is smaller and the sender waits more often.
  setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, Int32Array.of(SEND_BUFFER_BYTES), 4);
  return fd;
}
