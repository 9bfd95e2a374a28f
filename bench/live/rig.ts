import { type ChildProcessByStdio, execFileSync, spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import type { Readable, Writable } from 'node:stream';
import { AppError } from '../../src/errors.js';
import { errnoText, lastErrno, libcFunction } from '../../src/libc.js';
import { BENCH_PREFIX, makeRunDirectory, removeRunDirectory } from '../temporary.js';

/** What is sent on one end of the pair comes in on the other. */
export const SENDING_INTERFACE = 'peer0';
export const CAPTURE_INTERFACE = 'capture0';

const CLONE_NEWNET = 0x40000000;
const NAMESPACES = '/run/netns';
/** The longest that a veth takes, so that merged frames of a capture file fit. */
const MTU_BYTES = 65_535;

/** A program that runs inside the rig. */
export type RigProcess = ChildProcessByStdio<Writable, Readable, Readable>;

function ip(...words: readonly string[]): void {
  execFileSync('ip', words, { stdio: ['ignore', 'ignore', 'pipe'], encoding: 'utf8' });
}

/** Why a rig cannot be made here, or null. */
function obstacle(): string | null {
  if (process.platform !== 'linux') return 'bench live works on Linux only';
  return process.getuid?.() === 0 ? null : 'bench live makes a network namespace, and only root may';
}

/** Takes away what a bench left behind that was killed: its process is gone, which its namespace names. */
function deleteLeftovers(): void {
  if (!existsSync(NAMESPACES)) return;
  for (const name of readdirSync(NAMESPACES)) {
    const pid = name.startsWith(BENCH_PREFIX) ? name.slice(BENCH_PREFIX.length) : '';
    if (/^\d+$/.test(pid) && !existsSync(`/proc/${pid}`)) ip('netns', 'delete', name);
  }
}

/**
 * A network namespace of its own with a pair of interfaces, and a directory for files. Silent: no IPv6 and no ARP, so that every
 * packet in it was sent by the bench. The main thread lives in the namespace until `delete`. Everything goes when the process ends,
 * in whichever way but SIGKILL; what that leaves, the next bench takes away.
 */
export class Rig {
  readonly directory: string;
  private readonly name = `${BENCH_PREFIX}${process.pid}`;
  private readonly running = new Set<RigProcess>();
  private readonly home: number;
  private isDeleted = false;
  private readonly atExit = (): void => this.delete();

  /** Throws `BENCH_NOT_PERMITTED` without root, `BENCH_RUN_FAILED` where the system refuses. */
  constructor() {
    const reason = obstacle();
    if (reason !== null) throw new AppError('BENCH_NOT_PERMITTED', reason);
    this.directory = makeRunDirectory();
    this.home = openSync('/proc/thread-self/ns/net', 'r');
    process.once('exit', this.atExit);
    try {
      deleteLeftovers();
      ip('netns', 'add', this.name);
      this.enter();
      this.connect();
    } catch (error) {
      this.delete();
      const said = (error as { stderr?: string }).stderr?.trim() || (error as Error).message;
      throw new AppError('BENCH_RUN_FAILED', `making a network namespace: ${said}`, { cause: error });
    }
  }

  private enter(): void {
    const target = openSync(`${NAMESPACES}/${this.name}`, 'r');
    moveTo(target);
    closeSync(target);
  }

  private connect(): void {
    for (const scope of ['all', 'default']) {
      const path = `/proc/sys/net/ipv6/conf/${scope}/disable_ipv6`;
      if (existsSync(path)) writeFileSync(path, '1');
    }
    ip('link', 'set', 'lo', 'up');
    ip('link', 'add', CAPTURE_INTERFACE, 'type', 'veth', 'peer', 'name', SENDING_INTERFACE);
    for (const name of [CAPTURE_INTERFACE, SENDING_INTERFACE])
      ip('link', 'set', name, 'mtu', String(MTU_BYTES), 'arp', 'off', 'up');
  }

  /** Starts a program inside the rig, with a view of `/sys` that fits. The process is the program itself. */
  spawn(command: string, args: readonly string[]): RigProcess {
    const child = spawn('ip', ['netns', 'exec', this.name, command, ...args], { stdio: ['pipe', 'pipe', 'pipe'] });
    this.running.add(child);
    child.once('close', () => this.running.delete(child));
    // A program that ends early closes its end; its exit is what tells.
    child.stdin.on('error', () => undefined);
    return child;
  }

  /** Packets that came in at the capturing interface, by the kernel's own count. */
  packetsArrived(): number {
    const line = readFileSync('/proc/thread-self/net/dev', 'utf8')
      .split('\n')
      .find((each) => each.includes(`${CAPTURE_INTERFACE}:`));
    return Number(line?.split(':')[1]?.trim().split(/\s+/)[1]);
  }

  /** Whether a packet socket is open and bound to an interface. */
  hasPacketSocket(): boolean {
    const [, ...lines] = readFileSync('/proc/thread-self/net/packet', 'utf8').trim().split('\n');
    return lines.some((line) => Number(line.trim().split(/\s+/)[4]) > 0);
  }

  /** Ends what still runs and takes everything away. May be called twice. */
  delete(): void {
    if (this.isDeleted) return;
    this.isDeleted = true;
    process.off('exit', this.atExit);
    for (const child of this.running) child.kill('SIGKILL');
    moveTo(this.home);
    closeSync(this.home);
    if (existsSync(`${NAMESPACES}/${this.name}`)) ip('netns', 'delete', this.name);
    removeRunDirectory(this.directory);
  }
}

/** Moves the calling thread into the network namespace of an open file. */
function moveTo(fd: number): void {
  if (libcFunction('int setns(int fd, int kind)')(fd, CLONE_NEWNET) < 0) throw new Error(`setns: ${errnoText(lastErrno())}`);
}
