import { setTimeout } from 'node:timers/promises';
import { AppError } from '../../src/errors.js';
import type { RigProcess } from './rig.js';

const OUTPUT_CHARACTERS_MAX = 1_000_000;
const LINES_SHOWN = 3;
const LOOK_MS = 20;

/** A program in the rig: what it says, and how it ends. */
export class Running {
  stdout = '';
  stderr = '';
  /** Resolves with why it failed, or null, once it has ended and all that it said is here. */
  readonly end: Promise<string | null>;
  hasEnded = false;

  constructor(
    readonly process: RigProcess,
    readonly command: string,
  ) {
    for (const name of ['stdout', 'stderr'] as const)
      process[name].setEncoding('utf8').on('data', (text: string) => {
        this[name] = (this[name] + text).slice(-OUTPUT_CHARACTERS_MAX);
      });
    this.end = new Promise((resolve) => {
      process.once('error', (error) => this.ended(resolve, error.message));
      process.once('close', (code, signal) => {
        this.ended(resolve, code === 0 ? null : signal ? `was ended by ${signal}` : `ended with code ${code}`);
      });
    });
  }

  get pid(): number {
    return this.process.pid ?? 0;
  }

  private ended(resolve: (failure: string | null) => void, failure: string | null): void {
    this.hasEnded = true;
    resolve(failure);
  }

  /** The last that it said. */
  get lastLines(): string {
    return `${this.stdout}\n${this.stderr}`.trim().split('\n').slice(-LINES_SHOWN).join(' / ') || 'it said nothing';
  }

  /** Waits until `condition` holds. Throws when the program ends before, or after `deadlineMs`. */
  async until(condition: () => boolean, deadlineMs: number, what: string): Promise<void> {
    const endMs = performance.now() + deadlineMs;
    while (!condition()) {
      if (this.hasEnded) throw new AppError('BENCH_RUN_FAILED', `${this.command} ended: ${this.lastLines}`);
      if (performance.now() > endMs)
        throw new AppError('BENCH_RUN_FAILED', `${this.command}: ${what} took more than ${deadlineMs} ms: ${this.lastLines}`);
      await setTimeout(LOOK_MS);
    }
  }

  /** Asks it to end with `signal`, and ends it for good when that takes too long. Throws when it failed. */
  async stop(signal: NodeJS.Signals, deadlineMs: number): Promise<void> {
    const killing = globalThis.setTimeout(() => this.process.kill('SIGKILL'), deadlineMs);
    this.process.kill(signal);
    const failure = await this.end;
    clearTimeout(killing);
    if (failure !== null && failure !== `was ended by ${signal}`)
      throw new AppError('BENCH_RUN_FAILED', `${this.command} ${failure}: ${this.lastLines}`);
  }
}
