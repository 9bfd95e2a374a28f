import { totalmem } from 'node:os';
import { dirname } from 'node:path';
import { availableCpus, coresOf } from '../affinity.js';
import { defaultInterface } from '../capture/interfaces.js';
import type { Config } from '../config.js';
import { AppError } from '../errors.js';
import { HostWatch } from '../host/host-watch.js';
import { LiveClock } from '../live-clock.js';
import { Logger } from '../log/logger.js';
import { workerCountOf } from '../memory.js';
import { checkBudget, memoryBudget, memoryLimitOf } from '../memory-budget.js';
import type { Session, SourceSpec } from '../messages.js';
import { type Log, Pipeline, type PipelineStarted } from '../pipeline.js';
import { ledgerDifference, readLedger } from '../ring/ledger.js';
import { monotonicMs } from '../ring/thread-block.js';
import { askPatience } from '../service/patience.js';
import { Supervisor } from '../service/supervisor.js';
import { DailyBackup } from '../store/backup/daily-backup.js';
import { withProfile } from '../store/budget/profiles.js';
import { openPlace, type Patience, type StorePlace } from '../store/ram/store-place.js';
import { type Clocks, ClockWatch, SYSTEM_CLOCKS } from './clock-watch.js';
import { onControlSignals } from './control-signals.js';
import { reloadConfig } from './reload.js';
import { newSession } from './session.js';
import { onStopSignal } from './stop-signals.js';

const STDOUT_FD = 1;
/** How long a stop may take before the process ends without it. */
const STOP_DEADLINE_MS = 10_000;
/** Nobody else may read or write what the daemon makes; its group may read what has no stricter mode of its own. */
const UMASK = 0o027;

/** `auto` is settled here if it can be, so that log and session have the name; the capture waits for it otherwise. */
function interfacesOf(config: Config): string[] {
  if (config.captureInterface !== 'auto') return config.captureInterface.split(',');
  try {
    return [defaultInterface()];
  } catch (error) {
    if (config.captureWaitForInterface) return ['auto'];
    throw error;
  }
}

function sourceOf(config: Config): SourceSpec & { readonly interfaces: readonly string[] } {
  const backend = config.captureBackend === 'auto' ? (process.platform === 'linux' ? 'afpacket' : 'cap') : config.captureBackend;
  return { type: backend, interfaces: interfacesOf(config) };
}

/** Throws `CONFIG_MEMORY_EXCEEDED` for a config that takes more memory than it allows. */
function mustFit(config: Config): Config {
  checkBudget(memoryBudget(config, workerCountOf(config, coresOf(availableCpus())), totalmem()));
  return config;
}

/** What somebody else has to do with a daemon. */
export interface DaemonHooks {
  /** Reads file and environment again, for SIGHUP; without it, a reload changes nothing. */
  readonly readConfig?: () => Config;
  /** Told when a reload begins, and when it is over, whatever its outcome. */
  readonly onReload?: (phase: 'begin' | 'end') => void;
}

/**
 * `flowberry run`: captures until SIGTERM or SIGINT, then stores everything and ends. SIGHUP reads the configuration again, SIGUSR1 switches
 * debug lines on and off. Returns the exit code. `clocks` are those of the system, but in tests.
 */
export async function runDaemon(given: Config, clocks: Clocks = SYSTEM_CLOCKS, hooks: DaemonHooks = {}): Promise<number> {
  process.umask(UMASK);
  let config = mustFit(withProfile(given));
  const logger = new Logger(config, STDOUT_FD);
  const { log } = logger;
  let reloading = Promise.resolve();
  const reload = async (): Promise<void> => {
    run?.supervisor.reloading(false);
    hooks.onReload?.('begin');
    config = await reloadConfig(config, {
      readConfig: () => (hooks.readConfig ? mustFit(withProfile(hooks.readConfig())) : config),
      log,
      apply: async (next) => {
        logger.reconfigure(next);
        await run?.reconfigure(next);
      },
      onEnd: (isApplied) => run?.countReload(isApplied),
    });
    hooks.onReload?.('end');
    run?.supervisor.reloading(true);
  };
  const ignoreControl = onControlSignals({
    SIGHUP: () => {
      // One after the other: the second may have been meant for a file that the first has not seen.
      reloading = reloading.then(reload);
    },
    SIGUSR1: () => logger.toggleDebug(),
  });
  let run: DaemonRun | undefined;
  let place: StorePlace | undefined;
  let isStopping = false;
  let isSaving = false;
  let deadline: NodeJS.Timeout | undefined;
  const setDeadline = (): void => {
    deadline = setTimeout(() => {
      const error = new AppError('STOP_DEADLINE', 'the stop took too long');
      log('fatal', error.message, { code: error.code });
      process.exit(error.exitCode);
    }, STOP_DEADLINE_MS);
  };
  const ignoreSignals = onStopSignal((signal) => {
    isStopping = true;
    log('info', `stopping on ${signal}`);
    run?.requestStop();
    if (!isSaving) setDeadline();
  });
  /** The last save has a deadline of its own, by the size of the database. */
  const patience: Patience = {
    begin: () => {
      isSaving = true;
      clearTimeout(deadline);
      run?.supervisor.stopping('the database is being saved');
    },
    end: () => {
      isSaving = false;
      setDeadline();
    },
  };
  try {
    place = await openPlace(config, log, askPatience);
    let unsaved: AppError | null = null;
    do {
      run = new DaemonRun(config, logger, clocks, place, async () => {
        if (!run?.hasWrongClock || isStopping) unsaved = (await place?.finish(patience)) ?? null;
      });
      if (isStopping) run.requestStop();
      await run.run();
    } while (run.hasWrongClock && !isStopping);
    if (unsaved !== null) throw unsaved;
    return 0;
  } finally {
    clearTimeout(deadline);
    ignoreSignals();
    ignoreControl();
    place?.close();
    await logger.close();
  }
}

/** One session of the daemon, from its start to the last row. */
class DaemonRun {
  /** The session ended since it went by a wrong clock, and the next one is to begin. */
  hasWrongClock = false;
  private readonly source: ReturnType<typeof sourceOf>;
  private readonly session: Session;
  private readonly pipeline: Pipeline;
  private readonly clockWatch: ClockWatch;
  private readonly backups: DailyBackup;
  readonly supervisor: Supervisor;
  private readonly log: Log;
  private readonly hostWatch: HostWatch;

  constructor(
    private readonly config: Config,
    logger: Logger,
    clocks: Clocks,
    private readonly place: StorePlace,
    /** What is to be done before the threads end, when the rows are written. */
    private readonly beforeEnd: () => Promise<void>,
  ) {
    this.log = logger.log;
    this.source = sourceOf(config);
    this.session = newSession('live', this.source.interfaces.join(','));
    const { session, source } = this;
    const threadConfig = place.configOf(config);
    const askSave = (): number | null => place.askSave();
    const options = { config: threadConfig, session, source, hasApi: true, databaseName: config.dbPath, askSave };
    this.pipeline = new Pipeline({ ...options, log: logger.log });
    place.follow(this.pipeline.memory.writer);
    const clock = new LiveClock(this.session.startedUs, this.session.startedMonotonicMs);
    this.supervisor = new Supervisor(this.pipeline.memory, config, this.log);
    this.backups = new DailyBackup(config, this.pipeline.memory.writer, this.log, Date.now, threadConfig.dbPath);
    this.clockWatch = new ClockWatch(clock, (offsetMs) => this.renew(offsetMs), clocks);
    this.hostWatch = new HostWatch({
      memory: this.pipeline.memory,
      diskPath: dirname(threadConfig.dbPath),
      memoryLimitBytes: memoryLimitOf(config, totalmem()),
      nowUs: () => clock.nowUs(),
      nowMs: monotonicMs,
      log: logger.log,
      logMeter: () => logger.meter,
      reduceLog: (isReduced) => logger.reduce(isReduced),
    });
  }

  requestStop(): void {
    this.supervisor.stopping();
    this.pipeline.requestStop();
  }

  /** Goes by another config from now on, as far as that is possible at run time. */
  async reconfigure(config: Config): Promise<void> {
    this.hostWatch.limitMemory(memoryLimitOf(config, totalmem()));
    await this.pipeline.reconfigure(this.place.configOf(config));
  }

  /** Shows how a reload ended. */
  countReload(isApplied: boolean): void {
    this.hostWatch.countReload(isApplied);
  }

  /** Throws `AppError` when it cannot start, or cannot go on. */
  async run(): Promise<void> {
    const { pipeline, log } = this;
    try {
      this.tellStart(await pipeline.start());
      this.clockWatch.start();
      this.backups.start();
      this.hostWatch.start();
      const end = await pipeline.run();
      await this.backups.stop();
      await pipeline.drain();
      const ledger = readLedger(pipeline.memory);
      log('info', 'stopped', {
        packets_received: ledger.received,
        packets_in_flows: ledger.inFlows,
        packets_dropped: Object.values(ledger.dropped).reduce((sum, count) => sum + count, 0),
        kernel_dropped: ledger.kernelDropped,
        flows_written: ledger.flowsWritten,
        difference: ledgerDifference(ledger),
      });
      if (end.error) throw AppError.fromData(end.error);
    } finally {
      this.clockWatch.stop();
      await this.backups.stop();
      this.hostWatch.stop();
      await this.beforeEnd();
      await pipeline.close();
      this.supervisor.close();
    }
  }

  private tellStart({ api, journalMode, affinityNote }: PipelineStarted): void {
    const { config, source } = this;
    this.log('info', 'capturing', {
      interface: this.session.source,
      backend: source.type,
      database: config.dbPath,
      journal_mode: journalMode,
      ...(affinityNote && { affinity: affinityNote }),
      ...(api && { health: `http://${api.address.includes(':') ? `[${api.address}]` : api.address}:${api.port}/health` }),
    });
  }

  private renew(offsetMs: number): void {
    const seconds = Math.round(offsetMs / 1000);
    this.log('warn', `the clock was set by ${seconds} s and is kept right now: a new session begins, so that times are right`, {
      clock_offset_s: seconds,
    });
    this.hasWrongClock = true;
    this.pipeline.requestStop();
  }
}
