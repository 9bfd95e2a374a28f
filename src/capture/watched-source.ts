import { AppError } from '../errors.js';
import type { InterfaceTable } from '../ring/interface-table.js';
import { SocketEstate } from '../ring/socket-estate.js';
import { monotonicMs } from '../ring/thread-block.js';
import { GapReason, LinkState } from '../ring/watch-layout.js';
import { checkFilterWords } from './bpf.js';
import { defaultInterface } from './interfaces.js';
import { LinkJournal } from './link-journal.js';
import type { LiveSetup } from './live-setup.js';
import { type InterfaceStatus, PacketSocket, SocketType } from './packet-socket.js';
import { type FrameSink, type PacketSource, type SourceStatistics, Step } from './source.js';

/** Two system calls and a few small files each time. */
const CHECK_INTERVAL_MS = 1000;
/** How long the kernel may take to hand over its last block. */
const RETIRE_WAIT_MS = 50;
const US_PER_MS = 1000;

/** `auto` stands for the interface of the default route, once there is one. */
const AUTO = 'auto';

/** How an interface is watched. */
export interface WatchOptions {
  /** Index in the link table. */
  readonly index: number;
  /** Name of the interface, or `auto`. */
  readonly name: string;
  /** Whether an interface that is down cannot be opened (cap). */
  readonly needsUp: boolean;
  /** Makes the source of one interface; it is opened again each time that the interface comes back. */
  readonly create: (name: string, estate: SocketEstate) => PacketSource;
  readonly setup: LiveSetup;
  /** How often the interface is looked at, and at most tried to be opened; a second by default. */
  readonly checkIntervalMs?: number;
}

/**
 * A live source that outlives its interface: the interface may go down and up, lose its link, go away, come back as another one of
 * the same name, be renamed, or not be there yet. The name is what counts: an interface that was renamed is left alone, and whichever
 * has the name is taken. It is looked at once a second, so the capture goes on at most about a second after the return.
 *
 * What is opened anew starts its counters at 0; the statistics given here go on. Nothing is lost between two sources: an old one is
 * read to its end before it is closed.
 */
export class WatchedSource implements PacketSource {
  private name: string;
  private readonly journal: LinkJournal;
  private readonly setup: LiveSetup;
  private readonly estate: SocketEstate;
  private probe: PacketSocket | null = null;
  /** Kept when it is closed: a Cap that was closed must not be collected, so there is to be one source and no more. */
  private source: PacketSource | null = null;
  private readonly checkIntervalMs: number;
  private isOpen = false;
  /** The source still hands over what it has, and is then closed. */
  private isRetiring = false;
  private isStopping = false;
  private hasLostLink = false;
  private needsUp: boolean;
  private openIndex = 0;
  private hardwareType = -1;
  private stateBefore = LinkState.Up;
  private failure = '';
  private checkDueMs = 0;
  private openDueMs = 0;
  private steppedMs = 0;
  private packetsBefore = 0;
  private droppedBefore = 0;
  private sink: FrameSink | null = null;
  private interfaces: InterfaceTable | null = null;

  constructor(private readonly options: WatchOptions) {
    this.name = options.name;
    this.needsUp = options.needsUp;
    this.setup = options.setup;
    this.estate = new SocketEstate(this.setup.linkMemory, options.index, this.setup.block);
    this.checkIntervalMs = options.checkIntervalMs ?? CHECK_INTERVAL_MS;
    this.journal = new LinkJournal(options.index, options.name, options.setup);
  }

  /**
   * Opens the interface if it is there, and waits for it otherwise. Throws what the source throws for anything but an interface that
   * is not there or down; with `capture.wait-for-interface` off, for that as well.
   */
  async open(sink: FrameSink, interfaces: InterfaceTable): Promise<void> {
    const { captureWaitForInterface, captureFilter } = this.setup.config;
    this.sink = sink;
    this.interfaces = interfaces;
    const probeFd = this.estate.probeFd;
    this.probe = probeFd === null ? PacketSocket.open(SocketType.Raw) : new PacketSocket(probeFd);
    this.estate.probeFd = this.probe.fd;
    try {
      const status = this.status();
      if (!status && !captureWaitForInterface) throw new AppError('INTERFACE_NOT_FOUND', `there is no interface ${this.name}`);
      if (!status && captureFilter !== '') checkFilterWords(captureFilter);
      // What a predecessor left is to be read to its end, wherever its interface is now.
      const failure = status || this.estate.find() ? await this.openSource(status) : null;
      const isAway = failure?.code === 'INTERFACE_NOT_FOUND' || failure?.code === 'INTERFACE_DOWN';
      if (failure && !(isAway && captureWaitForInterface)) throw failure;
      this.checkDueMs = monotonicMs() + this.checkIntervalMs;
      this.settle(this.status(), this.setup.nowUs());
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** See `PacketSource`; never throws for what happens to the interface. */
  step(waitMs: number): Step | Promise<Step> {
    const nowMs = monotonicMs();
    if (nowMs >= this.checkDueMs && !this.isStopping) {
      this.checkDueMs = nowMs + this.checkIntervalMs;
      const checking = this.check(nowMs);
      if (checking) return checking.then(() => Step.Idle);
    }
    const { source } = this;
    if (!source || !this.isOpen) return this.rest(waitMs);
    try {
      const step = source.step(this.isRetiring && waitMs < RETIRE_WAIT_MS ? RETIRE_WAIT_MS : waitMs);
      if (typeof step === 'number') return this.stepped(step, nowMs);
      return step.then(
        (value) => this.stepped(value, nowMs),
        (error) => this.lost(error),
      );
    } catch (error) {
      return this.lost(error);
    }
  }

  private rest(waitMs: number): Step | Promise<Step> {
    if (waitMs === 0 || this.isStopping) return Step.Idle;
    return new Promise((resolve) => setTimeout(resolve, waitMs, Step.Idle));
  }

  private stepped(step: Step, startedMs: number): Step {
    if (step === Step.Idle) {
      if (this.isRetiring) this.closeSource();
      else if (this.source?.takeLinkLoss?.()) {
        this.hasLostLink = true;
        this.checkDueMs = 0;
        // The loss came after the step before this one: that one would have seen it.
        return step;
      }
    }
    this.steppedMs = startedMs;
    return step;
  }

  /** The source has ended; what it had is handed over. */
  private lost(error: unknown): Step {
    if (!(error instanceof AppError)) throw error;
    this.closeSource();
    this.hasLostLink = true;
    this.checkDueMs = 0;
    return Step.Idle;
  }

  private check(nowMs: number): void | Promise<void> {
    const nowUs = this.setup.nowUs();
    const status = this.status();
    if (this.isOpen && !this.isRetiring && this.isAnother(status)) this.retire();
    const mayOpen = status !== null && (status.isUp || !this.needsUp) && nowMs >= this.openDueMs;
    if (this.isOpen || !mayOpen) return this.settle(status, nowUs);
    return this.openSource(status).then(() => this.settle(status, this.setup.nowUs()));
  }

  /** Whether the name now stands for another interface than the one that is open, or that one has changed its kind. */
  private isAnother(status: InterfaceStatus | null): boolean {
    if (!status || status.index !== this.openIndex) return true;
    return this.stateBefore !== LinkState.Up && status.isUp && this.hardwareTypeNow() !== this.hardwareType;
  }

  /** Lets the source hand over what it has, and no more. */
  private retire(): void {
    this.isRetiring = true;
    try {
      this.source?.stopIntake?.();
    } catch (error) {
      this.lost(error);
    }
  }

  /** Tells health and log how the interface is. */
  private settle(status: InterfaceStatus | null, nowUs: number): void {
    const { journal } = this;
    const isCapturing = this.isOpen && !this.isRetiring;
    let state = LinkState.Up;
    if (!status) state = LinkState.Missing;
    else if (!status.isUp) state = LinkState.Down;
    else if (!isCapturing) state = LinkState.Failed;
    else if (!status.hasCarrier) state = LinkState.NoCarrier;
    const lossUs = nowUs - Math.ceil(Math.max(0, monotonicMs() - this.steppedMs) * US_PER_MS);
    if (this.hasLostLink && state === LinkState.Up) journal.flapped(GapReason.Down, lossUs, nowUs);
    const sinceUs = this.hasLostLink ? lossUs : journal.checkedUs || nowUs;
    if (state === LinkState.Failed && this.isRetiring) journal.check(state, nowUs, sinceUs, GapReason.Replaced);
    else journal.check(state, nowUs, sinceUs);
    this.hasLostLink = false;
    this.stateBefore = state;
  }

  /** Opens the source. Answers why it could not be opened, or null. */
  private async openSource(status: InterfaceStatus | null): Promise<AppError | null> {
    this.source ??= this.options.create(this.name, this.estate);
    this.openDueMs = monotonicMs() + this.checkIntervalMs;
    try {
      this.hardwareType = this.hardwareTypeNow();
      await this.source.open(this.sink as FrameSink, this.interfaces as InterfaceTable);
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      if (error.code === 'INTERFACE_DOWN') this.needsUp = true;
      else if (error.message !== this.failure && error.code !== 'INTERFACE_NOT_FOUND')
        this.journal.say('warn', error.message, { code: error.code });
      this.failure = error.message;
      return error;
    }
    this.failure = '';
    this.isOpen = true;
    this.openIndex = status?.index ?? 0;
    this.steppedMs = monotonicMs();
    this.journal.opened(this.source.isInherited === true);
    return null;
  }

  private status(): InterfaceStatus | null {
    if (this.name === AUTO && !this.resolve()) return null;
    return this.probe?.status(this.name) ?? null;
  }

  /** `auto` is settled once and for all by the first interface that it finds. */
  private resolve(): boolean {
    try {
      this.name = defaultInterface();
    } catch {
      return false;
    }
    this.journal.rename(this.name);
    return true;
  }

  /** -1 when the interface has just gone. */
  private hardwareTypeNow(): number {
    try {
      return this.probe?.interface(this.name).hardwareType ?? -1;
    } catch {
      return -1;
    }
  }

  private closeSource(): void {
    if (!this.source || !this.isOpen) return;
    this.isOpen = false;
    this.isRetiring = false;
    this.source.close();
    const { kernelPackets, kernelDropped } = this.source.statistics();
    this.packetsBefore += kernelPackets;
    this.droppedBefore += kernelDropped;
  }

  get fd(): number | null {
    return this.isOpen ? (this.source?.fd ?? null) : null;
  }

  restMs(): number {
    return (this.isOpen && !this.isRetiring ? this.source?.restMs?.() : undefined) ?? Number.POSITIVE_INFINITY;
  }

  statistics(): SourceStatistics {
    const now = this.isOpen ? this.source?.statistics() : undefined;
    return {
      kernelPackets: this.packetsBefore + (now?.kernelPackets ?? 0),
      kernelDropped: this.droppedBefore + (now?.kernelDropped ?? 0),
      inputBytesRead: 0,
      inputBytesTotal: 0,
    };
  }

  stopIntake(): void {
    this.isStopping = true;
    if (this.isOpen && !this.isRetiring) this.retire();
  }

  close(): void {
    this.closeSource();
    this.journal.close();
    if (this.probe) this.estate.probeFd = null;
    this.probe?.close();
    this.probe = null;
  }
}
