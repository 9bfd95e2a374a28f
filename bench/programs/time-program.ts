import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { AppError } from '../../src/errors.js';
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

/** Linux counts CPU time for users in hundredths of a second, whatever the kernel's tick. */
const TICKS_PER_S = 100;
/** Fields of /proc/PID/stat behind the name: `cutime` and `cstime` are the 16th and 17th of all (proc(5)). */
const CHILDREN_USER_TICKS = 13;
const CHILDREN_SYSTEM_TICKS = 14;
const RSS_POLL_MS = 20;
/** No program takes so long over a capture; one that hangs would stop the bench for good. */
const DEADLINE_MS = 30 * 60_000;
const OUTPUT_CHARACTERS_MAX = 1_000_000;
const STDERR_LINES_SHOWN = 3;

function readProc(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // No such system, or the process has ended.
    return null;
  }
}

/** CPU time of all children that have ended, in seconds. Each program runs alone, so the difference is its own. */
function childrenCpuS(): number | null {
  const stat = readProc('/proc/self/stat');
  if (stat === null) return null;
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[CHILDREN_USER_TICKS]) + Number(fields[CHILDREN_SYSTEM_TICKS])) / TICKS_PER_S;
}

/** The peak so far: the kernel's high-water mark only grows, so the last reading before the end is the peak but for its last moments. */
function rssPeakBytes(pid: number): number | null {
  const kib = /^VmHWM:\s+(\d+) kB$/m.exec(readProc(`/proc/${pid}/status`) ?? '')?.[1];
  return kib ? Number(kib) * 1024 : null;
}

/** Runs a program once and times it. A run that fails throws `BENCH_RUN_FAILED` with the last that it said. */
export async function timeProgram(run: ProgramRun): Promise<ProgramTiming> {
  const { command, args } = run;
  const cpuBeforeS = childrenCpuS();
  const startMs = performance.now();
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], timeout: DEADLINE_MS, killSignal: 'SIGKILL' });
  const output = { stdout: '', stderr: '' };
  let rssBytes: number | null = null;
  for (const name of ['stdout', 'stderr'] as const)
    child[name].setEncoding('utf8').on('data', (text: string) => {
      output[name] = (output[name] + text).slice(-OUTPUT_CHARACTERS_MAX);
    });
  const poll = setInterval(() => {
    if (child.pid !== undefined) rssBytes = rssPeakBytes(child.pid) ?? rssBytes;
  }, RSS_POLL_MS);
  try {
    const { wallS, cause } = await new Promise<{ wallS: number; cause: string | null }>((resolve, reject) => {
      let wallS = 0;
      child.once('error', reject);
      child.once('exit', () => {
        wallS = (performance.now() - startMs) / 1000;
      });
      child.once('close', (code, signal) => {
        resolve({ wallS, cause: code === 0 ? null : signal ? `was ended by ${signal}` : `ended with code ${code}` });
      });
    });
    if (cause !== null) throw new Error(`${cause}: ${lastLines(output.stderr)}`);
    const cpuAfterS = childrenCpuS();
    const figures = run.figures(output);
    return {
      wallS,
      cpuS: cpuAfterS === null || cpuBeforeS === null ? null : cpuAfterS - cpuBeforeS,
      rssBytes: figures.rssBytes ?? rssBytes,
      figures,
    };
  } catch (error) {
    const what = [command, ...args].join(' ');
    throw new AppError('BENCH_RUN_FAILED', `${what}: ${(error as Error).message}`, { cause: error });
  } finally {
    clearInterval(poll);
    run.close();
  }
}

function lastLines(text: string): string {
  return text.trim().split('\n').slice(-STDERR_LINES_SHOWN).join(' / ') || 'it said nothing';
}
