import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import { program } from './daemon.js';

const FAULTS = fileURLToPath(new URL('../fixtures/faults.mjs', import.meta.url));

export type FaultyThread = 'capture' | 'parse' | 'writer' | 'api';
export type Fault = 'throw' | 'exit' | 'heap' | 'hang';

interface LogLine {
  readonly msg: string;
  readonly [field: string]: unknown;
}

/** What the tests read of `/health`. */
export interface HealthOfDaemon {
  readonly reasons: readonly { readonly code: string; readonly severity: string; readonly message: string }[];
  readonly notes: readonly { readonly code: string; readonly message: string }[];
  readonly ledger: { readonly received: number; readonly in_flows: number; readonly balanced: boolean };
  readonly writer: { readonly rows: number };
  readonly threads: readonly {
    readonly name: string;
    readonly state: string;
    readonly heartbeat_age_ms: number | null;
    readonly restarts: number;
    readonly hangs: number;
  }[];
}

const POLL_MS = 50;
/** A thread beats several times a second. */
const HEARTBEAT_AGE_MS_MAX = 1_500;

/** `flowberry run` in the network namespace of the calling thread, a test's own; its threads can be made to fail. */
export class FaultDaemon {
  readonly lines: LogLine[] = [];
  readonly child: ChildProcess;
  private readonly arrivals: (() => void)[] = [];

  constructor(args: readonly string[], env: NodeJS.ProcessEnv = {}) {
    this.child = spawn(process.execPath, ['--import', FAULTS, program, 'run', ...args], {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { ...process.env, ...env },
    });
    onTestFinished(() => void this.child.kill('SIGKILL'));
    createInterface({ input: this.child.stdout as NodeJS.ReadableStream }).on('line', (line) => {
      this.lines.push(JSON.parse(line) as LogLine);
      for (const arrived of this.arrivals.splice(0)) arrived();
    });
    this.child.on('exit', () => {
      for (const arrived of this.arrivals.splice(0)) arrived();
    });
  }

  /** Waits for a log line behind the first `from` ones. */
  async line(message: RegExp, from = 0): Promise<LogLine> {
    for (;;) {
      const found = this.lines.slice(from).find((line) => message.test(line.msg));
      if (found) return found;
      if (this.child.exitCode !== null || this.child.signalCode !== null)
        throw new Error(`it ended without a line like ${message}: ${JSON.stringify(this.lines.slice(-5))}`);
      await new Promise<void>((resolve) => this.arrivals.push(resolve));
    }
  }

  /** Has the thread fail at one of its next calls, and waits for the line that says so: of lines that repeat, there is one a minute. */
  async fail(thread: FaultyThread, fault: Fault, after: number): Promise<void> {
    const from = this.lines.length;
    this.strike(thread, fault, after);
    await this.line(new RegExp(`^${thread}(-\\d+)? (died|was ended)`), from);
  }

  /** Has the thread fail at one of its next calls, and waits until it is replaced and all is well. Gives the ms from the fault on. */
  async failAndRecover(thread: FaultyThread, fault: Fault, after: number): Promise<number> {
    const restartsOf = ({ threads }: HealthOfDaemon): number =>
      threads.reduce((sum, { name, restarts }) => (name.startsWith(thread) ? sum + restarts : sum), 0);
    const before = restartsOf(await this.health());
    const from = this.lines.length;
    this.strike(thread, fault, after);
    await this.line(/^the fault strikes/, from);
    return this.healthy((health) => restartsOf(health) > before);
  }

  private strike(thread: FaultyThread, fault: Fault, after: number): void {
    this.child.stdin?.write(`${JSON.stringify({ thread, fault, after })}\n`);
  }

  async health(): Promise<HealthOfDaemon> {
    const url = (await this.line(/^capturing$/))['health'] as string;
    return (await (await fetch(url, { headers: { connection: 'close' } })).json()) as HealthOfDaemon;
  }

  /** Waits until all threads run, packets come in and rows are written, and `isMore` holds. Gives the ms that it took. */
  async healthy(isMore: (health: HealthOfDaemon) => boolean = () => true): Promise<number> {
    const startMs = performance.now();
    let first: HealthOfDaemon | null = null;
    for (;;) {
      // An API thread that is being replaced refuses connections.
      const answer = await this.health().catch(() => null);
      const health = answer && isMore(answer) ? answer : null;
      first ??= health;
      if (health && first && isHealthy(health) && health.writer.rows > first.writer.rows) return performance.now() - startMs;
      await setTimeout(POLL_MS);
    }
  }

  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  async ended(): Promise<number | null> {
    if (this.child.exitCode === null && this.child.signalCode === null) await once(this.child, 'close');
    return this.child.exitCode;
  }
}

function isHealthy(health: HealthOfDaemon): boolean {
  const isAlive = health.threads.every(
    ({ state, heartbeat_age_ms: ageMs }) => state === 'running' && (ageMs ?? Number.POSITIVE_INFINITY) < HEARTBEAT_AGE_MS_MAX,
  );
  return isAlive && health.ledger.balanced && health.reasons.every(({ severity }) => severity !== 'failed');
}
