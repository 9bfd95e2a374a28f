import { type Command, InvalidArgumentError, Option } from 'commander';
import {
  type Config,
  flagName,
  OPTION_NAMES,
  OPTIONS,
  type OptionName,
  readConfigFile,
  readEnvironment,
  readFlags,
  resolveConfig,
} from '../config.js';

/** Parsed flags as commander hands them over. */
export type Flags = Readonly<Record<string, string | boolean | undefined>>;

/** Options that a replay has no use for. */
const LIVE_ONLY = /^(api\.|capture\.(interface|wait-for-interface|backend|filter|exclude-own|promiscuous|buffer-bytes)$)/;

/** Options by the command that they are for. */
export const COMMAND_OPTIONS = {
  run: OPTION_NAMES,
  replay: OPTION_NAMES.filter((name) => !LIVE_ONLY.test(name)),
  status: OPTION_NAMES.filter((name) => name.startsWith('api.')),
  dbCheck: ['db.path'],
  dbStats: ['db.path', 'store.card-tbw'],
  dbQuery: ['db.path'],
  query: ['db.path'],
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

/** The config of this invocation: defaults < TOML file < environment < flags. Throws `AppError` for whatever is not allowed. */
export function configOf(flags: Flags, extra: Partial<Record<OptionName, string>> = {}): Config {
  const given: Partial<Record<OptionName, string | boolean>> = { ...extra };
  for (const name of OPTION_NAMES) {
    const value = flags[new Option(flagName(name)).attributeName()];
    if (value !== undefined) given[name] = value;
  }
  const file = typeof flags['config'] === 'string' ? readConfigFile(flags['config']) : {};
  return resolveConfig(file, readEnvironment(process.env), readFlags(given));
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
