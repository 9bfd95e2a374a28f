import { execFileSync } from 'node:child_process';
import { createReadStream, readFileSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { AppError } from '../src/errors.js';
import { MICRO_CASES } from './cases.js';
import { type GeneratedCapture, generateCapture } from './generate.js';
import { readMachine } from './machine.js';
import { FULL_TIMING, runMicroCase, SMOKE_TIMING } from './micro.js';
import type { BenchOptions } from './options.js';
import { flowberryProgram } from './programs/flowberry.js';
import { PEERS } from './programs/peers.js';
import { PIPELINE_CASE, type Progress, runPrograms } from './programs/run-programs.js';
import { type BenchReport, type CaseResult, type InputDescription, REPORT_FORMAT, type SkippedCase } from './result.js';

/** Every case that `--only` can name. */
export const CASE_NAMES: readonly string[] = [...MICRO_CASES.map(({ name }) => name), PIPELINE_CASE];

const GIT_TIMEOUT_MS = 2000;

/** package.json, beside the sources or beside `dist`. */
function packageFile(): { path: string; version: string } {
  for (const candidate of ['../package.json', '../../package.json']) {
    const path = fileURLToPath(new URL(candidate, import.meta.url));
    try {
      return { path, version: (JSON.parse(readFileSync(path, 'utf8')) as { version: string }).version };
    } catch {
      // The sources lie one directory higher than the build.
    }
  }
  throw new AppError('INTERNAL', 'package.json is missing');
}

/** Commit of a working copy, with a mark when it was changed; null in an installed package. */
function readCommit(directory: string): string | null {
  try {
    const args = ['-C', directory, 'describe', '--always', '--dirty', '--exclude', '*'];
    return execFileSync('git', args, { encoding: 'utf8', timeout: GIT_TIMEOUT_MS, stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    // No git, or no working copy: the report goes without.
    return null;
  }
}

/** What is measured: version and commit. */
export function identify(): { version: string; commit: string | null } {
  const { path, version } = packageFile();
  return { version, commit: readCommit(dirname(path)) };
}

/** Reads the file once, so that the first program does not pay for the disk and all find it in the page cache. */
async function warmPageCache(path: string): Promise<void> {
  for await (const _ of createReadStream(path, { highWaterMark: 1 << 20 }));
}

/** What is measured on. */
export interface BenchInput {
  readonly description: InputDescription;
  readonly capture: GeneratedCapture | null;
}

/** Finds the file, or generates the capture. Throws `INPUT_NOT_FOUND` or `BENCH_FILE_NOT_WRITABLE`. */
export function openInput({ file, capture }: Pick<BenchOptions, 'file' | 'capture'>, progress: Progress): BenchInput {
  if (file !== null) {
    const size = statSync(file, { throwIfNoEntry: false });
    if (!size?.isFile()) throw new AppError('INPUT_NOT_FOUND', `${file}: no such file`);
    return { description: { path: file, bytes: size.size, generated: null }, capture: null };
  }
  progress(`generated capture of ${capture.packets} packets and ${capture.flows} flows`);
  const generated = generateCapture(capture);
  const { path, truth, sha256 } = generated;
  return { description: { path, bytes: truth.fileBytes, generated: { ...capture, sha256 } }, capture: generated };
}

/** Runs what is asked for, one after the other. Throws `AppError`. */
export async function runBenchCases(options: BenchOptions, progress: Progress): Promise<BenchReport> {
  const started = new Date().toISOString();
  const isWanted = (name: string): boolean => options.only?.includes(name) ?? true;
  const results: CaseResult[] = [];
  const skipped: SkippedCase[] = [];
  for (const micro of MICRO_CASES) {
    if (!isWanted(micro.name)) continue;
    const reason = micro.unavailable?.() ?? null;
    if (reason !== null) {
      skipped.push({ case: micro.name, reason });
      continue;
    }
    progress(micro.name);
    const [values, timing] = options.smoke ? [micro.smoke, SMOKE_TIMING] : [micro.full, FULL_TIMING];
    results.push(await runMicroCase(micro, values, timing));
  }
  let input: BenchInput | null = null;
  if (isWanted(PIPELINE_CASE)) {
    input = openInput(options, progress);
    await warmPageCache(input.description.path);
    const { generated } = input.description;
    const values = generated ? { ...options.capture } : { file: input.description.path, bytes: input.description.bytes };
    const plan = {
      own: flowberryProgram(input.capture?.truth ?? null),
      peers: options.peers ? PEERS : [],
      file: input.description.path,
      values,
      flows: input.capture?.truth.flows ?? null,
      runs: options.runs,
    };
    const outcome = await runPrograms(plan, progress);
    results.push(...outcome.results);
    skipped.push(...outcome.skipped);
  }
  return {
    format: REPORT_FORMAT,
    ...identify(),
    started,
    machine: readMachine(),
    input: input?.description ?? null,
    results,
    skipped,
  };
}
