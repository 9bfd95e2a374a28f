import { readFileSync } from 'node:fs';
import { isIP, isIPv4 } from 'node:net';
import { parse as parseToml, TomlError } from 'smol-toml';
import { AppError } from './errors.js';
import { LOG_LEVELS } from './messages.js';
import { PROFILE_NAMES, PROFILES, type ProfileName } from './profiles.js';
import { RING_BYTES_MAX } from './ring/ring.js';

/** The value types that an option can have. */
export type OptionValue = number | boolean | string;

interface OptionEntry<T extends OptionValue> {
  readonly default: T;
  readonly isAllowed: (value: unknown) => value is T;
  /** What values are allowed, for people. */
  readonly range: string;
  readonly help: string;
  /** Command-line flag; `--section-key` where it is not given. */
  readonly flag?: string;
}

interface Extra {
  readonly flag?: string;
}

function isIntegerWithin(value: unknown, min: number, max: number): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max;
}

function integer(value: number, min: number, max: number, help: string, extra: Extra = {}): OptionEntry<number> {
  const isAllowed = (given: unknown): given is number => isIntegerWithin(given, min, max);
  return { default: value, isAllowed, range: `${min} to ${max}`, help, ...extra };
}

/** 0 leaves the choice to `memory.ts`. */
function ringSize(min: number, help: string): OptionEntry<number> {
  const isAllowed = (given: unknown): given is number =>
    given === 0 || (isIntegerWithin(given, min, RING_BYTES_MAX) && 2 ** Math.round(Math.log2(given)) === given);
  return { default: 0, isAllowed, range: `0, or a power of two, ${min} to ${RING_BYTES_MAX}`, help };
}

/** 0 is never. */
function days(value: number, help: string): OptionEntry<number> {
  return integer(value, 0, DAYS_MAX, `${help} 0: never.`);
}

/** 0 leaves the choice to the store. */
function fileBytes(value: number, help: string): OptionEntry<number> {
  const isAllowed = (given: unknown): given is number => given === 0 || isIntegerWithin(given, FILE_BYTES_MIN, FILE_BYTES_MAX);
  return { default: value, isAllowed, range: `0, or ${FILE_BYTES_MIN} to ${FILE_BYTES_MAX}`, help };
}

/** 0 leaves the choice to another option or to the machine. */
function orZero(min: number, max: number, help: string): OptionEntry<number> {
  const isAllowed = (given: unknown): given is number => given === 0 || isIntegerWithin(given, min, max);
  return { default: 0, isAllowed, range: `0, or ${min} to ${max}`, help };
}

function boolean(value: boolean, help: string, extra: Extra = {}): OptionEntry<boolean> {
  const isAllowed = (given: unknown): given is boolean => typeof given === 'boolean';
  return { default: value, isAllowed, range: 'true or false', help, ...extra };
}

function choice<const V extends string>(values: readonly V[], value: V, help: string, extra: Extra = {}): OptionEntry<V> {
  const isAllowed = (given: unknown): given is V => values.includes(given as V);
  return { default: value, isAllowed, range: values.join(', '), help, ...extra };
}

function text(value: string, range: string, pattern: RegExp, help: string, extra: Extra = {}): OptionEntry<string> {
  const isAllowed = (given: unknown): given is string => typeof given === 'string' && pattern.test(given);
  return { default: value, isAllowed, range, help, ...extra };
}

/** Whether an address that the API may listen on is one of this machine only. */
function isLoopbackAddress(value: string): boolean {
  return value === 'localhost' || value === '::1' || (isIPv4(value) && value.startsWith('127.'));
}

function address(value: string, help: string): OptionEntry<string> {
  const isAllowed = (given: unknown): given is string =>
    typeof given === 'string' && (given === 'localhost' || isIP(given) !== 0);
  return { default: value, isAllowed, range: 'an IP address, or localhost', help };
}

const NETWORKS_MAX = 64;

function isNetworks(value: unknown): value is string {
  if (typeof value !== 'string') return false;
  const parts = value.split(',');
  return parts.length <= NETWORKS_MAX && parts.every((part) => part === 'private' || isNetwork(part));
}

function networks(value: string, help: string): OptionEntry<string> {
  const range = `up to ${NETWORKS_MAX} networks such as 192.168.0.0/16 or 2001:db8::/56 with commas between them; private: those of RFC 1918, 3927 and 4193, link-local, loopback`;
  return { default: value, isAllowed: isNetworks, range, help };
}

function isNetwork(text: string): boolean {
  const [address = '', bits = '', ...more] = text.split('/');
  const version = address.includes('%') ? 0 : isIP(address);
  return version !== 0 && more.length === 0 && /^\d{1,3}$/.test(bits) && Number(bits) <= (version === 4 ? 32 : 128);
}

const ANY_TEXT = /^[^\0]{0,4096}$/;
const SECONDS_MAX = 86_400;
const DAYS_MAX = 36_500;
/** A database with less has no room for a batch beside its write-ahead log. */
const FILE_BYTES_MIN = 16_777_216;
const FILE_BYTES_MAX = 1e15;

/**
 * Every option, once: name with its unit last, default, allowed range, help. The environment variable and the flag follow from
 * the name. README's table is checked against this one by `test/tidy.test.ts`.
 */
export const OPTIONS = {
  'capture.interface': text(
    'auto',
    'up to 16 names with commas between them; any: all interfaces; auto: that of the default route',
    /^[^\0/\s,]{1,64}(,[^\0/\s,]{1,64}){0,15}$/,
    'Interfaces to watch. A packet that passes through two of them counts twice.',
    {
      flag: '--interface',
    },
  ),
  'capture.wait-for-interface': boolean(
    true,
    'Start without an interface that is not there yet, and wait for it; off: refuse to start. Later on it is waited for in any case.',
    { flag: '--wait-for-interface' },
  ),
  'capture.backend': choice(
    ['auto', 'afpacket', 'cap'],
    'auto',
    'How packets are captured. auto: afpacket on Linux, cap elsewhere.',
    {
      flag: '--backend',
    },
  ),
  'capture.filter': text('', 'a pcap-filter expression', ANY_TEXT, 'Only packets that match are captured.', { flag: '--filter' }),
  'capture.exclude-own': boolean(
    true,
    'Connections with the API of flowberry itself are no flows; they are counted under the drop reason own_traffic.',
    { flag: '--exclude-own' },
  ),
  'capture.promiscuous': boolean(true, 'Also take packets that are addressed to others.', { flag: '--promiscuous' }),
  'capture.snap-bytes': integer(65_535, 128, 262_144, 'Captured bytes of a packet; what lies behind is not looked at.'),
  'capture.buffer-bytes': integer(
    16_777_216,
    1_048_576,
    1_073_741_824,
    'Kernel buffer of a live capture; rounded up to whole blocks. When it is full, the kernel drops packets and counts them.',
  ),
  'ring.frame-bytes': ringSize(
    1_048_576,
    'Ring from the capture to each parse worker. Full: a live capture drops the packet and counts it, a replay waits. 0: live 64 MiB for all workers together, 32 MiB with at most 4 GB of RAM; 4 MiB each for a replay.',
  ),
  'ring.flow-bytes': ringSize(
    65_536,
    'Ring from each parse worker to the writer. Full: the worker waits. 0: live 8 MiB, 2 MiB for a replay.',
  ),
  'parse.workers': integer(0, 0, 32, 'Parse workers; 0 takes the cores less two, at least 1.', { flag: '--workers' }),
  'flow.active-max': integer(
    0,
    0,
    10_000_000,
    'Flows in memory, all workers together; at the limit the least recently used is written and evicted, among many that nobody has answered one of these. 0 chooses by RAM: 5,000 to 20,000.',
    {
      flag: '--flows-active-max',
    },
  ),
  'flow.idle-tcp-s': integer(300, 0, SECONDS_MAX, 'A TCP flow without packets for so long is written; 0 is never.'),
  'flow.idle-udp-s': integer(60, 0, SECONDS_MAX, 'As above, for UDP.'),
  'flow.idle-other-s': integer(30, 0, SECONDS_MAX, 'As above, for ICMP and all other protocols.'),
  'flow.active-s': integer(300, 0, SECONDS_MAX, 'A longer flow is written in segments of this length; 0 is never.', {
    flag: '--active-timeout',
  }),
  'flow.tcp-linger-s': integer(
    5,
    0,
    SECONDS_MAX,
    'A TCP flow that ended by FIN or RST waits so long for stragglers; 0 leaves it to the idle timeout.',
  ),
  'flow.decap': boolean(true, 'The innermost IP header of a tunnel is the flow; off: the outermost.', { flag: '--decap' }),
  'flow.join-fragments': boolean(true, 'Later fragments join the flow of the first one; off: they are a flow with ports 0.', {
    flag: '--join-fragments',
  }),
  'flow.key-vlan': boolean(false, 'Packets of different VLANs are different flows.'),
  'names.addresses-max': integer(
    8_192,
    64,
    1_048_576,
    'Addresses with names that are remembered; at the limit the least recently used is forgotten.',
  ),
  'names.http-path': boolean(false, 'Keep the path of the first HTTP request of a flow; it may tell what people read.'),
  'db.path': text('./data/flowberry.db', 'a file path', /^[^\0]{1,4096}$/, 'The SQLite file. Its directory is created.', {
    flag: '--db',
  }),
  'db.synchronous': choice(
    ['normal', 'full'],
    'normal',
    'full: no committed row is lost in a power cut, at the price of more writes.',
  ),
  'db.cache-kib': integer(0, 0, 1_048_576, 'Page cache of the writer; 0 chooses by RAM: 16 to 64 MiB.'),
  'db.busy-timeout-ms': integer(30_000, 0, 600_000, 'How long the writer waits for another process that holds the database.'),
  'batch.rows-min': integer(0, 0, 5_000, 'A batch is written when it has so many rows …; 0: as store.profile says.'),
  'batch.age-ms-max': orZero(100, 600_000, '… or when its oldest row has waited so long; 0: as store.profile says.'),
  'batch.rows-max': integer(5_000, 50, 100_000, 'Under load a batch grows to so many rows.'),
  'backup.directory': text(
    '',
    'a directory path, or nothing',
    ANY_TEXT,
    'Where backups go, best on another disk. With it the daemon makes one a day; without it none, and db backup needs --to.',
    { flag: '--backup-directory' },
  ),
  'backup.daily-at': text(
    '02:00',
    'a time of day, HH:MM',
    /^([01]\d|2[0-3]):[0-5]\d$/,
    'When the daily backup is made, local time.',
  ),
  'backup.keep': integer(7, 1, 1_000, 'Good backups that are kept; the oldest goes when there is one more.'),
  'backup.compression': choice(
    ['gzip', 'zstd'],
    'gzip',
    'How backups are packed. zstd needs Node 22.15 or later, to restore them too.',
  ),
  'backup.bytes-per-s-max': integer(
    0,
    0,
    1_000_000_000,
    'What a daily backup writes per second at most. 0: 128 KiB on the disk of the database, 4 MiB on another one.',
  ),
  'store.profile': choice(
    ['auto', 'sd', 'ssd'],
    'auto',
    'What the database lies on: it decides how batches gather and how much may be written. auto: ssd on NVMe and on disks that neither are cards nor can be pulled out, else sd.',
  ),
  'store.write-bytes-per-minute-soft': orZero(
    10_000,
    100_000_000_000,
    'What a live capture should write to the disk. Over it: larger batches, then coarser rollups, then rows of flows are left out and counted. 0: as store.profile says.',
  ),
  'store.write-bytes-per-minute-hard': orZero(
    100_000,
    100_000_000_000,
    'What a live capture writes to the disk within any minute at most: rows wait, and are left out and counted when their ring fills. 0: as store.profile says.',
  ),
  'store.checkpoint-bytes': orZero(
    262_144,
    1_073_741_824,
    'Length of the write-ahead log at which it is moved into the file; less when little may be written. 0: as store.profile says.',
  ),
  'store.card-tbw': integer(
    32,
    1,
    100_000,
    'Terabytes that the card or disk takes until it is worn out, for the estimate of its life: the default is 64 GB of ordinary TLC flash at 500 erasures.',
  ),
  'store.local-networks': networks(
    'private',
    'What is local: devices are listed from here, and outbound and inbound are seen from here. Holds for rows from then on.',
  ),
  'api.address': address(
    '127.0.0.1',
    'Address that the API listens on. One that other machines reach (0.0.0.0 and :: are all of this machine) needs api.token-file.',
  ),
  'api.port': integer(8417, 0, 65_535, 'Port of the API; 0 takes a free one.'),
  'api.token-file': text(
    '',
    'a file path',
    ANY_TEXT,
    'File with the token that requests must show (Authorization: Bearer …): at least 32 characters, readable by its owner only.',
  ),
  'api.hosts': text(
    '',
    'up to 16 names with commas between them',
    /^([a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?(,[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?){0,15})?$/i,
    'Names under which browsers may reach the API, beside its addresses and localhost; a page of any other name is refused.',
  ),
  'api.requests-per-minute-max': integer(
    120,
    0,
    1_000_000,
    'Requests for data that one address of another machine may make within a minute; at the limit they are refused (429). 0 is no limit.',
  ),
  'api.readers': integer(0, 0, 8, 'Threads that run the queries of the API; 0 takes 1 with two cores or fewer, 2 otherwise.'),
  'alerts.new-device': boolean(true, 'Alert when a hardware address is seen for the first time.'),
  'alerts.new-destination': boolean(
    false,
    'Alert when a local device reaches a site (the registered part of a server name, as far as can be guessed) for the first time.',
  ),
  'alerts.port-scan-targets': integer(
    100,
    0,
    3000,
    'Alert when a host tries about so many ports or hosts within a minute without an answer; 0 is never.',
  ),
  'alerts.quota-mb-per-day': integer(0, 0, 1_000_000_000, 'Alert when a local device moves more on one day (UTC); 0 is never.'),
  'alerts.webhook-url': text(
    '',
    'an http or https URL, or nothing',
    /^(https?:\/\/[^\s\0]{1,2000})?$/,
    'Where alerts are posted as JSON, as they are stored.',
  ),
  'alerts.learning-hours': integer(
    24,
    0,
    8760,
    'So long after the database was made, everything is new: no alerts of devices and destinations.',
  ),
  'retention.flows-days': days(7, 'Flows, DNS transactions and what they are looked up by are deleted when they are so old.'),
  'retention.minutes-days': days(30, 'As above, for sums by minute; minutes of the ledger are joined to hours.'),
  'retention.hours-days': days(
    400,
    'As above, for sums by hour, and devices not seen for so long; hours of the ledger are joined to days. Days are kept for ever.',
  ),
  'retention.file-bytes-max': fileBytes(
    4_000_000_000,
    'Bytes that the database and its write-ahead log may take; before they do, the oldest flows are deleted, then minutes, then hours. 0: half of what is free at the start, its own size included.',
  ),
  'retention.free-bytes-min': integer(
    500_000_000,
    0,
    1e12,
    'With less free on the disk than this and than a tenth of it, the database does not grow: old rows make room for new ones.',
  ),
  'maintenance.checkpoint-s': integer(300, 10, SECONDS_MAX, 'The write-ahead log is moved into the database so often.'),
  'maintenance.quick-check-days': days(7, 'The database is checked so often, but for its indexes.'),
  'maintenance.full-check-days': days(30, 'As above, with its indexes.'),
  'cpu.affinity': text(
    'auto',
    'auto, off, or CPUs such as 1-3',
    /^(auto|off|\d+(-\d+)?(,\d+(-\d+)?)*)$/,
    'CPUs to use. auto: all but CPU 0, which serves the network interrupts.',
  ),
  'threads.deaths-per-minute-max': integer(
    5,
    2,
    1000,
    'A thread that dies is replaced; so many deaths within a minute, of all threads together, end the process.',
  ),
  'log.level': choice(LOG_LEVELS, 'info', 'Least severity that is logged. SIGUSR1 switches to debug and back.'),
  'log.file': text(
    '',
    'a file path, or nothing',
    ANY_TEXT,
    'The log, of flowberry run; its directory is created. None: standard output.',
  ),
  'log.file-bytes-max': integer(
    10_000_000,
    10_000,
    1_000_000_000,
    'A log file that would grow beyond this is rotated first, then compressed.',
  ),
  'log.files-max': integer(3, 0, 1_000, 'Rotated log files that are kept; the oldest is deleted when there is one more.'),
  'log.days-max': integer(7, 1, 3_650, 'Rotated log files that are older are deleted.'),
  'log.buffer-lines': integer(
    100,
    1,
    10_000,
    'Lines go to the log file when there are so many; errors at once, with all before them …',
  ),
  'log.buffer-ms': integer(5_000, 10, 600_000, '… or when the first of them has waited so long. A kill -9 loses what waits.'),
  'host.profile': choice(
    PROFILE_NAMES,
    'auto',
    'Defaults that fit together, for a machine or a purpose; the file, the environment and flags go before them. auto: sizes by RAM.',
    { flag: '--profile' },
  ),
  'host.memory-bytes-max': orZero(
    134_217_728,
    1_099_511_627_776,
    'Resident memory that the daemon may take: it does not start with more, and from 80 % on it does less. 0: an eighth of RAM, at least 512 MiB, at most 2 GiB or half of RAM.',
  ),
} as const satisfies Record<string, OptionEntry<never> | OptionEntry<number> | OptionEntry<boolean> | OptionEntry<string>>;

export type OptionName = keyof typeof OPTIONS;

type Capitalized<S extends string> = S extends `${infer A}-${infer B}` ? `${A}${Capitalize<Capitalized<B>>}` : S;
type PropertyName<S extends string> = S extends `${infer A}.${infer B}` ? `${A}${Capitalize<Capitalized<B>>}` : never;

/** `batch.rows-min` is `batchRowsMin` here. Frozen. */
export type Config = Readonly<{
  [N in OptionName as PropertyName<N>]: (typeof OPTIONS)[N] extends OptionEntry<infer T> ? T : never;
}>;

/** Options as given by one source, by option name. */
export type OptionValues = Partial<Record<OptionName, OptionValue>>;

/** Every option name, in the order of the table. */
export const OPTION_NAMES = Object.keys(OPTIONS) as OptionName[];

/** Environment variable of an option: `FLOWBERRY_BATCH_ROWS_MIN`. */
export function envName(name: OptionName): string {
  return `FLOWBERRY_${name.replace(/[.-]/g, '_').toUpperCase()}`;
}

/** Command-line flag of an option. */
export function flagName(name: OptionName): string {
  const entry: OptionEntry<never> | Extra = OPTIONS[name];
  return entry.flag ?? `--${name.replace('.', '-')}`;
}

function propertyName(name: OptionName): string {
  return name.replace(/[.-]([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

/** Steps to turn `a` into `b` by inserting, deleting or replacing one character (Levenshtein). */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] as number) + 1, (next[j - 1] as number) + 1));
    }
    row = next;
  }
  return row[b.length] as number;
}

function nearest(unknown: string, names: readonly string[]): string {
  return names.reduce((best, name) => (editDistance(unknown, name) < editDistance(unknown, best) ? name : best));
}

function unknownOption(given: string, names: readonly string[], origin: string): AppError {
  return new AppError('CONFIG_OPTION_UNKNOWN', `unknown option ${given} in ${origin}; did you mean ${nearest(given, names)}?`);
}

/** Turns text from the environment or a flag into the type that the option's default has. */
function fromText(name: OptionName, value: string): OptionValue {
  const type = typeof OPTIONS[name].default;
  if (type === 'number') return /^-?\d+$/.test(value.replaceAll('_', '')) ? Number(value.replaceAll('_', '')) : value;
  if (type === 'boolean') return value === 'true' || value === '1' ? true : value === 'false' || value === '0' ? false : value;
  return value;
}

/** Reads a TOML file of `[section]` tables with `key = value`. Unknown sections and keys are refused by name. */
export function readConfigFile(path: string): OptionValues {
  let content: string;
  try {
    content = readFileSync(path, 'utf8');
  } catch (error) {
    throw new AppError('CONFIG_FILE_UNREADABLE', `cannot read ${path}: ${(error as Error).message}`, { cause: error });
  }
  const values: OptionValues = {};
  let sections: Record<string, unknown>;
  try {
    sections = parseToml(content);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const reason = error.message.split('\n')[0];
    throw new AppError('CONFIG_FILE_SYNTAX', `${path}, line ${error.line}, column ${error.column}: ${reason}`, { cause: error });
  }
  for (const [section, table] of Object.entries(sections)) {
    if (typeof table !== 'object' || table === null || Array.isArray(table)) throw unknownOption(section, OPTION_NAMES, path);
    const isEmpty = Object.keys(table).length === 0;
    if (isEmpty && !OPTION_NAMES.some((name) => name.startsWith(`${section}.`))) throw unknownOption(section, OPTION_NAMES, path);
    for (const [key, value] of Object.entries(table)) {
      const name = `${section}.${key}`;
      if (!Object.hasOwn(OPTIONS, name)) throw unknownOption(name, OPTION_NAMES, path);
      values[name as OptionName] = value as OptionValue;
    }
  }
  return values;
}

/** Takes the `FLOWBERRY_…` variables; one that names no option is refused. */
export function readEnvironment(environment: NodeJS.ProcessEnv): OptionValues {
  const byEnvName = new Map(OPTION_NAMES.map((name) => [envName(name), name]));
  const values: OptionValues = {};
  for (const [key, value] of Object.entries(environment)) {
    if (!key.startsWith('FLOWBERRY_') || value === undefined) continue;
    const name = byEnvName.get(key);
    if (!name) throw unknownOption(key, [...byEnvName.keys()], 'the environment');
    values[name] = fromText(name, value);
  }
  return values;
}

/** Turns flag texts into option values. */
export function readFlags(flags: Partial<Record<OptionName, string | boolean>>): OptionValues {
  const values: OptionValues = {};
  for (const name of OPTION_NAMES) {
    const value = flags[name];
    if (value !== undefined) values[name] = typeof value === 'string' ? fromText(name, value) : value;
  }
  return values;
}

/** `auto` and `any` stand alone, and no name twice. */
function checkInterfaces(names: readonly string[]): void {
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw new AppError('CONFIG_VALUE_INVALID', `capture.interface names ${twice} twice`);
  const alone = names.find((name) => name === 'auto' || name === 'any');
  if (names.length > 1 && alone)
    throw new AppError('CONFIG_VALUE_INVALID', `capture.interface: ${alone} stands alone, not among other names`);
}

/** What other machines can reach must ask for a token. */
function checkApiAddress(value: string, tokenFile: string): void {
  if (isLoopbackAddress(value) || tokenFile !== '') return;
  throw new AppError(
    'CONFIG_VALUE_INVALID',
    `api.address = ${value} can be reached by other machines and needs api.token-file: a file with a token that requests must show`,
  );
}

/** What a profile sets; nothing for a name that is none, which is refused later with all other values. */
export function profileValues(name: OptionValue | undefined): OptionValues {
  return typeof name === 'string' && Object.hasOwn(PROFILES, name) ? PROFILES[name as ProfileName] : {};
}

/** Lays the sources over the profile and the defaults, the later over the earlier, checks every value, and freezes the result. */
export function resolveConfig(...sources: OptionValues[]): Config {
  const own: OptionValues = Object.assign({}, ...sources);
  const given: OptionValues = { ...profileValues(own['host.profile']), ...own };
  const config: Record<string, OptionValue> = {};
  for (const name of OPTION_NAMES) {
    const entry = OPTIONS[name];
    const value = given[name] ?? entry.default;
    if (!entry.isAllowed(value))
      throw new AppError('CONFIG_VALUE_INVALID', `${name} = ${JSON.stringify(value)} is not allowed; allowed: ${entry.range}`);
    config[propertyName(name)] = value;
  }
  if ((config['batchRowsMin'] as number) > (config['batchRowsMax'] as number))
    throw new AppError('CONFIG_VALUE_INVALID', 'batch.rows-min is larger than batch.rows-max');
  const [soft, hard] = [config['storeWriteBytesPerMinuteSoft'] as number, config['storeWriteBytesPerMinuteHard'] as number];
  if (soft > 0 && hard > 0 && soft > hard)
    throw new AppError(
      'CONFIG_VALUE_INVALID',
      'store.write-bytes-per-minute-soft is larger than store.write-bytes-per-minute-hard',
    );
  checkInterfaces((config['captureInterface'] as string).split(','));
  checkApiAddress(config['apiAddress'] as string, config['apiTokenFile'] as string);
  return Object.freeze(config) as Config;
}

/** Name of an option's property in a config. */
export function configProperty(name: OptionName): keyof Config {
  return propertyName(name) as keyof Config;
}

/** The value of one option in a resolved config. */
export function configValue(config: Config, name: OptionName): OptionValue {
  return config[configProperty(name)];
}
