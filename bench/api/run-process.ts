import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { AppError } from '../../src/errors.js';

const OUTPUT_BYTES_MAX = 16 * 2 ** 20;

/** Runs a command of this build of flowberry. Throws `BENCH_RUN_FAILED` with what it had to say. */
export async function runProcess(command: readonly string[]): Promise<void> {
  const main = fileURLToPath(new URL('../../src/main.js', import.meta.url));
  try {
    await promisify(execFile)(process.execPath, [main, ...command], { maxBuffer: OUTPUT_BYTES_MAX });
  } catch (error) {
    const { stderr, message } = error as { stderr?: string; message: string };
    throw new AppError('BENCH_RUN_FAILED', `flowberry ${command[0]}: ${stderr?.trim() || message}`, { cause: error });
  }
}
