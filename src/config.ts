import { readFileSync } from 'node:fs';
import { parse as parseToml, TomlError } from 'smol-toml';
import { AppError } from './errors.js';
import { isLoopbackAddress, type OptionEntry, type OptionFlag, type OptionValue } from './option-kinds.js';
import { OPTIONS } from './options.js';
import { PROFILES, type ProfileName } from './profiles.js';

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
  const entry: OptionEntry<never> | OptionFlag = OPTIONS[name];
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
