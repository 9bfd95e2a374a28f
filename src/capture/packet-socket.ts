import koffi from 'koffi';
import { AppError } from '../errors.js';
import { Errno, errnoText, lastErrno, libcFunction, type NativeFunction } from '../libc.js';

const AF_PACKET = 17;

/** Levels and options of setsockopt (asm-generic/socket.h, linux/if_packet.h). */
const enum Level {
  Socket = 1,
  Packet = 263,
}

const enum SocketOption {
  Error = 4,
  AttachFilter = 26,
  Domain = 39,
}

/** PACKET_ options of linux/if_packet.h. */
export const enum PacketOption {
  AddMembership = 1,
  DropMembership = 2,
  RxRing = 5,
  Statistics = 6,
  Version = 10,
  Reserve = 12,
  IgnoreOutgoing = 23,
}

const PACKET_MR_PROMISC = 1;

/** What a packet socket is bound to (linux/if_ether.h). */
const enum Protocol {
  All = 0x0003,
  /** Reserved, and so no frame's EtherType: a socket bound to it receives nothing. */
  None = 0xffff,
}

/** ioctl requests of linux/sockios.h and flags of linux/if.h. */
const enum InterfaceRequest {
  Name = 0x8910,
  Flags = 0x8913,
  HardwareAddress = 0x8927,
  Index = 0x8933,
}

const enum InterfaceFlag {
  Up = 1,
  Loopback = 8,
  /** Up, and the link is, too; where the driver does not know, the link is taken to be up. */
  Running = 64,
}

const POLLIN = 1;

/** Type of a packet socket: with the link header, or without it. */
export const enum SocketType {
  Datagram = 2,
  Raw = 3,
}

/** What `poll` found. */
export const enum PollResult {
  Timeout = 0,
  Readable = 1,
  /** The socket has a pending error: fetch it with `takeError`, or the next poll returns at once again. */
  Error = 2,
}

/** What the kernel knows of an interface. */
export interface KernelInterface {
  readonly index: number;
  /** ARPHRD_ number. */
  readonly hardwareType: number;
  readonly isUp: boolean;
  readonly isLoopback: boolean;
}

/** Whether an interface can deliver anything just now. */
export interface InterfaceStatus {
  readonly index: number;
  readonly isUp: boolean;
  readonly hasCarrier: boolean;
}

/** Bytes of an interface name, without the zero at its end (IFNAMSIZ). */
const NAME_BYTES_MAX = 15;

/** Where a socket's counts go. In shared memory, nothing is lost of them when the thread dies that reads them. */
export interface KernelCounts {
  /** Packets, and those of them that were dropped. */
  readonly kernelTotals: Float64Array;
  /** Three words that the kernel writes. */
  readonly kernelCounts: Uint32Array;
}

/** Counts of a socket that nobody inherits. */
export const newKernelCounts = (): KernelCounts => ({ kernelTotals: new Float64Array(2), kernelCounts: new Uint32Array(3) });

interface Calls {
  readonly socket: NativeFunction;
  readonly close: NativeFunction;
  readonly bind: NativeFunction;
  readonly ioctl: NativeFunction;
  readonly setsockopt: NativeFunction;
  readonly getsockopt: NativeFunction;
  readonly getsockname: NativeFunction;
  readonly poll: NativeFunction;
  readonly ifNameToIndex: NativeFunction;
  /** `struct sock_fprog *` of linux/filter.h. */
  readonly filterPointer: ReturnType<typeof koffi.pointer>;
}

let loaded: Calls | undefined;

function calls(): Calls {
  loaded ??= {
    socket: libcFunction('int socket(int domain, int type, int protocol)'),
    close: libcFunction('int close(int fd)'),
    bind: libcFunction('int bind(int fd, const void *address, uint32_t bytes)'),
    ioctl: libcFunction('int ioctl(int fd, unsigned long request, void *argument)'),
    setsockopt: libcFunction('int setsockopt(int fd, int level, int name, const void *value, uint32_t bytes)'),
    getsockopt: libcFunction('int getsockopt(int fd, int level, int name, void *value, void *bytes)'),
    getsockname: libcFunction('int getsockname(int fd, void *address, void *bytes)'),
    poll: libcFunction('int poll(void *fds, unsigned long count, int timeoutMs)'),
    ifNameToIndex: libcFunction('uint32_t if_nametoindex(const char *name)'),
    filterPointer: koffi.pointer(koffi.struct({ length: 'uint16_t', filter: 'void *' })),
  };
  return loaded;
}

/** An AppError for the native call that just failed. */
export function callFailed(what: string): AppError {
  const errno = lastErrno();
  const code = errno === Errno.EPERM || errno === Errno.EACCES ? 'CAPTURE_NOT_PERMITTED' : 'CAPTURE_FAILED';
  return new AppError(code, `${what} failed: ${errnoText(errno)}`);
}

/** Index of the interface `name` in this network namespace; throws `INTERFACE_NOT_FOUND`. */
function interfaceIndexOf(name: string): number {
  const index = calls().ifNameToIndex(name);
  if (index === 0) throw new AppError('INTERFACE_NOT_FOUND', `there is no interface ${name}`);
  return index;
}

/**
 * One AF_PACKET socket (packet(7)) and the calls that both live sources need. Every method throws `AppError` with the system call
 * and its errno when the call fails: `CAPTURE_NOT_PERMITTED` without CAP_NET_RAW, otherwise `CAPTURE_FAILED`.
 */
export class PacketSocket {
  private readonly calls = calls();
  private readonly pollFd = new Int32Array(2);
  private readonly pollEvents = new Int16Array(this.pollFd.buffer);

  /** Takes over an open packet socket. What the kernel counts is added to `counts`. */
  constructor(
    readonly fd: number,
    private readonly counts: KernelCounts = newKernelCounts(),
  ) {}

  /** Opens a socket that receives nothing until it is bound. */
  static open(type: SocketType, counts?: KernelCounts): PacketSocket {
    const fd = calls().socket(AF_PACKET, type, 0);
    if (fd < 0) throw callFailed('opening a packet socket');
    return new PacketSocket(fd, counts);
  }

  /** Whether `fd` is an open packet socket. */
  static isPacketSocket(fd: number): boolean {
    const domain = new Int32Array(1);
    return calls().getsockopt(fd, Level.Socket, SocketOption.Domain, domain, Uint32Array.of(4)) === 0 && domain[0] === AF_PACKET;
  }

  close(): void {
    if (this.calls.close(this.fd) < 0) throw callFailed('closing the packet socket');
  }

  /** Asks the kernel about the interface `name`; throws `INTERFACE_NOT_FOUND`. */
  interface(name: string): KernelInterface {
    const index = interfaceIndexOf(name);
    const flags = this.interfaceRequest(name, InterfaceRequest.Flags, 'SIOCGIFFLAGS');
    const hardwareType = this.interfaceRequest(name, InterfaceRequest.HardwareAddress, 'SIOCGIFHWADDR');
    return { index, hardwareType, isUp: (flags & InterfaceFlag.Up) !== 0, isLoopback: (flags & InterfaceFlag.Loopback) !== 0 };
  }

  /** How the interface `name` is, or null when there is none of that name. Two system calls. */
  status(name: string): InterfaceStatus | null {
    if (Buffer.byteLength(name) > NAME_BYTES_MAX) return null;
    const index = this.tryInterfaceRequest(name, InterfaceRequest.Index);
    const flags = this.tryInterfaceRequest(name, InterfaceRequest.Flags);
    if (index < 0 || flags < 0) return null;
    return { index, isUp: (flags & InterfaceFlag.Up) !== 0, hasCarrier: (flags & InterfaceFlag.Running) !== 0 };
  }

  /** Name of the interface with this index, or null when there is none. */
  nameOf(index: number): string | null {
    const ifreq = new Uint8Array(40);
    new Int32Array(ifreq.buffer)[4] = index;
    if (this.calls.ioctl(this.fd, InterfaceRequest.Name, ifreq) < 0) return null;
    return new TextDecoder().decode(ifreq.subarray(0, ifreq.indexOf(0)));
  }

  /** Whether the interface `name` is there and up. */
  isUp(name: string): boolean {
    return this.status(name)?.isUp ?? false;
  }

  private interfaceRequest(name: string, request: InterfaceRequest, what: string): number {
    const answer = this.tryInterfaceRequest(name, request);
    if (answer < 0) throw callFailed(`ioctl ${what} on ${name}`);
    return answer;
  }

  /** A `struct ifreq` is 16 bytes of name and up to 24 of answer: 32 bits for the index, 16 for the others used here; or -1. */
  private tryInterfaceRequest(name: string, request: InterfaceRequest): number {
    const ifreq = new Uint8Array(40);
    new TextEncoder().encodeInto(name, ifreq.subarray(0, NAME_BYTES_MAX));
    if (this.calls.ioctl(this.fd, request, ifreq) < 0) return -1;
    return (request === InterfaceRequest.Index ? new Int32Array(ifreq.buffer)[4] : new Uint16Array(ifreq.buffer)[8]) as number;
  }

  /** Sets an option of level SOL_PACKET. `what` names it in the error. */
  setPacketOption(option: PacketOption, value: NodeJS.ArrayBufferView, what: string): void {
    if (this.calls.setsockopt(this.fd, Level.Packet, option, value, value.byteLength) < 0) throw callFailed(what);
  }

  /** The kernel shows a looped packet twice, once on its way out; this hides that copy before it is counted (Linux 4.20). */
  ignoreOutgoing(): void {
    this.setPacketOption(PacketOption.IgnoreOutgoing, Int32Array.of(1), 'setting PACKET_IGNORE_OUTGOING');
  }

  /** Switches promiscuous mode on or off for as long as the socket is open; needs no right beyond CAP_NET_RAW. */
  promiscuous(interfaceIndex: number, on: boolean): void {
    const membership = new Int32Array(4);
    membership[0] = interfaceIndex;
    new Uint16Array(membership.buffer)[2] = PACKET_MR_PROMISC;
    const option = on ? PacketOption.AddMembership : PacketOption.DropMembership;
    this.setPacketOption(option, membership, `switching promiscuous mode ${on ? 'on' : 'off'}`);
  }

  /** Attaches a classic BPF program of 8-byte instructions; frames that it refuses are not counted by the kernel. */
  attachFilter(program: Uint8Array): void {
    const fprog = koffi.as({ length: program.byteLength / 8, filter: program }, this.calls.filterPointer);
    if (this.calls.setsockopt(this.fd, Level.Socket, SocketOption.AttachFilter, fprog, 2 * koffi.sizeof('void *')) < 0)
      throw callFailed('attaching the capture filter');
  }

  /** From here on the socket receives what the interface sees. An interface that is down delivers once it is up. */
  startIntake(interfaceIndex: number): void {
    this.bind(interfaceIndex, Protocol.All);
  }

  /**
   * When this returns, no frame enters the socket any more; those inside it can still be read. Binding to an interface that is down
   * leaves ENETDOWN pending, which would keep a reader from what is inside, so a pending error is cleared.
   */
  stopIntake(interfaceIndex: number): void {
    this.bind(interfaceIndex, Protocol.None);
    this.takeError();
  }

  private bind(interfaceIndex: number, protocol: number): void {
    const address = new DataView(new ArrayBuffer(20));
    new Uint16Array(address.buffer)[0] = AF_PACKET;
    address.setUint16(2, protocol);
    new Int32Array(address.buffer)[1] = interfaceIndex;
    if (this.calls.bind(this.fd, address, address.byteLength) < 0) throw callFailed('binding the packet socket');
  }

  /** Whether the interface that the socket was bound to is still there; the kernel unbinds the socket when it goes away. */
  isBound(): boolean {
    return this.boundIndex() > 0;
  }

  /** Index of the interface that the socket is bound to: 0 for all of them, -1 when its interface has gone away. */
  boundIndex(): number {
    const address = new Int32Array(5);
    if (this.calls.getsockname(this.fd, address, Uint32Array.of(20)) < 0) throw callFailed('getsockname');
    return address[1] as number;
  }

  /** Blocks the thread until something can be read, an error is pending, or `timeoutMs` are over. */
  poll(timeoutMs: number): PollResult {
    this.pollFd[0] = this.fd;
    this.pollEvents[2] = POLLIN;
    this.pollEvents[3] = 0;
    const ready = this.calls.poll(this.pollFd, 1, timeoutMs);
    if (ready < 0) {
      if (lastErrno() === Errno.EINTR) return PollResult.Timeout;
      throw callFailed('poll');
    }
    const revents = this.pollEvents[3] as number;
    if ((revents & ~POLLIN) !== 0) return PollResult.Error;
    return revents === 0 ? PollResult.Timeout : PollResult.Readable;
  }

  /** Fetches the pending error, which clears it: an errno, 0 for none. */
  takeError(): number {
    const error = new Int32Array(1);
    if (this.calls.getsockopt(this.fd, Level.Socket, SocketOption.Error, error, Uint32Array.of(4)) < 0)
      throw callFailed('reading SO_ERROR');
    return error[0] as number;
  }

  /** Brings the counters up to date. The kernel's are 32 bits wide and start again at each call. */
  refreshStatistics(): void {
    const { kernelCounts } = this.counts;
    this.addCounts();
    if (this.calls.getsockopt(this.fd, Level.Packet, PacketOption.Statistics, kernelCounts, Uint32Array.of(12)) < 0)
      throw callFailed('reading PACKET_STATISTICS');
    this.addCounts();
  }

  /** A thread is ended between calls only, so each count is added once: here, or by a successor. */
  private addCounts(): void {
    const { kernelTotals, kernelCounts } = this.counts;
    kernelTotals[0] = (kernelTotals[0] as number) + (kernelCounts[0] as number);
    kernelTotals[1] = (kernelTotals[1] as number) + (kernelCounts[1] as number);
    kernelCounts[0] = 0;
    kernelCounts[1] = 0;
  }

  /** Forgets what was counted so far, here and in the kernel. */
  resetStatistics(): void {
    this.refreshStatistics();
    this.counts.kernelTotals.fill(0);
  }

  /** Packets that passed the filter up to the last refresh, those that were dropped included. */
  get kernelPackets(): number {
    return this.counts.kernelTotals[0] as number;
  }

  /** Packets that found the buffer full, up to the last refresh. */
  get kernelDropped(): number {
    return this.counts.kernelTotals[1] as number;
  }
}
