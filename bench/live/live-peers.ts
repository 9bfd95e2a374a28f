import { execFileSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { findProgram } from '../programs/find-program.js';
import type { LiveCounts, LiveProgram } from './live-program.js';
import { CAPTURE_INTERFACE } from './rig.js';
import type { Running } from './running.js';

/** A count that a program printed behind `label`; throws when it did not. */
function printed(text: string, label: RegExp, what: string): number {
  const digits = label.exec(text)?.[1];
  if (digits === undefined) throw new Error(`it did not say how many packets it ${what}`);
  return Number(digits);
}

function counted(received: number, kernelDropped: number | null): LiveCounts {
  return { received, kernelDropped, ownDropped: null, stored: received, ignored: 0, rows: null, ledger: null };
}

function installed(...names: readonly string[]): string | null {
  const missing = names.find((name) => findProgram(name) === null);
  return missing === undefined ? null : `${missing} is not installed`;
}

const pathOf = (name: string): string => findProgram(name) ?? name;

/** Flows to a UDP socket that is read; what it counted is asked of it while it runs. */
const softflowd: LiveProgram = {
  name: 'softflowd',
  work: 'flow tracking, NetFlow 9 to a UDP socket on loopback that is read',
  obstacle: () => installed('softflowd', 'softflowctl'),
  prepare: async (_rig, directory) => {
    const collector = createSocket('udp4').on('message', () => undefined);
    collector.bind(0, '127.0.0.1');
    await once(collector, 'listening');
    const control = join(directory, 'control');
    let statistics = '';
    return {
      command: pathOf('softflowd'),
      args: [
        ...['-d', '-i', CAPTURE_INTERFACE, '-v', '9', '-n', `127.0.0.1:${collector.address().port}`],
        ...['-p', join(directory, 'pid'), '-c', control],
      ],
      stopSignal: 'SIGTERM',
      readyText: null,
      beforeStop: async () => {
        statistics = execFileSync(pathOf('softflowctl'), ['-c', control, 'statistics'], { encoding: 'utf8' });
      },
      counts: () =>
        counted(
          printed(statistics, /^Packets processed: (\d+)/m, 'processed'),
          printed(statistics, /^Packets dropped by libpcap: (\d+)/m, 'dropped'),
        ),
      close: () => collector.close(),
    };
  },
};

/** Flow files, uncompressed as it does by default. */
const nfpcapd: LiveProgram = {
  name: 'nfpcapd',
  work: 'flow tracking, flow files without compression',
  obstacle: () => installed('nfpcapd'),
  prepare: async (_rig, directory) => {
    const flows = join(directory, 'flows');
    mkdirSync(flows);
    return {
      command: pathOf('nfpcapd'),
      args: ['-i', CAPTURE_INTERFACE, '-w', flows],
      stopSignal: 'SIGTERM',
      readyText: 'Startup',
      counts: (running: Running) => {
        let dropped = 0;
        for (const match of running.stderr.matchAll(/dropped by OS\/Buffer: (\d+)/g)) dropped += Number(match[1]);
        return counted(printed(running.stderr, /^Total: Processed: (\d+)/m, 'processed'), dropped);
      },
      close: () => undefined,
    };
  },
};

/** Flow records to a file; its own reader adds them up. */
const argus: LiveProgram = {
  name: 'argus',
  work: 'flow tracking, flow records to a file',
  obstacle: () => installed('argus', 'racount'),
  prepare: async (_rig, directory) => {
    const records = join(directory, 'records');
    return {
      command: pathOf('argus'),
      args: ['-i', CAPTURE_INTERFACE, '-w', records],
      stopSignal: 'SIGTERM',
      readyText: null,
      counts: () => {
        const sums = execFileSync(pathOf('racount'), ['-r', records], { encoding: 'utf8', maxBuffer: 2 ** 26 });
        return counted(printed(sums, /^\s*sum\s+\d+\s+(\d+)/m, 'stored'), null);
      },
      close: () => undefined,
    };
  },
};

/** Writes to nowhere: what capturing alone costs. */
const tcpdump: LiveProgram = {
  name: 'tcpdump',
  work: 'capturing only, no flows',
  obstacle: () => installed('tcpdump'),
  prepare: async () => ({
    command: pathOf('tcpdump'),
    args: ['-i', CAPTURE_INTERFACE, '-w', '/dev/null'],
    stopSignal: 'SIGTERM',
    readyText: 'listening on',
    counts: ({ stderr }: Running) =>
      counted(
        printed(stderr, /^(\d+) packets? captured/m, 'captured'),
        printed(stderr, /^(\d+) packets? dropped by kernel/m, 'lost'),
      ),
    close: () => undefined,
  }),
};

/** Programs that others know, in the same rig. */
export const LIVE_PEERS: readonly LiveProgram[] = [softflowd, nfpcapd, argus, tcpdump];
