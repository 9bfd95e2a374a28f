import { once } from 'node:events';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { onTestFinished } from 'vitest';
import { temporaryDirectory } from './daemon.js';

/** One datagram: its lines, and when it came by the monotonic clock. */
export interface Notice {
  readonly lines: readonly string[];
  readonly atMs: number;
}

let listenersMade = 0;

/** Stands for the service manager: listens on a datagram socket and keeps what it is told. */
export class NotifyListener {
  readonly notices: Notice[] = [];
  private readonly arrivals: (() => void)[] = [];
  private readonly worker: Worker;

  private constructor(
    /** What goes into NOTIFY_SOCKET. */
    readonly address: string,
  ) {
    this.worker = new Worker(LISTEN, { eval: true, workerData: { address, root: import.meta.url } });
    this.worker.on('message', ({ text, atMs }: { text: string; atMs: number }) => {
      if (text === '') return;
      this.notices.push({ lines: text.split('\n'), atMs });
      for (const arrived of this.arrivals.splice(0)) arrived();
    });
    onTestFinished(async () => void (await this.worker.terminate()));
  }

  /** Listens on a socket in the file system, or on an abstract one. */
  static async open(kind: 'path' | 'abstract'): Promise<NotifyListener> {
    const listener = new NotifyListener(
      kind === 'path' ? join(temporaryDirectory(), 'notify') : `@flowberry-test-${process.pid}-${++listenersMade}`,
    );
    // It says an empty word once it is bound.
    await once(listener.worker, 'message');
    return listener;
  }

  /** Notices with a line that begins like this. */
  with(start: string): Notice[] {
    return this.notices.filter(({ lines }) => lines.some((line) => line.startsWith(start)));
  }

  /** Waits until `count` notices have such a line; gives the last of them. */
  async until(start: string, count = 1): Promise<Notice> {
    while (this.with(start).length < count) await new Promise<void>((resolve) => this.arrivals.push(resolve));
    return this.with(start)[count - 1] as Notice;
  }
}

const LISTEN = `
  const { createRequire } = require('node:module');
  const { parentPort, workerData } = require('node:worker_threads');
  const koffi = createRequire(workerData.root)('koffi');
  const libc = koffi.load(null);
  const { address } = workerData;
  const name = Buffer.from(address.startsWith('@') ? '\\0' + address.slice(1) : address + '\\0');
  const bytes = Buffer.alloc(2 + name.length);
  bytes.writeUInt16LE(1, 0);
  name.copy(bytes, 2);
  const fd = libc.func('int socket(int domain, int type, int protocol)')(1, 2, 0);
  if (libc.func('int bind(int fd, const void *address, uint32_t bytes)')(fd, bytes, bytes.length) < 0) throw new Error('bind');
  const receive = libc.func('long recv(int fd, _Out_ void *data, size_t bytes, int flags)');
  const poll = libc.func('int poll(_Inout_ void *set, unsigned long count, int timeoutMs)');
  const set = Buffer.alloc(8);
  const data = Buffer.alloc(8192);
  parentPort.postMessage({ text: '', atMs: 0 });
  const turn = () => {
    set.writeInt32LE(fd, 0);
    set.writeInt16LE(1, 4);
    if (poll(set, 1, 50) > 0) {
      const count = receive(fd, data, data.length, 0);
      parentPort.postMessage({ text: data.toString('utf8', 0, count), atMs: Number(process.hrtime.bigint() / 1000n) / 1000 });
    }
    setImmediate(turn);
  };
  turn();
`;
