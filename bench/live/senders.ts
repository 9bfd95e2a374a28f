import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { AppError } from '../../src/errors.js';
import { findProgram } from '../programs/find-program.js';
import type { SenderName } from './options.js';
import { type Rig, SENDING_INTERFACE } from './rig.js';
import { Running } from './running.js';
import type { SenderTask, Sent } from './sender.js';

/** Loading a capture of 2 GiB from a slow disk. */
const LOAD_DEADLINE_MS = 300_000;

/** A sender that has loaded its frames. */
export interface LoadedSender {
  /** Sends, and resolves at the end. */
  send(): Promise<Sent>;
  /** It is enough; `send` resolves soon. */
  stop(): void;
}

/** What to send; the interface is that of the rig. */
export type Sending = Omit<SenderTask, 'interface'>;

/** The sender's program: beside this file in the build, or in `dist` when the bench runs from its sources. */
function senderProgram(): string {
  const beside = fileURLToPath(new URL('./sender.js', import.meta.url));
  return existsSync(beside) ? beside : fileURLToPath(new URL('../../dist/bench/live/sender.js', import.meta.url));
}

async function loadOwn(rig: Rig, sending: Sending): Promise<LoadedSender> {
  const task: SenderTask = { ...sending, interface: SENDING_INTERFACE };
  const running = new Running(rig.spawn(process.execPath, [senderProgram(), JSON.stringify(task)]), 'the sender');
  await running.until(() => running.stdout.startsWith('ready\n'), LOAD_DEADLINE_MS, 'loading');
  return {
    send: async () => {
      running.process.stdin.write('go\n');
      const failure = await running.end;
      if (failure !== null) throw new Error(`the sender ${failure}: ${running.lastLines}`);
      return JSON.parse(running.stdout.split('\n')[1] ?? '') as Sent;
    },
    stop: () => void running.process.stdin.end(),
  };
}

function printed(text: string, label: RegExp): number {
  return Number(label.exec(text)?.[1] ?? Number.NaN);
}

/** tcpreplay with the whole file in memory, as often as it takes. */
function loadTcpreplay(rig: Rig, { file, packetsPerS, seconds, count }: Sending, path: string): LoadedSender {
  const packets = count ?? (packetsPerS === null ? null : Math.ceil(packetsPerS * seconds));
  const args = ['--intf1', SENDING_INTERFACE, '--preload-pcap', '--loop=0'];
  args.push(packetsPerS === null ? '--topspeed' : `--pps=${packetsPerS}`);
  args.push(packets === null ? `--duration=${seconds}` : `--limit=${packets}`, file);
  let running: Running | undefined;
  return {
    send: async () => {
      running = new Running(rig.spawn(path, args), 'tcpreplay');
      const failure = await running.end;
      if (failure !== null) throw new Error(`tcpreplay ${failure}: ${running.lastLines}`);
      return {
        packets: printed(running.stdout, /Successful packets:\s+(\d+)/),
        seconds: printed(running.stdout, /sent in ([\d.]+) seconds/),
        refused: printed(running.stdout, /Failed packets:\s+(\d+)/),
      };
    },
    // It ends at once, with its counts.
    stop: () => void running?.process.kill('SIGINT'),
  };
}

/** Gets a sender ready. Throws `USAGE` when it is not installed. */
export async function loadSender(rig: Rig, name: SenderName, sending: Sending): Promise<LoadedSender> {
  if (name === 'own') return await loadOwn(rig, sending);
  const path = findProgram('tcpreplay');
  if (path === null) throw new AppError('USAGE', '--sender tcpreplay: it is not installed');
  return loadTcpreplay(rig, sending, path);
}
