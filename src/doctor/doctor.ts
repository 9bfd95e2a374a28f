import type { Config } from '../config.js';
import { AppError } from '../errors.js';
import { type Check, type Finding, fail, ok, unknown } from './check.js';
import type { Host } from './host.js';
import { MACHINE_CHECKS } from './machine-checks.js';
import { NETWORK_CHECKS } from './network-checks.js';
import { SERVICE_CHECKS } from './service-checks.js';
import { STORAGE_CHECKS } from './storage-checks.js';

/** Every check but that of the configuration, in the order in which they are told. */
export const CHECKS: readonly Check[] = [...NETWORK_CHECKS, ...STORAGE_CHECKS, ...MACHINE_CHECKS, ...SERVICE_CHECKS];

/** A finding with the name of its check. */
export interface Diagnosis extends Finding {
  readonly name: string;
}

/**
 * Asks everything. `readConfig` gives the configuration, or throws `AppError`; then the others go by `defaults`. A check that breaks
 * is a finding as well, since the rest is to be told all the same.
 */
export async function examine(host: Host, readConfig: () => Config, defaults: Config): Promise<Diagnosis[]> {
  let config = defaults;
  const found: Diagnosis[] = [];
  try {
    config = readConfig();
    found.push({ name: 'config', ...ok('the configuration holds') });
  } catch (error) {
    const { line } = AppError.from(error);
    found.push({ name: 'config', ...fail(line, 'flowberry config print') });
  }
  for (const { name, run } of CHECKS) {
    try {
      found.push({ name, ...(await run(host, config)) });
    } catch (error) {
      found.push({ name, ...unknown(`the check could not be made: ${(error as Error).message}`) });
    }
  }
  return found;
}
