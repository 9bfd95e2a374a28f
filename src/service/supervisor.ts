import type { Config } from '../config.js';
import type { LogLevel, PipelineMemory } from '../messages.js';
import { Cell, monotonicMs, ThreadBlock } from '../ring/thread-block.js';
import { doesApiAnswer, reachableAddress } from './api-answer.js';
import { NotifySocket, socketAddress } from './notify-socket.js';
import { Progress } from './progress.js';
import { openLinks, StatusLine } from './status-line.js';

/** Looks for each time that the service manager's patience lasts: signs of life are at most half of that apart, even if one is late. */
const LOOKS_PER_WATCHDOG = 4;
/** How often the status line is renewed where there is no watchdog, or one with more patience. */
const STATUS_INTERVAL_MS = 10_000;
/** While it starts and stops, the manager is told several times within what it is asked for. */
const TRANSITION_LOOK_MS = 250;
const EXTEND_INTERVAL_MS = 2_000;
const EXTEND_MS = 15_000;

type Log = (level: LogLevel, message: string, fields?: Readonly<Record<string, string | number | boolean>>) => void;
type Phase = 'starting' | 'running' | 'stopping';

/** What the manager's environment says, see sd_notify(3) and sd_watchdog_enabled(3). */
interface Expectations {
  readonly address: Uint8Array | null;
  /** Longest time between two signs of life; null where nobody waits for them. */
  readonly watchdogMs: number | null;
}

/** Reads NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID. */
export function readExpectations(environment: NodeJS.ProcessEnv, processId: number): Expectations {
  const { NOTIFY_SOCKET: socket, WATCHDOG_USEC: microseconds, WATCHDOG_PID: watchedId } = environment;
  const isForUs = watchedId === undefined || Number(watchedId) === processId;
  const watchdogMs = Number(microseconds) / 1000;
  return { address: socket ? socketAddress(socket) : null, watchdogMs: isForUs && watchdogMs > 0 ? watchdogMs : null };
}

/**
 * Tells the service manager (systemd) how flowberry is: READY once it captures, a status line, and signs of life for as long as every
 * thread moves and the API answers. Without a manager it does nothing.
 */
export class Supervisor {
  private socket: NotifySocket | null;
  private readonly lookMs: number;
  private readonly isWatched: boolean;
  private readonly progress: Progress;
  private readonly statusLine: StatusLine;
  private readonly apiBlock: ThreadBlock;
  private phase: Phase = 'starting';
  private timer: NodeJS.Timeout | undefined;
  private extendedMs = Number.NEGATIVE_INFINITY;
  private stall: string | null = null;
  private isUnheard = false;

  constructor(
    private readonly memory: PipelineMemory,
    private readonly config: Config,
    private readonly log: Log,
    environment: NodeJS.ProcessEnv = process.env,
  ) {
    const { address, watchdogMs } = readExpectations(environment, process.pid);
    const nowMs = monotonicMs();
    this.socket = address ? this.open(address) : null;
    this.isWatched = watchdogMs !== null;
    this.lookMs = Math.min(STATUS_INTERVAL_MS, (watchdogMs ?? Number.POSITIVE_INFINITY) / LOOKS_PER_WATCHDOG);
    this.progress = new Progress(memory, config, this.lookMs, nowMs);
    this.statusLine = new StatusLine(memory, nowMs);
    this.apiBlock = new ThreadBlock(memory.api);
    this.schedule(0);
  }

  /** Says that a stop has begun. Until `close`, the manager is asked for patience. */
  stopping(what = 'open flows are being written'): void {
    this.phase = 'stopping';
    this.extendedMs = Number.NEGATIVE_INFINITY;
    this.send(`STOPPING=1\nSTATUS=stopping: ${what}`);
    this.schedule(0);
  }

  /** Says that the configuration is read anew; `isDone` when that is over. The manager waits for the second call. */
  reloading(isDone: boolean): void {
    const microseconds = process.hrtime.bigint() / 1000n;
    this.send(isDone ? 'READY=1' : `RELOADING=1\nMONOTONIC_USEC=${microseconds}`);
  }

  close(): void {
    clearTimeout(this.timer);
    this.socket?.close();
    this.socket = null;
  }

  private open(address: Uint8Array): NotifySocket | null {
    try {
      return new NotifySocket(address);
    } catch (error) {
      this.log('warn', `the service manager cannot be told how flowberry is: ${(error as Error).message}`, {
        code: 'NOTIFY_FAILED',
      });
      return null;
    }
  }

  private schedule(delayMs: number): void {
    if (!this.socket) return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.look(), delayMs);
    this.timer.unref();
  }

  private look(): void {
    const nowMs = monotonicMs();
    this.schedule(this.phase === 'running' ? this.lookMs : TRANSITION_LOOK_MS);
    if (this.phase === 'starting' && this.isCapturing) {
      // A manager that is told in vain is told again.
      if (!this.send(`READY=1\nSTATUS=${this.statusLine.text(nowMs)}`)) return;
      this.phase = 'running';
      this.schedule(this.lookMs);
    } else if (this.phase === 'running') {
      void this.giveSigns(nowMs);
    } else if (nowMs - this.extendedMs >= EXTEND_INTERVAL_MS) {
      this.extendedMs = nowMs;
      // Every step of a start and of a stop has a deadline of its own; main, which keeps them, is alive to say so.
      this.send(`EXTEND_TIMEOUT_USEC=${EXTEND_MS * 1000}${this.phase === 'starting' ? this.whatIsAwaited() : ''}`);
    }
  }

  /** All threads are at work, and at least one interface is open. */
  private get isCapturing(): boolean {
    return this.progress.areAllRunning && openLinks(this.memory).open.length > 0;
  }

  private whatIsAwaited(): string {
    const { closed } = openLinks(this.memory);
    return `\nSTATUS=starting${closed.length > 0 ? `: waiting for ${closed.join(', ')}` : ''}`;
  }

  private async giveSigns(nowMs: number): Promise<void> {
    this.send(`STATUS=${this.statusLine.text(nowMs)}`);
    const stall = this.progress.look(nowMs);
    const isAlive = stall === null && this.isWatched && (await this.doesApiAnswer());
    // Meanwhile a stop may have begun, which has patience of its own.
    if (!this.isWatched || this.phase !== 'running') return;
    if (isAlive) this.send('WATCHDOG=1');
    const reason = stall ?? (isAlive ? null : 'the API does not answer');
    if (reason !== null && this.stall === null)
      this.log('warn', `no sign of life is given to the service manager: ${reason}`, { code: 'WATCHDOG_WITHHELD' });
    this.stall = reason;
  }

  private async doesApiAnswer(): Promise<boolean> {
    const port = this.apiBlock.cell(Cell.ApiPort);
    return await doesApiAnswer(reachableAddress(this.config.apiAddress), port, this.lookMs);
  }

  /** Whether it got through. Tells the log once until it does again. */
  private send(text: string): boolean {
    const failure = this.socket?.send(text) ?? null;
    if (failure !== null && !this.isUnheard)
      this.log('warn', `the service manager cannot be told how flowberry is: ${failure}`, { code: 'NOTIFY_FAILED' });
    this.isUnheard = failure !== null;
    return failure === null;
  }
}
