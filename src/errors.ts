/** How bad an operating error is: `fatal` ends the process, `degraded` is said in the log and in `/health`. */
type Severity = 'fatal' | 'degraded';

interface ErrorEntry {
  readonly severity: Severity;
  /** Exit code of the process when this error ends it. */
  readonly exitCode: number;
  /** What the operator can do. */
  readonly hint: string;
}

const fatal = (exitCode: number, hint: string): ErrorEntry => ({ severity: 'fatal', exitCode, hint });
const degraded = (exitCode: number, hint: string): ErrorEntry => ({ severity: 'degraded', exitCode, hint });

/**
 * Every error that an operator can meet. Exit codes follow sysexits.h where one fits: 64 usage, 65 data, 66 no input, 69
 * unavailable, 70 internal, 71 operating system, 73 cannot create, 74 I/O, 77 permission, 78 configuration.
 */
export const ERRORS = {
  USAGE: fatal(64, 'See flowberry --help.'),
  CONFIG_OPTION_UNKNOWN: fatal(78, 'flowberry config print lists every option.'),
  CONFIG_VALUE_INVALID: fatal(78, 'Give a value within the range that the message names.'),
  CONFIG_FILE_UNREADABLE: fatal(78, 'Check the path and the rights of the file given with --config.'),
  CONFIG_FILE_SYNTAX: fatal(78, 'The file must be TOML; the message names line and column.'),
  CONFIG_MEMORY_EXCEEDED: fatal(
    78,
    'flowberry status --budget lists what takes how much: lower that, choose a smaller --profile, or raise host.memory-bytes-max.',
  ),
  CONFIG_RELOAD_REFUSED: degraded(78, 'flowberry goes on with the options that it has; mend the file and send SIGHUP again.'),
  OUTPUT_NOT_WRITABLE: fatal(74, 'Check free space where the output goes.'),
  LOG_FILE_NOT_WRITABLE: fatal(73, 'Check that the directory of log.file exists and that this user may write to it.'),
  INPUT_NOT_FOUND: fatal(66, 'Check the path of the capture file.'),
  INPUT_NOT_READABLE: fatal(66, 'Give a capture file that this user may read.'),
  INPUT_NOT_A_CAPTURE: fatal(65, 'flowberry reads pcap and pcapng, plain or gzip.'),
  INPUT_BROKEN: fatal(65, 'Everything before the offset is stored; the rest of the file cannot be read.'),
  INTERFACE_NOT_FOUND: fatal(66, 'flowberry interfaces lists what there is.'),
  INTERFACE_DOWN: fatal(69, 'Bring the interface up: ip link set NAME up.'),
  CAPTURE_NOT_PERMITTED: fatal(
    77,
    'Run it as root, or give node the right: sudo setcap cap_net_raw+ep "$(readlink -f "$(command -v node)")"',
  ),
  CAPTURE_BACKEND_MISSING: fatal(69, 'For the cap backend: sudo apt-get install libpcap-dev, then node deploy/setup.mjs'),
  CAPTURE_FILTER_INVALID: fatal(64, 'See man pcap-filter for the syntax.'),
  LIBPCAP_MISSING: fatal(69, 'Capture filters are compiled by libpcap: sudo apt-get install libpcap0.8'),
  CAPTURE_FAILED: fatal(71, 'The system call and its errno are in the message.'),
  DATABASE_NOT_WRITABLE: fatal(73, 'Check that the directory exists and that this user may write to it.'),
  DATABASE_FOREIGN: fatal(65, 'The file is not a flowberry database; give another path with --db.'),
  DATABASE_NEWER: fatal(65, 'The database was written by a newer flowberry; update this one.'),
  DATABASE_OLDER: fatal(65, 'The database was written by an older flowberry; flowberry run brings it up to date.'),
  DATABASE_LOCKED: fatal(75, 'Another flowberry writes to this database; stop it, or give another path with --db.'),
  DATABASE_DAMAGED: fatal(65, 'Bring back a backup, or give another path with --db; flowberry db check says what is broken.'),
  DATABASE_NOT_FOUND: fatal(66, 'Check the path given with --db.'),
  DATABASE_INCONSISTENT: fatal(65, 'The lines above say which check failed.'),
  QUERY_INVALID: fatal(64, 'Give one SQL statement, in quotes; .schema of the sqlite3 shell shows tables and columns.'),
  QUERY_WRITES: fatal(64, 'db query runs what only reads: SELECT, WITH, VALUES, EXPLAIN.'),
  DEVICE_NOT_FOUND: fatal(66, 'flowberry devices lists what there is.'),
  FILTER_INVALID: fatal(64, 'flowberry flows --help lists the filters.'),
  RANGE_INVALID: fatal(64, 'Give a start before the end, and limits as the help tells them.'),
  COMPACT_FAILED: fatal(73, 'The database stays as it was. The copy is made beside it and needs room there.'),
  DATABASE_WRITE_FAILED: degraded(74, 'The rows wait in memory; check free space and the state of the card.'),
  STORE_RAM_UNUSABLE: fatal(
    78,
    'With store.profile = ram, store.ram-directory must be a tmpfs with room that belongs to this user; or choose another store.profile.',
  ),
  DATABASE_SAVE_FAILED: degraded(
    74,
    'What was saved before is as it was, and the rows are in memory until the machine restarts: see to the disk, then flowberry db save.',
  ),
  BACKUP_FAILED: degraded(
    74,
    'Earlier backups are as they were. Check the directory, its free space, and the database: flowberry db check.',
  ),
  BACKUP_INVALID: fatal(65, 'Nothing was changed. Give another backup, with the .json file beside it.'),
  DATABASE_SET_ASIDE: degraded(
    65,
    'Rows are written to a new file. What can be read of the old one: sqlite3 OLD .recover | sqlite3 NEW',
  ),
  DATABASE_REPLACED: degraded(73, 'Stop flowberry before its database is moved, removed or replaced.'),
  API_PORT_IN_USE: fatal(69, 'Stop the other process, or choose another port with --api-port (0 takes a free one).'),
  API_LISTEN_FAILED: fatal(69, 'Check --api-address: it must be an address of this machine.'),
  API_TOKEN_INVALID: fatal(78, 'Make one: (umask 077; head -c 32 /dev/urandom | base64 > FILE)'),
  WEBHOOK_FAILED: degraded(69, 'Check alerts.webhook-url; alerts wait and are tried again, the newest hundred of them.'),
  API_UNREACHABLE: fatal(69, 'Is the daemon running? Check --api-address and --api-port.'),
  THREAD_DIED: degraded(70, 'The thread was replaced; /health counts the restarts.'),
  THREAD_HUNG: degraded(
    70,
    'The thread was ended and replaced; /health counts it. If it happens again, please report it with the log.',
  ),
  THREAD_RESTART_LOOP: fatal(70, 'Threads died too often within a minute (threads.deaths-per-minute-max); the log says why.'),
  THREAD_DEADLINE: fatal(70, 'A thread did not answer in time.'),
  STOP_DEADLINE: fatal(70, 'The stop took longer than 10 s; open flows may be missing from the database.'),
  NOTIFY_FAILED: degraded(71, 'The service manager takes flowberry for dead: check NotifyAccess= and Type=notify of the unit.'),
  WATCHDOG_WITHHELD: degraded(
    70,
    'If it lasts for WatchdogSec, the service manager restarts flowberry; the log says what stood still.',
  ),
  CLOCK_STEPPED: degraded(70, 'Durations stay right. Restart flowberry, so that times are told by the new clock.'),
  QUARANTINE_NOT_WRITTEN: degraded(
    73,
    'Nothing else is wrong: capture and database go on. Move the file away, or see to the rights of its directory.',
  ),
  BENCH_FILE_NOT_WRITABLE: fatal(73, 'The bench needs room: TMPDIR=/path flowberry bench, or fewer --packets.'),
  BENCH_RUN_FAILED: fatal(70, 'The message says what the program that was measured had to say.'),
  BENCH_NOT_PERMITTED: fatal(77, 'Run it as root: sudo flowberry bench live.'),
  BENCH_UNBALANCED: fatal(1, 'Packets are missing or counted twice. This is a defect in flowberry; please report it.'),
  BENCH_REGRESSION: fatal(1, 'Compare with the baseline again on an idle machine.'),
  SYSTEM_LIMIT: fatal(
    71,
    'The system gives no more files or memory: see ulimit -a, and LimitNOFILE= and MemoryMax= of the unit.',
  ),
  INTERNAL: fatal(70, 'This is a defect in flowberry; please report it with the log.'),
} as const satisfies Record<string, ErrorEntry>;

/** What system calls answer where the machine or its operator has set a limit. */
const SYSTEM_LIMITS: ReadonlySet<string | undefined> = new Set(['EMFILE', 'ENFILE', 'ENOMEM']);

export type ErrorCode = keyof typeof ERRORS;

/** An error as data: what crosses a thread boundary, where an `Error` would lose its code. */
export interface ErrorData {
  readonly code: ErrorCode;
  readonly message: string;
}

/** An operating error: the message names the thing at fault, the table holds the hint and the exit code. */
export class AppError extends Error {
  override readonly name = 'AppError';

  constructor(
    readonly code: ErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }

  get exitCode(): number {
    return ERRORS[this.code].exitCode;
  }

  get hint(): string {
    return ERRORS[this.code].hint;
  }

  /** The line for the operator: code, what is at fault, and what to do; the latter in a line of its own if it is a command. */
  get line(): string {
    const separator = this.code === 'CAPTURE_NOT_PERMITTED' ? '\n' : /[.!?]$/.test(this.message) ? ' ' : '. ';
    return `${this.code}: ${this.message}${separator}${this.hint}`;
  }

  toData(): ErrorData {
    return { code: this.code, message: this.message };
  }

  static fromData(data: ErrorData): AppError {
    return new AppError(data.code, data.message);
  }

  /** Any thrown value as an `AppError`; what is none becomes `INTERNAL`, or `SYSTEM_LIMIT`. */
  static from(error: unknown): AppError {
    if (error instanceof AppError) return error;
    const message = error instanceof Error ? error.message : String(error);
    const { code } = Object(error) as NodeJS.ErrnoException;
    return new AppError(SYSTEM_LIMITS.has(code) ? 'SYSTEM_LIMIT' : 'INTERNAL', message, { cause: error });
  }
}
