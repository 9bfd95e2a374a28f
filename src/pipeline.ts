import { MessageChannel, type MessagePort, type Worker } from 'node:worker_threads';
import type { Piscina } from 'piscina';
import { type AffinityPlan, availableCpus, coresOf, resolveAffinity, setProcessMask } from './affinity.js';
import { Capture } from './capture/capture.js';
import type { Config } from './config.js';
import { exposeControl, unwrap, withDeadline } from './control.js';
import { ControlledThread } from './controlled-thread.js';
import { AppError, type ErrorData } from './errors.js';
import { allocateMemory, heapMibMax, workerCountOf, youngMibMaxOf } from './memory.js';
import type {
  ApiControl,
  CaptureControl,
  CaptureEnd,
  LogEvent,
  LogLevel,
  MaintenanceControl,
  Outcome,
  ParseStart,
  PipelineMemory,
  Session,
  SourceSpec,
  ThreadEvent,
  ThreadStart,
  WriterControl,
} from './messages.js';
import { poolFlags } from './pool-flags.js';
import { RestartLimit } from './restart-limit.js';
import { Doorbell } from './ring/doorbell.js';
import { HostBlock } from './ring/host-block.js';
import { Command } from './ring/layout.js';
import { monotonicMs, ThreadBlock } from './ring/thread-block.js';
import { SILENCE_MS_MAX, Watchdog } from './watchdog.js';

/** How long a thread may take to answer a call that only opens something. */
const OPEN_DEADLINE_MS = 60_000;
const CLOSE_DEADLINE_MS = 2_000;
const NOTE_DEADLINE_MS = 5_000;
const RECONFIGURE_DEADLINE_MS = 5_000;
/** How long a parse worker may take until it runs, most of it for sorting a flow table that it takes over. */
const PARSE_START_MS_MAX = 30_000;
const HUNG = `it gave no sign of life for ${SILENCE_MS_MAX / 1000} s`;

/** Where log lines of all threads go. */
export type Log = (level: LogLevel, message: string, fields?: LogEvent['fields']) => void;

export interface PipelineOptions {
  readonly config: Config;
  readonly session: Session;
  readonly source: SourceSpec;
  readonly hasApi: boolean;
  /** The operator's name for the database; `db.path` of the config where it is not given. */
  readonly databaseName?: string;
  /** Has the database saved where it lies in memory, as `MaintenanceControl.saveDatabase` says. */
  readonly askSave?: () => number | null;
  readonly log: Log;
}

/** What there is to say once everything runs. */
export interface PipelineStarted {
  /** Where the API listens, or null without one. */
  readonly api: { readonly address: string; readonly port: number } | null;
  readonly journalMode: string;
  /** Why CPUs are not laid out as asked for, or null. */
  readonly affinityNote: string | null;
}

/**
 * Starts the threads, watches them, replaces those that die, and drains them in order. The memory that they share is allocated
 * here and outlives each of them, so a replacement goes on where its predecessor stopped.
 */
export class Pipeline {
  readonly memory: PipelineMemory;
  private readonly affinity: AffinityPlan;
  private readonly affinityNote: string | null;
  private readonly capture: CaptureControl;
  private readonly captureThread: ControlledThread<CaptureControl> | null = null;
  private readonly writerThread: ControlledThread<WriterControl>;
  private readonly apiThread: ControlledThread<ApiControl> | null = null;
  private readonly pool: Promise<Piscina>;
  private readonly restarts: RestartLimit;
  private readonly watchdog = new Watchdog(monotonicMs);
  /** How to end the task of each parse worker. */
  private readonly parseAborts: AbortController[] = [];
  /** Resolves when no thread that was ended works on any more; a successor must wait for that. */
  private parseEnded: Promise<unknown> = Promise.resolve();
  private readonly hashSeed = Math.floor(Math.random() * 2 ** 53);
  /** A live capture, from the start on. */
  private capturing: Promise<CaptureEnd> | null = null;
  private parsing: Promise<unknown> = Promise.resolve();
  private writing: Promise<unknown> = Promise.resolve();
  private fail: (error: AppError) => void = () => undefined;
  /** Rejects when the pipeline cannot go on. */
  private readonly failed = new Promise<never>((_, reject) => {
    this.fail = reject;
  });

  /** What replacements of threads are started with. */
  private config: Config;

  constructor(private readonly options: PipelineOptions) {
    const { config, source } = options;
    this.config = config;
    const cores = coresOf(availableCpus());
    const workers = workerCountOf(config, cores);
    this.memory = allocateMemory(config, workers, options.session.mode);
    this.restarts = new RestartLimit(config.threadsDeathsPerMinuteMax);
    // A replay floats unless told otherwise: it is over soon, and pinning costs it time at the start.
    const isFloating = options.session.mode === 'replay' && config.cpuAffinity === 'auto';
    this.affinity = resolveAffinity(isFloating ? 'off' : config.cpuAffinity, workers);
    this.affinityNote = this.applyProcessMask();
    this.failed.catch(() => undefined);
    this.writerThread = this.controlled('writer', './store/thread.js', null);
    if (options.hasApi)
      this.apiThread = this.controlled('api', './api/thread.js', null, () => ({
        maintenance: this.maintenancePort(),
        databaseName: options.databaseName ?? config.dbPath,
      }));
    if (source.type === 'cap') {
      this.capture = new Capture({ ...this.threadStart(null, this.eventPort()), control: new MessageChannel().port1, source });
    } else {
      this.captureThread = this.controlled('capture', './capture/thread.js', this.affinity.capture, () => ({ source }));
      this.capture = this.captureThread.control;
    }
    this.pool = this.startPool(workers);
    this.pool.catch(() => undefined);
  }

  /** Loads Piscina while the other threads are starting: it takes as long as they do. */
  private async startPool(workers: number): Promise<Piscina> {
    const { Piscina } = await import('piscina');
    const pool = new Piscina({
      filename: new URL('./parse/thread.js', import.meta.url).href,
      minThreads: workers,
      maxThreads: workers,
      atomics: 'disabled',
      idleTimeout: Number.POSITIVE_INFINITY,
      resourceLimits: { maxOldGenerationSizeMb: heapMibMax(this.memory.flowTables[0]) },
      execArgv: poolFlags(),
    });
    // A worker that dies before it has its task is replaced by the pool, which only tells that it happened.
    pool.on('error', (error: Error) => this.mayReplace('parse', error.message));
    return pool;
  }

  /** Says why CPUs are not laid out as asked for, or null. */
  private applyProcessMask(): string | null {
    const { processMask, note } = this.affinity;
    return note ?? (processMask ? setProcessMask(processMask) : null);
  }

  /**
   * Opens source, database and API, in this order, and starts the threads. Throws `AppError` when one of them cannot be opened;
   * call `stop` all the same.
   */
  async start(): Promise<PipelineStarted> {
    await this.ask(this.captureThread, this.capture.open(), 'opening the source');
    if (this.options.session.mode === 'live') {
      // Packets come in from here on, and their rings last longer than the kernel's buffer.
      this.capturing = this.captureToEnd();
      this.capturing.catch(() => undefined);
    }
    const opened = await this.ask(this.writerThread, this.writerThread.control.open(), 'opening the database');
    const { apiThread } = this;
    const api = apiThread ? await this.ask(apiThread, apiThread.control.listen(), 'starting the API') : null;
    if (apiThread) this.watchApi(apiThread);
    this.writing = this.supervise(
      this.writerThread,
      (writer) => writer.run(),
      (writer) => writer.open(),
    );
    this.writing.catch(this.fail);
    this.parsing = Promise.all(this.memory.parse.map((_, index) => this.parse(index)));
    this.parsing.catch(this.fail);
    this.watch();
    return { api, journalMode: opened.journalMode, affinityNote: this.affinityNote };
  }

  /** Captures until the input ends or `requestStop`; answers how it ended. Rejects when the pipeline cannot go on. */
  async run(): Promise<CaptureEnd> {
    return await Promise.race([this.capturing ?? this.captureToEnd(), this.failed]);
  }

  private captureToEnd(): Promise<CaptureEnd> {
    const { captureThread } = this;
    return captureThread ? this.runCapture(captureThread) : this.capture.run().then(unwrap);
  }

  /**
   * Has the threads go by another config, as far as they can at run time. Throws `AppError` when writer or API do not answer; the
   * replacement of one that has died goes by the new config anyway.
   */
  async reconfigure(config: Config): Promise<void> {
    this.config = config;
    new HostBlock(this.memory.host).setTimeouts(config);
    for (const block of this.memory.parse) new Doorbell(block).wake();
    await Promise.all([this.writerThread, this.apiThread].map((thread) => this.reconfigureThread(thread, config)));
  }

  private async reconfigureThread(thread: ControlledThread<WriterControl | ApiControl> | null, config: Config): Promise<void> {
    if (thread === null) return;
    const answer = withDeadline(thread.control.reconfigure(config), RECONFIGURE_DEADLINE_MS, `the ${thread.name}`);
    const outcome = await Promise.race([answer, thread.death]);
    if (typeof outcome !== 'string') unwrap(outcome);
  }

  /** Asks the capture to end; `run` then resolves. */
  requestStop(): void {
    this.command(this.memory.capture, Command.Drain);
  }

  /**
   * Drains what the capture has handed over: the parse workers write their flows, the writer commits them and closes the
   * database. Rejects when that fails. The API answers until `close`.
   */
  async drain(): Promise<void> {
    for (const block of this.memory.parse) this.command(block, Command.Drain);
    await Promise.race([this.parsing, this.failed]);
    this.command(this.memory.writer, Command.Drain);
    await Promise.race([this.writing, this.failed]);
  }

  /** Ends all threads, whatever they do. */
  async close(): Promise<void> {
    this.watchdog.stop();
    if (this.apiThread)
      await withDeadline(this.apiThread.control.close(), CLOSE_DEADLINE_MS, 'closing the API').catch(() => undefined);
    await Promise.all([
      this.pool.then((pool) => pool.destroy()),
      this.captureThread?.terminate(),
      this.writerThread.terminate(),
      this.apiThread?.terminate(),
    ]);
  }

  /**
   * Watches the threads that can be replaced. Those are all but the capture of a replay, whose input may keep it waiting for as long
   * as it likes, and the cap backend, which runs in main.
   */
  private watch(): void {
    const { memory, watchdog, captureThread, writerThread, apiThread } = this;
    // The calls that open them have deadlines.
    for (const [thread, block] of [
      [this.options.session.mode === 'live' ? captureThread : null, memory.capture],
      [writerThread, memory.writer],
      [apiThread, memory.api],
    ] as const)
      if (thread) watchdog.watch({ name: thread.name, block, startMsMax: Number.POSITIVE_INFINITY, end: () => thread.end(HUNG) });
    for (const [index, block] of memory.parse.entries()) {
      watchdog.watch({ name: `parse-${index}`, block, startMsMax: PARSE_START_MS_MAX, end: () => void this.endParse(index) });
    }
    watchdog.start();
  }

  /** A live capture that dies is replaced. A replay is not: it would read its files from the start again. */
  private async runCapture(thread: ControlledThread<CaptureControl>): Promise<CaptureEnd> {
    if (this.options.session.mode === 'replay') return await this.ask(thread, thread.control.run(), 'reading the input', null);
    return await this.supervise(
      thread,
      (capture) => capture.run(),
      (capture) => capture.open(),
    );
  }

  /** The API holds nothing that could be lost: a replacement listens again. */
  private watchApi(thread: ControlledThread<ApiControl>): void {
    const forever = new Promise<Outcome>(() => undefined);
    this.supervise(
      thread,
      () => forever,
      (api) => api.listen(),
    ).catch(this.fail);
  }

  private threadStart(cpu: number | null, events: MessagePort): ThreadStart {
    return { config: this.config, memory: this.memory, session: this.options.session, cpu, events };
  }

  /** A port whose lines go to the log. */
  private eventPort(onStarted: () => void = () => undefined): MessagePort {
    const { port1, port2 } = new MessageChannel();
    port1.on('message', (event: ThreadEvent) => {
      if (event.type === 'started') onStarted();
      else this.options.log(event.level, event.message, event.fields);
    });
    port1.unref();
    return port2;
  }

  /** A port on which the API may have something done. */
  private maintenancePort(): MessagePort {
    const { port1, port2 } = new MessageChannel();
    const answered = <T>(call: Promise<Outcome<T>>, what: string): Promise<Outcome<T>> =>
      withDeadline(call, NOTE_DEADLINE_MS, what).catch((error) => ({ ok: false, error: AppError.from(error).toData() }));
    const controls: MaintenanceControl = {
      noteDevice: (update) => answered(this.writerThread.control.noteDevice(update), 'noting a device'),
      acknowledgeAlert: (id, isAcknowledged) =>
        answered(this.writerThread.control.acknowledgeAlert(id, isAcknowledged), 'acknowledging an alert'),
      saveDatabase: async () => ({ ok: true, value: this.options.askSave?.() ?? null }),
    };
    exposeControl(port1, controls);
    port1.unref();
    return port2;
  }

  private controlled<T extends object>(
    name: string,
    file: string,
    cpu: number | null,
    extra: () => object = () => ({}),
  ): ControlledThread<T> {
    const makeStart = (onStarted: () => void): ThreadStart => ({
      ...this.threadStart(cpu, this.eventPort(onStarted)),
      ...extra(),
    });
    return new ControlledThread<T>(name, new URL(file, import.meta.url), makeStart, heapMibMax(), youngMibMaxOf(name));
  }

  /** What the thread answers, or an error when it dies or takes too long. */
  private async ask<T>(
    thread: ControlledThread<object> | null,
    call: Promise<Outcome<T>>,
    what: string,
    deadlineMs: number | null = OPEN_DEADLINE_MS,
  ): Promise<T> {
    const answer = deadlineMs === null ? call : withDeadline(call, deadlineMs, what);
    const outcome = await (thread ? Promise.race([answer, thread.death]) : answer);
    if (typeof outcome === 'string') throw new AppError('INTERNAL', `${what}: ${outcome}`);
    return unwrap(outcome);
  }

  /**
   * Waits for `run` of a thread. When the thread dies, a replacement is started, opened by `reopen`, and run again. Throws when
   * a call fails or threads die too often.
   */
  private async supervise<C extends object, T>(
    thread: ControlledThread<C>,
    run: (control: C) => Promise<Outcome<T>>,
    reopen: (control: C) => Promise<Outcome<unknown>>,
  ): Promise<T> {
    for (;;) {
      const outcome = await Promise.race([run(thread.control), thread.death]);
      if (typeof outcome !== 'string') return unwrap(outcome);
      if (!this.mayReplace(thread.name, outcome)) return await this.failed;
      thread.restart();
      const opening = withDeadline(reopen(thread.control), OPEN_DEADLINE_MS, `reopening ${thread.name}`);
      const opened = await Promise.race([opening, thread.death]);
      if (typeof opened !== 'string') unwrap(opened);
    }
  }

  private command(block: SharedArrayBuffer, command: Command): void {
    new ThreadBlock(block).command = command;
    new Doorbell(block).wake();
  }

  /** Runs one parse worker until it has drained; a worker that dies is run again on the same ring and table. */
  private async parse(index: number): Promise<void> {
    for (;;) {
      const events = this.eventPort();
      const cpu = this.affinity.parse[index] ?? null;
      const start: ParseStart = { ...this.threadStart(cpu, events), index, hashSeed: this.hashSeed };
      const abort = new AbortController();
      this.parseAborts[index] = abort;
      try {
        await (await this.pool).run(start, { transferList: [events], signal: abort.signal });
        return;
      } catch (error) {
        await this.parseEnded;
        const cause = abort.signal.aborted ? HUNG : error instanceof Error ? error.message : String(error);
        if (!this.mayReplace(`parse-${index}`, cause)) return;
      }
    }
  }

  /** Ends a parse worker that hangs. The pool gives its task up at once, also while the thread is still ending. */
  private async endParse(index: number): Promise<void> {
    const pool = await this.pool;
    const before = pool.threads as unknown as Worker[];
    this.parseAborts[index]?.abort();
    const ended = before.filter((thread) => !(pool.threads as unknown as Worker[]).includes(thread));
    this.parseEnded = Promise.all([this.parseEnded, ...ended.map((thread) => thread.terminate())]);
  }

  /** Logs the death of a thread. Ends the pipeline when there have been too many; the answer is then false. */
  private mayReplace(thread: string, cause: string): boolean {
    const isHung = cause === HUNG;
    const message = `${thread} ${isHung ? 'was ended' : 'died'}: ${cause}`;
    const error: ErrorData = { code: isHung ? 'THREAD_HUNG' : 'THREAD_DIED', message };
    this.options.log('error', error.message, { code: error.code, thread });
    this.watchdog.replaced(thread);
    if (!this.restarts.isExceeded(monotonicMs())) return true;
    this.fail(new AppError('THREAD_RESTART_LOOP', error.message));
    return false;
  }
}
