import { type Logger as PinoLogger, pino } from 'pino';
import type { Config } from '../config.js';
import { AppError } from '../errors.js';
import type { LogEvent, LogLevel } from '../messages.js';
import { DirectLog } from './direct-log.js';
import { LogFile } from './log-file.js';
import { RepeatLimit, type Repeats } from './repeat-limit.js';

const DAY_MS = 86_400_000;
/** What was held back is told at most so long after its minute. */
const REPEATS_CHECK_MS = 15_000;
/** pino's number of `error`; this and what is worse goes to the disk at once. */
const ERROR_NUMBER = 50;

/** What the log has counted since the process began. */
export interface LogCounts {
  lines: number;
  bytes: number;
  /** Warnings and errors that repeated another within a minute. */
  heldBack: number;
}

/**
 * The process's one logger: JSON lines, to a file that is rotated or to a descriptor. Only main has one; the other threads send it their lines.
 */
export class Logger {
  private readonly counts: LogCounts = { lines: 0, bytes: 0, heldBack: 0 };
  private readonly pino: PinoLogger;
  private readonly repeats = new RepeatLimit();
  private readonly file: LogFile | null;
  private readonly direct: DirectLog | null;
  private repeatsTimer: NodeJS.Timeout | undefined;
  private isReduced = false;
  private isDebug = false;

  /** Throws `LOG_FILE_NOT_WRITABLE`. `fd` takes the lines when the config names no file; they are then written at once, so a crash loses none. */
  constructor(
    private config: Config,
    fd: number,
    private readonly nowMs: () => number = Date.now,
  ) {
    this.file = config.logFile === '' ? null : this.openFile(config);
    this.direct = this.file ? null : new DirectLog(fd);
    const stream = {
      lastLevel: 0,
      // pino then tells the stream the level of each line.
      [Symbol.for('pino.metadata')]: true,
      write: (line: string) => {
        this.counts.lines++;
        this.counts.bytes += Buffer.byteLength(line);
        if (this.file) this.file.write(line, stream.lastLevel >= ERROR_NUMBER);
        else this.direct?.write(line);
      },
    };
    this.pino = pino(
      {
        level: config.logLevel,
        base: null,
        timestamp: pino.stdTimeFunctions.isoTime,
        formatters: { level: (label) => ({ level: label }) },
      },
      stream,
    );
    if (this.file) process.on('exit', this.flush);
  }

  /** Writes one line. Of errors that read alike, and of warnings that read alike but for digits, one a minute; the others are counted. */
  readonly log = (level: LogLevel, message: string, fields: LogEvent['fields'] = {}): void => {
    if ((level === 'warn' || level === 'error') && this.isHeldBack(level, message)) return;
    this.pino[level](fields, message);
  };

  /** What it has counted; `writes` are calls that wrote. */
  get meter() {
    const { counts, file } = this;
    const { lost, isFailing } = (file ?? this.direct) as LogFile | DirectLog;
    return { ...counts, lost, writes: file ? file.writes : counts.lines, isFailing };
  }

  /** The least severity that is logged now. */
  get level(): string {
    return this.pino.level;
  }

  /** Goes by another `log.level` from now on, which also ends what `toggleDebug` began. */
  reconfigure(config: Config): void {
    this.config = config;
    this.isDebug = false;
    this.applyLevel();
  }

  /** Debug lines, or those of the config again. */
  toggleDebug(): void {
    this.isDebug = !this.isDebug;
    this.applyLevel();
    this.log('info', `log level is ${this.level} now`);
  }

  /** Only warnings and what is worse, since the disk is nearly full; a log that is no file of ours stays as it is. */
  reduce(isReduced: boolean): void {
    this.isReduced = isReduced && this.file !== null;
    this.applyLevel();
  }

  /** Writes what has gathered before it returns. */
  readonly flush = (): void => this.file?.flushSync();

  /** Ends the log: nothing may be logged afterwards. */
  async close(): Promise<void> {
    clearTimeout(this.repeatsTimer);
    this.tell(this.repeats.all());
    process.off('exit', this.flush);
    await this.file?.close();
  }

  private openFile(config: Config): LogFile {
    try {
      const options = {
        path: config.logFile,
        fileBytesMax: config.logFileBytesMax,
        filesMax: config.logFilesMax,
        ageMsMax: config.logDaysMax * DAY_MS,
        bufferLines: config.logBufferLines,
        bufferMs: config.logBufferMs,
      };
      return new LogFile(options, (message) => this.log('warn', `log file: ${message}`));
    } catch (error) {
      throw new AppError('LOG_FILE_NOT_WRITABLE', `log.file = ${config.logFile}: ${(error as Error).message}`, { cause: error });
    }
  }

  private applyLevel(): void {
    const { logLevel } = this.config;
    const wanted = this.isDebug ? 'debug' : logLevel;
    this.pino.level = this.isReduced && (wanted === 'info' || wanted === 'debug') ? 'warn' : wanted;
  }

  private isHeldBack(level: 'warn' | 'error', message: string): boolean {
    const line = `${level} ${message}`;
    // An error names a thread or a file, often by its number; of a warning, only the numbers change.
    const kind = level === 'warn' ? line.replace(/\d+/g, '0') : line;
    if (this.repeats.mayPass(kind, line, this.nowMs())) return false;
    this.counts.heldBack++;
    this.repeatsTimer ??= setTimeout(() => this.tellRepeats(), REPEATS_CHECK_MS).unref();
    return true;
  }

  /** Tells what was held back and whose minute is over; looks again later when there is more. */
  tellRepeats(): void {
    clearTimeout(this.repeatsTimer);
    this.repeatsTimer = undefined;
    this.tell(this.repeats.due(this.nowMs()));
    if (this.repeats.isHolding) this.repeatsTimer = setTimeout(() => this.tellRepeats(), REPEATS_CHECK_MS).unref();
  }

  private tell(repeats: readonly Repeats[]): void {
    for (const { message, count } of repeats) {
      const [level, ...words] = message.split(' ') as ['warn' | 'error', ...string[]];
      this.pino[level]({ repeated: count }, words.join(' '));
    }
  }
}
