import { type ChildProcessByStdio, spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { AppError } from '../../src/errors.js';
import { childrenCpuS, ProcessWatch } from './process-watch.js';
import type { ProgramFigures, ProgramRun } from './program.js';

/** One timed run. */
export interface ProgramTiming {
  /** From the start of the process to its end. */
  readonly wallS: number;
  /** User and system time of the process with all its threads; null where the system does not tell. */
  readonly cpuS: number | null;
  /** Peak of the resident memory. */
  readonly rssBytes: number | null;
  readonly figures: ProgramFigures;
}

/** No program takes so long over a capture; one that hangs would stop the bench for good. */
const DEADLINE_MS = 30 * 60_000;
const OUTPUT_CHARACTERS_MAX = 1_000_000;
const STDERR_LINES_SHOWN = 3;

type Child = ChildProcessByStdio<null, Readable, Readable>;

/** Gathers what the child says; of a talkative one, the end. */
function gatherOutput(child: Child): { stdout: string; stderr: string } {
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const)
    child[name].setEncoding('utf8').on('data', (text: string) => {
      output[name] = (output[name] + text).slice(-OUTPUT_CHARACTERS_MAX);
    });
  return output;
}

/** Resolves when the child has ended and all that it said is here: with the time of its end, and why it failed if it did. */
async function endOf(child: Child): Promise<{ endMs: number; failure: string | null }> {
  return await new Promise((resolve, reject) => {
    let endMs = 0;
    child.once('error', reject);
    child.once('exit', () => {
      endMs = performance.now();
    });
    child.once('close', (code, signal) => {
      resolve({ endMs, failure: code === 0 ? null : signal ? `was ended by ${signal}` : `ended with code ${code}` });
    });
  });
}

function lastLines(text: string): string {
  return text.trim().split('\n').slice(-STDERR_LINES_SHOWN).join(' / ') || 'it said nothing';
}

/** Runs a program once and times it. A run that fails throws `BENCH_RUN_FAILED` with the last that it said. */
export async function timeProgram(run: ProgramRun): Promise<ProgramTiming> {
  const cpuBeforeS = childrenCpuS();
  const startMs = performance.now();
  const child = spawn(run.command, run.args, { stdio: ['ignore', 'pipe', 'pipe'], timeout: DEADLINE_MS, killSignal: 'SIGKILL' });
  const watch = child.pid === undefined ? null : new ProcessWatch(child.pid);
  const output = gatherOutput(child);
  try {
    const { endMs, failure } = await endOf(child);
    if (failure !== null) throw new Error(`${failure}: ${lastLines(output.stderr)}`);
    const cpuAfterS = childrenCpuS();
    const figures = run.figures(output);
    return {
      wallS: (endMs - startMs) / 1000,
      cpuS: cpuAfterS === null || cpuBeforeS === null ? null : cpuAfterS - cpuBeforeS,
      rssBytes: figures.rssBytes ?? watch?.rssBytes ?? null,
      figures,
    };
  } catch (error) {
    throw new AppError('BENCH_RUN_FAILED', `${commandLine(run)}: ${(error as Error).message}`, { cause: error });
  } finally {
    watch?.stop();
    run.close();
  }
}

/** What was run, as one line. */
export function commandLine({ command, args }: ProgramRun): string {
  return [command, ...args].join(' ');
}
