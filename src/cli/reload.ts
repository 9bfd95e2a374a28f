import { type Config, configProperty, OPTION_NAMES, type OptionName } from '../config.js';
import { AppError } from '../errors.js';
import type { LogEvent, LogLevel } from '../messages.js';

/** Options that a running daemon goes by as soon as they are read again. All others need a restart, and are named when they have changed. */
export const RELOADABLE: ReadonlySet<OptionName> = new Set<OptionName>([
  'log.level',
  'flow.idle-tcp-s',
  'flow.idle-udp-s',
  'flow.idle-other-s',
  'flow.active-s',
  'flow.tcp-linger-s',
  'batch.rows-min',
  'batch.age-ms-max',
  'batch.rows-max',
  'host.memory-bytes-max',
  'alerts.new-device',
  'alerts.new-destination',
  'alerts.port-scan-targets',
  'alerts.quota-mb-per-day',
  'alerts.webhook-url',
  'alerts.learning-hours',
  'retention.flows-days',
  'retention.minutes-days',
  'retention.hours-days',
  'retention.file-bytes-max',
  'retention.free-bytes-min',
  'maintenance.checkpoint-s',
  'maintenance.quick-check-days',
  'maintenance.full-check-days',
]);

/** What a reload changed. */
interface ConfigChange {
  /** The config to go by: the old one with the changes that can be made at run time. */
  readonly config: Config;
  readonly applied: readonly OptionName[];
  readonly needingRestart: readonly OptionName[];
}

/** Compares what runs with what was read. */
export function compareConfigs(running: Config, read: Config): ConfigChange {
  const value = (config: Config, name: OptionName): unknown => config[configProperty(name)];
  const changed = OPTION_NAMES.filter((name) => value(running, name) !== value(read, name));
  const applied = changed.filter((name) => RELOADABLE.has(name));
  const taken = Object.fromEntries(applied.map((name) => [configProperty(name), value(read, name)]));
  return {
    config: Object.freeze({ ...running, ...taken }),
    applied,
    needingRestart: changed.filter((name) => !RELOADABLE.has(name)),
  };
}

/** What a reload needs. */
export interface ReloadSetup {
  /** Reads file and environment again. Throws `AppError` for what is not allowed. */
  readonly readConfig: () => Config;
  readonly log: (level: LogLevel, message: string, fields?: LogEvent['fields']) => void;
  /** Has everybody go by the new config. */
  readonly apply: (config: Config) => Promise<void>;
  /** Told how a reload ended, to count it. */
  readonly onEnd: (isApplied: boolean) => void;
}

/**
 * Has everybody go by the new config, or nobody: a thread that is late, and not deaf, finds the old one behind the new one. Otherwise it
 * would delete by an option that main has called refused.
 */
async function applyWhole(apply: ReloadSetup['apply'], config: Config, running: Config): Promise<void> {
  try {
    await apply(config);
  } catch (error) {
    await apply(running).catch(() => undefined);
    throw error;
  }
}

/** Reads the configuration again and applies what can be; answers the config to go by, which is `running` when the new one is not valid. */
export async function reloadConfig(running: Config, { readConfig, log, apply, onEnd }: ReloadSetup): Promise<Config> {
  try {
    const { config, applied, needingRestart } = compareConfigs(running, readConfig());
    await applyWhole(apply, config, running);
    onEnd(true);
    const restart = needingRestart.length > 0 ? `; these need a restart: ${needingRestart.join(', ')}` : '';
    log(
      'info',
      `configuration read again, ${applied.length > 0 ? `applied: ${applied.join(', ')}` : 'nothing to apply'}${restart}`,
      {
        applied: applied.join(','),
        restart: needingRestart.join(','),
      },
    );
    return config;
  } catch (error) {
    onEnd(false);
    const { message } = AppError.from(error);
    const refused = new AppError('CONFIG_RELOAD_REFUSED', message);
    log('error', refused.line, { code: refused.code });
    return running;
  }
}
