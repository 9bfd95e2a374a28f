import { type Command, InvalidArgumentError, Option } from 'commander';
import {
  type Config,
  flagName,
  OPTION_NAMES,
  type OptionName,
  type OptionValues,
  readConfigFile,
  readEnvironment,
  readFlags,
  resolveConfig,
} from '../config.js';
import { OPTIONS } from '../options.js';
import { livePathOf } from '../store/ram/ram-paths.js';

/** Parsed flags as commander hands them over. */
export type Flags = Readonly<Record<string, string | boolean | undefined>>;

/** Options that a replay has no use for. */
const LIVE_ONLY =
  /^(api\.|alerts\.|backup\.|host\.|log\.(file|days|buffer)|maintenance\.|retention\.[a-z]+-days$|store\.ram-|capture\.(interface|wait-for-interface|backend|filter|exclude-own|promiscuous|buffer-bytes)$)/;

const RETENTION = OPTION_NAMES.filter((name) => name.startsWith('retention.'));

/** Options by the command that they are for. */
export const COMMAND_OPTIONS = {
  run: OPTION_NAMES,
  replay: OPTION_NAMES.filter((name) => !LIVE_ONLY.test(name)),
  status: OPTION_NAMES.filter((name) => name.startsWith('api.')),
  dbCheck: ['db.path'],
  dbStats: ['db.path', 'store.card-tbw'],
  dbQuery: ['db.path'],
  query: ['db.path'],
  dbPrune: ['db.path', ...RETENTION],
  dbCompact: ['db.path'],
  dbPlan: ['db.path', ...RETENTION],
  dbBackup: ['db.path', 'backup.directory', 'backup.keep', 'backup.compression'],
  dbRestore: ['db.path'],
  dbSave: ['db.path', 'store.ram-directory', ...OPTION_NAMES.filter((name) => name.startsWith('api.'))],
} as const satisfies Record<string, readonly OptionName[]>;

/** Adds `--config` and a flag for each of these options. A flag that is not given leaves the option to the other sources. */
export function addConfigOptions(command: Command, names: readonly OptionName[]): Command {
  command.option('--config <file>', 'TOML file with options; flags and FLOWBERRY_… variables go before it');
  for (const name of names) {
    const { help, range, default: value } = OPTIONS[name];
    const flag = flagName(name);
    const text = `${help} (${range}; default ${value === '' ? 'none' : value})`;
    if (typeof value === 'boolean') {
      command.addOption(new Option(flag, text));
      command.addOption(new Option(flag.replace('--', '--no-'), `the opposite of ${flag}`));
    } else {
      command.addOption(new Option(`${flag} <value>`, text));
    }
  }
  return command;
}

/** Options as one source gave them. */
export interface ConfigSource {
  /** A file name, `the environment` or `the command line`. */
  readonly origin: string;
  readonly values: OptionValues;
}

/** What this invocation was given: TOML file < environment < flags. Throws `AppError` for unknown options. */
export function configSourcesOf(flags: Flags, extra: Partial<Record<OptionName, string>> = {}): ConfigSource[] {
  const given: Partial<Record<OptionName, string | boolean>> = { ...extra };
  for (const name of OPTION_NAMES) {
    const value = flags[new Option(flagName(name)).attributeName()];
    if (value !== undefined) given[name] = value;
  }
  const file = flags['config'];
  return [
    ...(typeof file === 'string' ? [{ origin: file, values: readConfigFile(file) }] : []),
    { origin: 'the environment', values: readEnvironment(process.env) },
    { origin: 'the command line', values: readFlags(given) },
  ];
}

/** The config of this invocation: defaults < profile < TOML file < environment < flags. Throws `AppError` for whatever is not allowed. */
export function configOf(flags: Flags, extra: Partial<Record<OptionName, string>> = {}): Config {
  return resolveConfig(...configSourcesOf(flags, extra).map(({ values }) => values));
}

/** The file with the newest rows of the database that this invocation names: in memory while a daemon has it there. */
export function livePathFor(flags: Flags): string {
  return livePathOf(configOf(flags));
}

/** `--idle-timeout N` is short for the idle timeout of every class; 0 also keeps flows that TCP has ended. */
export function idleTimeoutOptions(seconds: string | boolean | undefined): Partial<Record<OptionName, string>> {
  if (typeof seconds !== 'string') return {};
  if (!/^\d+$/.test(seconds)) throw new InvalidArgumentError(`--idle-timeout ${seconds} is no number of seconds`);
  return {
    'flow.idle-tcp-s': seconds,
    'flow.idle-udp-s': seconds,
    'flow.idle-other-s': seconds,
    ...(Number(seconds) === 0 && { 'flow.tcp-linger-s': '0' }),
  };
}
