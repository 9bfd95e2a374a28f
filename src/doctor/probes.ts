import { closeSync, fsyncSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs';
import { request } from 'node:http';
import { createServer } from 'node:net';
import path from 'node:path';
import { libcFunction } from '../libc.js';

/** linux/ethtool.h and linux/sockios.h */
const SIOCETHTOOL = 0x8946;
const ETHTOOL_GRINGPARAM = 0x10;
const ETHTOOL_GGRO = 0x2b;
const ETHTOOL_GFLAGS = 0x25;
const FLAG_LRO = 1 << 15;
const NAME_BYTES_MAX = 15;
const AF_INET = 2;
const SOCK_DGRAM = 2;
/** sys/timex.h: what adjtimex answers when nothing sets the clock. */
const TIME_ERROR = 5;
const TIMEX_BYTES = 256;

const FSYNC_WRITES = 9;
const FSYNC_BYTES = 4096;
const ANSWER_MS_MAX = 2_000;

/** Who has a port. */
type PortOwner = 'nobody' | 'flowberry' | 'somebody';

/** What no file tells: it has to be tried out. Null: it could not be. */
export interface Probes {
  readonly nodeVersion: string;
  /** Merging of packets by an interface that is switched on, by ethtool's names. */
  readonly mergers: (interfaceName: string) => readonly string[] | null;
  /** Places for packets in the card: in use, and at most. */
  readonly receiveSlots: (interfaceName: string) => { readonly slots: number; readonly slotsMax: number } | null;
  /** Bytes that are free for this user on the file system of a directory, and its size. */
  readonly space: (directory: string) => { readonly freeBytes: number; readonly totalBytes: number } | null;
  /** Median time of writing a page to a file in this directory and waiting for the card, in ms. */
  readonly syncMs: (directory: string) => number | null;
  /** Whether something keeps the kernel's clock right. */
  readonly isClockKept: () => boolean | null;
  readonly portOwner: (address: string, port: number) => Promise<PortOwner>;
}

/** One ethtool request whose answer is `words` long, the command in the first; null where the driver refuses. */
function ethtool(interfaceName: string, command: number, words: number): Uint32Array | null {
  if (process.platform !== 'linux' || Buffer.byteLength(interfaceName) > NAME_BYTES_MAX) return null;
  const fd = libcFunction('int socket(int domain, int type, int protocol)')(AF_INET, SOCK_DGRAM, 0);
  if (fd < 0) return null;
  try {
    // koffi takes memory as it lies, so the answer comes back in the same bytes; `struct ifreq` holds their address.
    const memory = new BigUint64Array(5);
    const answer = new Uint32Array(words);
    answer[0] = command;
    new TextEncoder().encodeInto(interfaceName, new Uint8Array(memory.buffer));
    memory[2] = addressOf(answer);
    const result = libcFunction('int ioctl(int fd, unsigned long request, void *argument)')(fd, SIOCETHTOOL, memory);
    return result === 0 ? answer : null;
  } finally {
    closeSync(fd);
  }
}

/** Where the bytes lie; the view must be kept for as long as the address is used. */
function addressOf(view: Uint32Array): bigint {
  // memcpy returns its first argument: as an integer it is the address.
  return BigInt(libcFunction<number | bigint>('uintptr_t memcpy(void *to, const void *from, size_t bytes)')(view, view, 0));
}

function mergers(interfaceName: string): readonly string[] | null {
  const gro = ethtool(interfaceName, ETHTOOL_GGRO, 2);
  const flags = ethtool(interfaceName, ETHTOOL_GFLAGS, 2);
  if (!gro && !flags) return null;
  return [...(gro?.[1] ? ['gro'] : []), ...((flags?.[1] ?? 0) & FLAG_LRO ? ['lro'] : [])];
}

function receiveSlots(interfaceName: string): ReturnType<Probes['receiveSlots']> {
  const answer = ethtool(interfaceName, ETHTOOL_GRINGPARAM, 9);
  return answer ? { slotsMax: answer[1] as number, slots: answer[5] as number } : null;
}

function space(directory: string): ReturnType<Probes['space']> {
  try {
    const { bavail, blocks, bsize } = statfsSync(directory);
    return { freeBytes: bavail * bsize, totalBytes: blocks * bsize };
  } catch {
    // No such directory.
    return null;
  }
}

function syncMs(directory: string): number | null {
  const file = path.join(directory, `.flowberry-doctor-${process.pid}`);
  let fd: number;
  try {
    fd = openSync(file, 'wx', 0o600);
  } catch {
    // Not for this user.
    return null;
  }
  try {
    const page = new Uint8Array(FSYNC_BYTES);
    const times = Array.from({ length: FSYNC_WRITES }, () => {
      const startMs = performance.now();
      writeSync(fd, page);
      fsyncSync(fd);
      return performance.now() - startMs;
    });
    return times.sort((a, b) => a - b)[FSYNC_WRITES >> 1] as number;
  } catch {
    // The disk is full.
    return null;
  } finally {
    closeSync(fd);
    rmSync(file, { force: true });
  }
}

function isClockKept(): boolean | null {
  if (process.platform !== 'linux') return null;
  const state = libcFunction('int adjtimex(void *timex)')(new Uint8Array(TIMEX_BYTES));
  return state < 0 ? null : state !== TIME_ERROR;
}

async function portOwner(address: string, port: number): Promise<PortOwner> {
  const isFree = await new Promise<boolean>((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, address, () => server.close(() => resolve(true)));
  });
  if (isFree) return 'nobody';
  return await new Promise((resolve) => {
    const call = request({ host: address, port, path: '/health', signal: AbortSignal.timeout(ANSWER_MS_MAX) }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (part: string) => {
        text += part;
        if (text.length > 65_536) call.destroy();
      });
      response.on('close', () => resolve(/"status":"(ok|degraded|failed)"/.test(text) ? 'flowberry' : 'somebody'));
    });
    call.on('error', () => resolve('somebody'));
    call.end();
  });
}

/** The real machine. */
export const systemProbes: Probes = {
  nodeVersion: process.versions.node,
  mergers,
  receiveSlots,
  space,
  syncMs,
  isClockKept,
  portOwner,
};
