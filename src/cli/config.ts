import { availableParallelism, totalmem } from 'node:os';
import { stringify } from 'smol-toml';
import { type Config, configValue, OPTION_NAMES, type OptionValue } from '../config.js';
import { memoryBytesOf, workerCountOf } from '../memory.js';
import { withProfile } from '../store/budget/profiles.js';

/** `flowberry config print`: every option with its effective value, as TOML. */
export function printConfig(config: Config): number {
  const sections: Record<string, Record<string, OptionValue>> = {};
  for (const name of OPTION_NAMES) {
    const [section, key] = name.split('.') as [string, string];
    sections[section] = { ...sections[section], [key]: configValue(config, name) };
  }
  process.stdout.write(stringify(sections));
  return 0;
}

/** `flowberry config check`: as `print`, with what `store.profile` decides, and the shared memory that this config takes. An invalid config was refused before. */
export function checkConfig(given: Config): number {
  const config = withProfile(given);
  printConfig(config);
  const workers = workerCountOf(config, availableParallelism());
  const mebibytes = (memoryBytesOf(config, workers, totalmem()) / 2 ** 20).toFixed(1);
  process.stdout.write(`\n# valid; ${workers} parse worker${workers === 1 ? '' : 's'}, ${mebibytes} MiB of shared memory\n`);
  return 0;
}
