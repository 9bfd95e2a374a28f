import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { onTestFinished } from 'vitest';
import type { HealthBody } from '../../src/api/schema.js';
import { program } from './daemon.js';
import type { NetworkNamespace } from './network-namespace.js';

interface LogLine {
  readonly level: string;
  readonly msg: string;
  readonly [field: string]: unknown;
}

/** A daemon that runs in a namespace of its own, on one end of a veth pair; it ends with the test, or when `atEnd` says so. */
export class Daemon {
  readonly lines: LogLine[] = [];
  private readonly child: ChildProcess;
  private readonly arrivals: (() => void)[] = [];

  constructor(
    readonly namespace: NetworkNamespace,
    args: readonly string[],
    command: readonly string[] = [program, 'run', '--api-port', '0'],
    atEnd: (stop: () => void) => void = onTestFinished,
  ) {
    this.child = spawn('ip', ['netns', 'exec', namespace.name, process.execPath, ...command, ...args], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    atEnd(() => void this.child.kill('SIGKILL'));
    createInterface({ input: this.child.stdout as NodeJS.ReadableStream }).on('line', (line) => {
      this.lines.push(JSON.parse(line) as LogLine);
      for (const arrived of this.arrivals.splice(0)) arrived();
    });
  }

  /** Waits for a log line, or for the `count`th of this text. */
  async line(message: string, count = 1): Promise<LogLine> {
    for (;;) {
      const found = this.lines.filter((line) => line.msg === message)[count - 1];
      if (found) return found;
      await new Promise<void>((resolve) => this.arrivals.push(resolve));
    }
  }

  /** What `/health` answers. */
  async health(): Promise<HealthBody> {
    const { health } = (await this.line('capturing')) as unknown as { health: string };
    const { stdout } = await promisify(execFile)('ip', ['netns', 'exec', this.namespace.name, 'curl', '-s', health]);
    return JSON.parse(stdout) as HealthBody;
  }

  /** Asks `/health` until it answers what is waited for. */
  async healthWith(condition: (body: HealthBody) => boolean): Promise<HealthBody> {
    for (;;) {
      const body = await this.health();
      if (condition(body)) return body;
      await sleep(50);
    }
  }

  /** Bytes that its process has written to disks, all threads together, as the kernel counts them. */
  async writtenBytes(): Promise<number> {
    const task = (await this.health()).threads.find(({ task_id: id }) => id !== null)?.task_id;
    const [, processId] = /^Tgid:\s+(\d+)$/m.exec(readFileSync(`/proc/${task}/status`, 'latin1')) as RegExpExecArray;
    return Number(/^write_bytes: (\d+)$/m.exec(readFileSync(`/proc/${processId}/io`, 'latin1'))?.[1]);
  }

  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  async exitCode(): Promise<number> {
    if (this.child.exitCode === null) await once(this.child, 'close');
    return this.child.exitCode ?? -1;
  }
}
