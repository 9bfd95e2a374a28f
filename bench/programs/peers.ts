import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { mkdirSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { findProgram } from './find-program.js';
import { NO_FIGURES, type Program, type ProgramOutput } from './program.js';

/** A number that a program printed behind `label`, or null. */
function printed({ stdout, stderr }: ProgramOutput, label: RegExp): number | null {
  const digits = label.exec(`${stdout}\n${stderr}`)?.[1];
  return digits ? Number(digits) : null;
}

/** Sizes of all files in a directory. */
function directoryBytes(directory: string): number {
  return readdirSync(directory).reduce((sum, name) => sum + statSync(join(directory, name)).size, 0);
}

/** A collector on loopback that takes the datagrams away, as softflowd needs one to send to. */
async function openSink(): Promise<Socket> {
  const socket = createSocket('udp4');
  socket.on('message', () => undefined);
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return socket;
}

/** Reads the file, tracks flows in its default table, and exports them as NetFlow 9, its first format that knows IPv6. */
const softflowd: Program = {
  name: 'softflowd',
  work: 'flow tracking, NetFlow 9 to a UDP socket on loopback that is read',
  find: () => findProgram('softflowd'),
  prepare: async (path, file, directory) => {
    const sink = await openSink();
    const args = ['-d', '-r', file, '-v', '9', '-n', `127.0.0.1:${sink.address().port}`];
    return {
      command: path,
      args: [...args, '-p', join(directory, 'softflowd.pid'), '-c', 'none'],
      figures: (output) => ({
        ...NO_FIGURES,
        packets: printed(output, /^Packets processed: (\d+)/m),
        flows: printed(output, /^Flows exported: (\d+)/m),
      }),
      close: () => sink.close(),
    };
  },
};

/** Reads the file, tracks flows in its default cache and writes its flow files, uncompressed as it does by default. */
const nfpcapd: Program = {
  name: 'nfpcapd',
  work: 'flow tracking, flow files without compression',
  find: () => findProgram('nfpcapd'),
  prepare: async (path, file, directory) => {
    const flowDirectory = join(directory, 'nfpcapd');
    mkdirSync(flowDirectory, { recursive: true });
    return {
      command: path,
      args: ['-r', file, '-w', flowDirectory],
      figures: (output) => ({
        ...NO_FIGURES,
        packets: printed(output, /^Total: Processed: (\d+)/m),
        flows: sumOf(output, /Flows: (\d+), Packets:/g),
        storedBytes: directoryBytes(flowDirectory),
      }),
      close: () => undefined,
    };
  },
};

/** Sum of a number that a program prints for each of its files. */
function sumOf({ stdout, stderr }: ProgramOutput, label: RegExp): number {
  let sum = 0;
  for (const match of `${stdout}\n${stderr}`.matchAll(label)) sum += Number(match[1]);
  return sum;
}

/**
 * Reads the file, tracks flows and looks into the payload of their first packets, in one thread. Without `-v` it prints sums and no
 * flows, and it stores nothing.
 */
const ndpiReader: Program = {
  name: 'ndpiReader',
  work: 'flow tracking and protocol detection, sums printed, nothing stored',
  find: () => findProgram('ndpiReader'),
  prepare: async (path, file) => ({
    command: path,
    args: ['-i', file],
    figures: (output) => ({
      ...NO_FIGURES,
      packets: printed(output, /^\s*IP packets:\s+\d+\s+of (\d+) packets/m),
      flows: printed(output, /^\s*Unique flows:\s+(\d+)/m),
    }),
    close: () => undefined,
  }),
};

/** Reads the file and writes it to nowhere: what reading alone costs. */
const tcpdump: Program = {
  name: 'tcpdump',
  work: 'reading only, no flows',
  find: () => findProgram('tcpdump'),
  prepare: async (path, file) => ({
    command: path,
    args: ['-r', file, '-w', '/dev/null'],
    figures: () => NO_FIGURES,
    close: () => undefined,
  }),
};

/** Programs that others know, which read the same file in turn with flowberry. */
export const PEERS: readonly Program[] = [softflowd, nfpcapd, ndpiReader, tcpdump];
