import { execFile, execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync, writeFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { Worker } from 'node:worker_threads';
import { errnoText, lastErrno, libcFunction } from '../../src/libc.js';

const setns = libcFunction('int setns(int fd, int kind)');
const socket = libcFunction('int socket(int domain, int type, int protocol)');
const bind = libcFunction('int bind(int fd, const void *address, uint32_t bytes)');
const send = libcFunction('long send(int fd, const void *data, size_t bytes, int flags)');
const ioctl = libcFunction('int ioctl(int fd, unsigned long request, void *argument)');
const ifNameToIndex = libcFunction('uint32_t if_nametoindex(const char *name)');

const CLONE_NEWNET = 0x40000000;
const AF_PACKET = 17;
const SOCK_RAW = 3;
const TUNSETIFF = 0x400454ca;
/** IFF_TUN | IFF_NO_PI */
const TUN_FLAGS = 0x1001;

function check(result: number, what: string): number {
  if (result < 0) throw new Error(`${what}: ${errnoText(lastErrno())}`);
  return result;
}

function ip(...words: readonly string[]): string {
  return execFileSync('ip', words, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

const LINK_WAIT_MS = 20_000;
const WAITING = new Int32Array(new SharedArrayBuffer(4));

let namespacesMade = 0;

/** Why network namespaces cannot be made here, or null. */
export function namespaceObstacle(): string | null {
  if (process.platform !== 'linux') return 'needs Linux';
  if (process.getuid?.() !== 0) return 'needs root';
  const name = `flowberry-probe-${process.pid}`;
  try {
    ip('netns', 'add', name);
    ip('netns', 'delete', name);
    return null;
  } catch {
    return 'needs ip netns';
  }
}

/**
 * A network namespace of its own with a veth pair: what is sent on `peer0` comes in on `capture0`. Silent: no IPv6, no ARP.
 * The namespace goes when `delete` is called, and its interfaces with it.
 */
export class NetworkNamespace {
  readonly name = `flowberry-${process.pid}-${++namespacesMade}`;

  constructor() {
    ip('netns', 'add', this.name);
    try {
      this.run(() => {
        for (const scope of ['all', 'default']) {
          const path = `/proc/sys/net/ipv6/conf/${scope}/disable_ipv6`;
          if (existsSync(path)) writeFileSync(path, '1');
        }
      });
      this.ip('link', 'set', 'lo', 'up');
      this.addPair('capture0', 'peer0');
    } catch (error) {
      this.delete();
      throw error;
    }
  }

  /** Runs `ip` on the namespace. */
  ip(...words: readonly string[]): void {
    ip('-n', this.name, ...words);
  }

  /** Adds a veth pair that is up: what is sent on the second end comes in on the first. */
  addPair(name: string, peer: string): void {
    this.ip('link', 'add', name, 'type', 'veth', 'peer', 'name', peer);
    for (const each of [name, peer]) this.ip('link', 'set', each, 'arp', 'off');
    this.up(name, peer);
  }

  /**
   * Sets interfaces up and waits until the kernel says that their links are, too: a worker of the kernel finds that out later, and
   * whoever looks before sees an interface without a carrier. Throws after 20 s; a veth whose peer is down never has a link.
   */
  up(...names: readonly string[]): void {
    for (const name of names) this.ip('link', 'set', name, 'up');
    const deadline = performance.now() + LINK_WAIT_MS;
    const isUp = (name: string): boolean => ip('-n', this.name, 'link', 'show', 'dev', name).includes(' state UP ');
    while (!names.every(isUp)) {
      if (performance.now() > deadline) throw new Error(`no link on ${names.join(', ')}`);
      Atomics.wait(WAITING, 0, 0, 1);
    }
  }

  /** As `ip`, while the event loop goes on. */
  async ipAsync(...words: readonly string[]): Promise<void> {
    await promisify(execFile)('ip', ['-n', this.name, ...words]);
  }

  /** Moves the calling thread into the namespace; the answer moves it back. What is opened in between stays there. */
  enter(): () => void {
    const home = openSync('/proc/thread-self/ns/net', 'r');
    const target = openSync(`/run/netns/${this.name}`, 'r');
    check(setns(target, CLONE_NEWNET), 'setns');
    closeSync(target);
    return () => {
      check(setns(home, CLONE_NEWNET), 'setns');
      closeSync(home);
    };
  }

  /** Runs synchronous work inside the namespace. */
  run<T>(work: () => T): T {
    const leave = this.enter();
    try {
      return work();
    } finally {
      leave();
    }
  }

  delete(): void {
    ip('netns', 'delete', this.name);
  }
}

/** Sends whole frames on an interface of the namespace that the thread is in. */
export class FrameSender {
  private readonly fd = check(socket(AF_PACKET, SOCK_RAW, 0), 'socket');

  constructor(interfaceName: string) {
    const address = new Int32Array(5);
    new Uint16Array(address.buffer)[0] = AF_PACKET;
    address[1] = ifNameToIndex(interfaceName);
    check(bind(this.fd, address, address.byteLength), `bind to ${interfaceName}`);
  }

  send(frame: Uint8Array): void {
    check(send(this.fd, frame, frame.byteLength, 0), 'send');
  }

  close(): void {
    closeSync(this.fd);
  }
}

/** Why there can be no tun interface here, or null. */
export function tunObstacle(): string | null {
  return existsSync('/dev/net/tun') ? null : 'needs /dev/net/tun';
}

/** Makes a tun interface in the namespace that the thread is in; what is written to the descriptor comes in on it as IP packets. */
export function openTun(name: string): number {
  const fd = openSync('/dev/net/tun', 'r+');
  const ifreq = new Uint8Array(40);
  new TextEncoder().encodeInto(name, ifreq);
  new Uint16Array(ifreq.buffer)[8] = TUN_FLAGS;
  check(ioctl(fd, TUNSETIFF, ifreq), 'TUNSETIFF');
  return fd;
}

/** Sends the frames over and over from a thread of its own, with pauses of 2 ms, until it is stopped. */
export class FrameFlood {
  private readonly stopFlag = new Int32Array(new SharedArrayBuffer(4));
  private readonly worker: Worker;

  /** The thread lives in the namespace that the calling thread is in. */
  constructor(interfaceName: string, frames: readonly Uint8Array[]) {
    this.worker = new Worker(FLOOD, {
      eval: true,
      workerData: { frames, index: ifNameToIndex(interfaceName), stopFlag: this.stopFlag, root: import.meta.url },
    });
  }

  /** Resolves when the first frames have been sent. */
  async started(): Promise<void> {
    await once(this.worker, 'message');
  }

  async stop(): Promise<void> {
    const exited = once(this.worker, 'exit');
    Atomics.store(this.stopFlag, 0, 1);
    await exited;
  }
}

const FLOOD = `
  const { createRequire } = require('node:module');
  const { parentPort, workerData } = require('node:worker_threads');
  const koffi = createRequire(workerData.root)('koffi');
  const libc = koffi.load(null);
  const send = libc.func('long send(int fd, const void *data, size_t bytes, int flags)');
  const fd = libc.func('int socket(int domain, int type, int protocol)')(${AF_PACKET}, ${SOCK_RAW}, 0);
  const address = new Int32Array(5);
  new Uint16Array(address.buffer)[0] = ${AF_PACKET};
  address[1] = workerData.index;
  if (libc.func('int bind(int fd, const void *address, uint32_t bytes)')(fd, address, 20) < 0) throw new Error('bind');
  for (let count = 0; Atomics.wait(workerData.stopFlag, 0, 0, 2) === 'timed-out'; count++) {
    for (const frame of workerData.frames) send(fd, frame, frame.byteLength, 0);
    if (count === 0) parentPort.postMessage('started');
  }
  libc.func('int close(int fd)')(fd);
`;
