import { totalmem } from 'node:os';
import { stringify } from 'smol-toml';
import { availableCpus, coresOf } from '../affinity.js';
import { type Config, configValue, OPTION_NAMES, type OptionName, profileValues, resolveConfig } from '../config.js';
import { workerCountOf } from '../memory.js';
import { checkBudget, memoryBudget } from '../memory-budget.js';
import { OPTIONS } from '../options.js';
import { withProfile } from '../store/budget/profiles.js';
import { formatBudget } from './budget-text.js';
import type { ConfigSource } from './options.js';

/** `flowberry config print`: every option with its effective value and where that is from, as TOML. */
export function printConfig(sources: readonly ConfigSource[]): number {
  process.stdout.write(configText(sources));
  return 0;
}

/**
 * `flowberry config check`: as `print`, and the memory that this config takes. An invalid config was refused before; throws
 * `CONFIG_MEMORY_EXCEEDED` for one that a daemon would not start with.
 */
export function checkConfig(sources: readonly ConfigSource[]): number {
  printConfig(sources);
  const config = withProfile(resolveConfig(...sources.map(({ values }) => values)));
  const workers = workerCountOf(config, coresOf(availableCpus()));
  const budget = memoryBudget(config, workers, totalmem());
  process.stdout.write(`\n${formatBudget(budget).replace(/^/gm, '# ').trimEnd()}\n`);
  checkBudget(budget);
  const mebibytes = (budget.sharedBytes / 2 ** 20).toFixed(1);
  process.stdout.write(`# valid; ${workers} parse worker${workers === 1 ? '' : 's'}, ${mebibytes} MiB of shared memory\n`);
  return 0;
}

/** Every option with its value, as TOML, and a comment that names the source. */
export function configText(sources: readonly ConfigSource[]): string {
  const config = resolveConfig(...sources.map(({ values }) => values));
  const lines: string[] = [];
  let lastSection = '';
  for (const name of OPTION_NAMES) {
    const [section, key] = name.split('.') as [string, string];
    if (section !== lastSection) lines.push(...(lastSection === '' ? [] : ['']), `[${section}]`);
    lastSection = section;
    const line = stringify({ [key]: configValue(config, name) }).trim();
    lines.push(`${line} # ${originOf(name, config, sources)}`);
  }
  return `${lines.join('\n')}\n`;
}

function originOf(name: OptionName, config: Config, sources: readonly ConfigSource[]): string {
  const source = sources.findLast(({ values }) => values[name] !== undefined);
  if (source) return source.origin.replace(/\p{C}/gu, '?');
  if (profileValues(config.hostProfile)[name] !== undefined) return `profile ${config.hostProfile}`;
  return configValue(config, name) === OPTIONS[name].default ? 'default' : 'chosen';
}
