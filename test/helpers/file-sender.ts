import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished } from 'vitest';
import type { NetworkNamespace } from './network-namespace.js';

const SENDER = fileURLToPath(new URL('../../dist/bench/live/sender.js', import.meta.url));

/** Sends the frames of a capture file into `peer0`, again and again, until so many are sent; null: as fast as can be. */
export async function sendFile(
  namespace: NetworkNamespace,
  file: string,
  count: number,
  packetsPerS: number | null,
): Promise<void> {
  const task = { file, interface: 'peer0', packetsPerS, seconds: 0, count };
  const args = ['netns', 'exec', namespace.name, process.execPath, SENDER, JSON.stringify(task)];
  const child = spawn('ip', args, { stdio: ['pipe', 'ignore', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  child.stdin.write('go\n');
  const [code] = (await once(child, 'exit')) as [number];
  expect(code).toBe(0);
}
