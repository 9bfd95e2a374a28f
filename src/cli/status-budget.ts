import { totalmem } from 'node:os';
import { availableCpus, coresOf } from '../affinity.js';
import type { Config } from '../config.js';
import { AppError } from '../errors.js';
import { workerCountOf } from '../memory.js';
import { checkBudget, memoryBudget } from '../memory-budget.js';
import { readHealth } from './ask-daemon.js';
import { formatBudget } from './budget-text.js';

/**
 * `flowberry status --budget`: prints what a daemon with this config takes at most, and what the running one takes, if there is one. Throws
 * `CONFIG_MEMORY_EXCEEDED` for a config that does not fit.
 */
export async function runStatusBudget(
  config: Config,
  write = (text: string): void => void process.stdout.write(text),
): Promise<number> {
  const budget = memoryBudget(config, workerCountOf(config, coresOf(availableCpus())), totalmem());
  write(formatBudget(budget, await residentBytes(config)));
  checkBudget(budget);
  return 0;
}

/** Null when no daemon answers: the formula holds without one. */
async function residentBytes(config: Config): Promise<number | null> {
  try {
    return (await readHealth({ address: config.apiAddress, port: config.apiPort, tokenFile: config.apiTokenFile })).host
      .resident_bytes;
  } catch (error) {
    if (error instanceof AppError && error.code === 'API_UNREACHABLE') return null;
    throw error;
  }
}
