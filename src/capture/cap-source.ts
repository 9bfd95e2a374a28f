import assert from 'node:assert';
import { readdirSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';
import type { Cap } from 'cap';
import type { Config } from '../config.js';
import { AppError } from '../errors.js';
import { Errno, errnoText } from '../libc.js';
import type { InterfaceTable } from '../ring/interface-table.js';
import { LinkType } from '../wire/link-type.js';
import { compileFilter } from './bpf.js';
import { linkTypeOfHardware } from './hardware-type.js';
import { type KernelInterface, PacketSocket, PollResult, SocketType } from './packet-socket.js';
import { type FrameSink, type PacketSource, type SourceStatistics, Step } from './source.js';
import { WallClock } from './wall-clock.js';

/** What cap takes of a packet at most (its snap length is fixed). */
const PACKET_BYTES_MAX = 65_535;
/** Longest wait of a step, so that a link that went down is noticed. */
const WAIT_MS_MAX = 50;
/** In a burst that does not end, the caller gets its turn after so many frames. */
const BURST_FRAMES = 1024;

/** Link types by cap's names for them; other numbers it writes out. */
const LINK_TYPES: Readonly<Record<string, number>> = {
  NULL: LinkType.Null,
  ETHERNET: LinkType.Ethernet,
  RAW: LinkType.Raw,
  LINKTYPE_LINUX_SLL: LinkType.LinuxSll,
  IEEE802_11_RADIO: LinkType.Ieee80211Radiotap,
};

/**
 * Every `Cap` ever made. A closed one must not be collected: its poll handle stays in the event loop's list, and its memory would be
 * used again under the loop's feet.
 */
const retired: Cap[] = [];

type CapModule = typeof import('cap')['default'];

async function loadCap(): Promise<CapModule> {
  try {
    return (await import('cap')).default;
  } catch (error) {
    const reason = (error as Error).message.split('\n')[0];
    throw new AppError('CAPTURE_BACKEND_MISSING', `the cap backend cannot be loaded: ${reason}`, { cause: error });
  }
}

const turnOfEventLoop = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const isLinux = process.platform === 'linux';

/** Other threads open and close files all the time, and numbers are used again; nobody else here opens packet sockets. */
function openPacketSockets(): Set<number> {
  const fds = isLinux ? readdirSync('/proc/self/fd').map(Number) : [];
  return new Set(fds.filter((fd) => PacketSocket.isPacketSocket(fd)));
}

/**
 * Captures from one interface through the package cap, which is libpcap with a callback per packet. In the main thread only: cap
 * waits on the main event loop, wherever it is called.
 *
 * cap tells neither time nor wire length. The timestamp is the wall clock when the packet is read, and the wire length is the
 * captured one, which is right for every packet up to 65,535 bytes. On Linux the kernel's counters are read from the socket that
 * libpcap opened; elsewhere there are none, `kernelPackets` is the count of frames handed over and drops go unseen.
 *
 * cap reads until its buffer is empty before anything else in the main thread gets a turn. When the interface goes down, a cap
 * that was not built with `-DNDEBUG` aborts the process; one that was ends the capture with `INTERFACE_DOWN`.
 */
export class CapSource implements PacketSource {
  private readonly clock = new WallClock();
  private readonly buffer = Buffer.alloc(PACKET_BYTES_MAX);
  private readonly view = new DataView(this.buffer.buffer, this.buffer.byteOffset, PACKET_BYTES_MAX);
  private cap: Cap | null = null;
  private socket: PacketSocket | null = null;
  private kernelInterface: KernelInterface | null = null;
  private sink: FrameSink | null = null;
  private interfaceIndex = 0;
  private linkType = 0;
  private frameCount = 0;
  private frameCountSeen = 0;
  /** Frames that libpcap had in its buffer when it could hand over no more. */
  private framesUnread = 0;
  private failure: AppError | null = null;
  private isStopping = false;
  private wakeStep: (() => void) | null = null;
  private immediate: NodeJS.Immediate | null = null;
  private statisticsLast: SourceStatistics = { kernelPackets: 0, kernelDropped: 0, inputBytesRead: 0, inputBytesTotal: 0 };

  constructor(
    private readonly interfaceName: string,
    private readonly config: Config,
  ) {}

  /**
   * Throws `CAPTURE_BACKEND_MISSING`, `INTERFACE_NOT_FOUND`, `INTERFACE_DOWN`, `CAPTURE_NOT_PERMITTED`, `CAPTURE_FILTER_INVALID`,
   * `LIBPCAP_MISSING` or `CAPTURE_FAILED`; then nothing is left open.
   */
  async open(sink: FrameSink, interfaces: InterfaceTable): Promise<void> {
    assert(isMainThread, 'cap works in the main thread only');
    this.close();
    this.failure = null;
    this.isStopping = false;
    this.frameCount = 0;
    this.frameCountSeen = 0;
    this.framesUnread = 0;
    const addon = await loadCap();
    this.checkFirst(addon);
    try {
      const socketsBefore = openPacketSockets();
      this.linkType = this.openCap(addon);
      if (isLinux) await this.takeSocket(socketsBefore);
      this.interfaceIndex = interfaces.indexOf(this.interfaceName, this.linkType);
      this.sink = sink;
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** Finds everything that is usually wrong beforehand: a `Cap` whose `open` failed cannot be closed and leaks its socket. */
  private checkFirst(addon: CapModule): void {
    const { captureFilter, captureSnapBytes } = this.config;
    let linkType: number = LinkType.Ethernet;
    if (isLinux) {
      const probe = PacketSocket.open(SocketType.Raw);
      try {
        this.kernelInterface = probe.interface(this.interfaceName);
      } finally {
        probe.close();
      }
      if (!this.kernelInterface.isUp) throw new AppError('INTERFACE_DOWN', `interface ${this.interfaceName} is down`);
      linkType = linkTypeOfHardware(this.kernelInterface.hardwareType);
    } else if (!addon.deviceList().some(({ name }) => name === this.interfaceName))
      throw new AppError('INTERFACE_NOT_FOUND', `there is no interface ${this.interfaceName}`);
    if (captureFilter === '') return;
    compileFilter(captureFilter, { interface: isLinux ? this.interfaceName : null, linkType, snapBytes: captureSnapBytes });
  }

  /** Returns the link type. */
  private openCap(addon: CapModule): number {
    const cap = new addon.Cap();
    retired.push(cap);
    cap.on('packet', (byteCount) => this.takePacket(byteCount));
    let linkTypeName: string;
    try {
      linkTypeName = cap.open(this.interfaceName, this.config.captureFilter, this.config.captureBufferBytes, this.buffer);
    } catch (error) {
      throw new AppError('CAPTURE_FAILED', `cap cannot open ${this.interfaceName}: ${(error as Error).message}`, {
        cause: error,
      });
    }
    this.cap = cap;
    return LINK_TYPES[linkTypeName] ?? Number(/\d+$/.exec(linkTypeName)?.[0]);
  }

  /**
   * Finds libpcap's socket and starts its counters at 0 with an empty buffer. What came in between the opening and the filter is
   * counted by the kernel and refused by libpcap, so the intake is stopped until all of that is read and forgotten.
   */
  private async takeSocket(socketsBefore: ReadonlySet<number>): Promise<void> {
    const fd = [...openPacketSockets()].find((candidate) => !socketsBefore.has(candidate));
    const kernelInterface = this.kernelInterface;
    if (fd === undefined || !kernelInterface) throw new AppError('CAPTURE_FAILED', 'cannot find the socket that libpcap opened');
    const socket = new PacketSocket(fd);
    this.socket = socket;
    socket.stopIntake(kernelInterface.index);
    do await turnOfEventLoop();
    while (socket.poll(0) === PollResult.Readable);
    if (!this.config.capturePromiscuous) socket.promiscuous(kernelInterface.index, false);
    if (kernelInterface.isLoopback) socket.ignoreOutgoing();
    socket.resetStatistics();
    socket.startIntake(kernelInterface.index);
  }

  /** cap calls this for every packet, from its own loop. */
  private takePacket(byteCount: number): void {
    if (!this.sink) return;
    const { clock, config } = this;
    clock.read();
    const captured = byteCount < config.captureSnapBytes ? byteCount : config.captureSnapBytes;
    this.frameCount++;
    this.sink.frame(this.view, 0, captured, byteCount, clock.seconds, clock.nanoseconds, this.interfaceIndex, this.linkType);
    if (!this.wakeStep) return;
    if (this.frameCount - this.frameCountSeen >= BURST_FRAMES) this.wakeStep();
    else this.immediate ??= setImmediate(this.wakeStep);
  }

  /**
   * Frames are handed over by cap's callback; a step only waits for some, at most 50 ms, and tells whether there were any since the
   * last one. Throws `INTERFACE_DOWN` or `CAPTURE_FAILED` when the interface went down or away.
   */
  step(waitMs: number): Step | Promise<Step> {
    if (!this.cap) return Step.End;
    if (this.takeProgress() === Step.More) return Step.More;
    if (!this.isStopping) this.failure ??= this.takeFailure();
    if (this.failure || this.isStopping) return this.finish();
    return new Promise((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        if (this.immediate) clearImmediate(this.immediate);
        this.immediate = null;
        this.wakeStep = null;
        resolve(this.takeProgress());
      };
      const timer = setTimeout(wake, Math.min(waitMs, WAIT_MS_MAX));
      this.wakeStep = wake;
    });
  }

  private takeProgress(): Step {
    const step = this.frameCount === this.frameCountSeen ? Step.Idle : Step.More;
    this.frameCountSeen = this.frameCount;
    return step;
  }

  /**
   * Why the capture cannot go on, or null. The pending error tells it, unless libpcap has fetched that itself; then the state of
   * the interface does.
   */
  private takeFailure(): AppError | null {
    const { socket, interfaceName } = this;
    if (!socket) return null;
    const errno = socket.takeError();
    if (!socket.isBound()) return new AppError('CAPTURE_FAILED', `interface ${interfaceName} has gone away`);
    if (errno === Errno.ENETDOWN || !socket.isUp(interfaceName))
      return new AppError('INTERFACE_DOWN', `interface ${interfaceName} went down`);
    return errno === 0 ? null : new AppError('CAPTURE_FAILED', `capture on ${interfaceName} failed: ${errnoText(errno)}`);
  }

  /**
   * Hands over what is left; then throws the failure, if there is one. When the event loop saw the error before us it has given the
   * socket up, and frames that libpcap still holds cannot be had: they are counted as dropped.
   */
  private async finish(): Promise<Step> {
    this.stopIntake();
    // The first turn may already be past the point where the loop looks at its sockets.
    await turnOfEventLoop();
    await turnOfEventLoop();
    if (this.takeProgress() === Step.More) return Step.More;
    const { kernelPackets, kernelDropped } = this.statistics();
    this.framesUnread += kernelPackets - kernelDropped - this.frameCount;
    if (this.failure) throw this.failure;
    return Step.Idle;
  }

  /**
   * Ends the intake: what the kernel has counted when this returns is still handed over, and nothing comes in any more. After the
   * first `Step.Idle`, frames handed over = kernelPackets - kernelDropped. Outside Linux it only ends the waiting.
   */
  stopIntake(): void {
    if (this.isStopping) return;
    this.isStopping = true;
    if (this.kernelInterface && this.socket?.isBound()) this.socket.stopIntake(this.kernelInterface.index);
  }

  /** Costs one system call while the source is open. */
  statistics(): SourceStatistics {
    if (this.cap) {
      this.socket?.refreshStatistics();
      const kernelPackets = this.socket?.kernelPackets ?? this.frameCount;
      const kernelDropped = (this.socket?.kernelDropped ?? 0) + this.framesUnread;
      this.statisticsLast = { kernelPackets, kernelDropped, inputBytesRead: 0, inputBytesTotal: 0 };
    }
    return this.statisticsLast;
  }

  /** libpcap closes its socket itself. */
  close(): void {
    const cap = this.cap;
    if (!cap) return;
    this.statistics();
    this.cap = null;
    this.socket = null;
    this.sink = null;
    cap.close();
    this.wakeStep?.();
  }
}
