import { MessageChannel, MessagePort, Worker } from 'node:worker_threads';
import { connectControl, withDeadline } from './control.js';
import type { ThreadStart } from './messages.js';

/** A thread that has not started by then is ended all the same. */
const START_MS_MAX = 5_000;

/** A worker thread that answers control calls and can be replaced. */
export class ControlledThread<T extends object> {
  /** The calls that the thread answers; a call to a thread that has died never settles. */
  control!: T;
  /** Resolves with the cause when the thread ends without `terminate`. */
  death!: Promise<string>;
  private worker!: Worker;
  private isExpected = false;
  /** Why main has ended the thread; '' unless it has. */
  private endCause = '';
  /** Resolves when the thread has loaded what it needs, or has ended. */
  private started!: Promise<void>;

  /**
   * `makeStart` gives the thread's `workerData` but for the control port, and calls back when the thread says that it has started; it is
   * asked again for a replacement. Its ports go over to the thread. With more than `heapMibMax` in its heap the thread dies, and the
   * process lives on. `youngMibMax` is how much V8 lets gather before it looks for garbage; without it that is 48, which a thread that
   * makes much of it always has in use.
   */
  constructor(
    readonly name: string,
    private readonly file: URL,
    private readonly makeStart: (onStarted: () => void) => ThreadStart,
    private readonly heapMibMax: number,
    private readonly youngMibMax?: number,
  ) {
    this.restart();
  }

  /** Starts the thread, or a replacement for one that has died. */
  restart(): void {
    const { port1, port2 } = new MessageChannel();
    let onStarted = (): void => undefined;
    this.started = new Promise((resolve) => {
      onStarted = resolve;
    });
    const start = this.makeStart(onStarted);
    const worker = new Worker(this.file, {
      name: this.name,
      workerData: { ...start, control: port2 },
      transferList: [port2, ...Object.values(start).filter((value) => value instanceof MessagePort)],
      resourceLimits: {
        maxOldGenerationSizeMb: this.heapMibMax,
        ...(this.youngMibMax !== undefined && { maxYoungGenerationSizeMb: this.youngMibMax }),
      },
    });
    this.worker = worker;
    this.endCause = '';
    this.control = connectControl<T>(port1);
    this.death = new Promise((resolve) => {
      let cause = '';
      worker.on('error', (error) => {
        cause = error instanceof Error ? (error.stack ?? error.message) : String(error);
      });
      worker.on('exit', (code) => {
        onStarted();
        port1.close();
        if (!this.isExpected) resolve(this.endCause || cause || `exit code ${code}`);
      });
    });
  }

  /** Ends the thread as if it had died of `cause`: it is to be replaced. */
  end(cause: string): void {
    this.endCause = cause;
    void this.worker.terminate();
  }

  /** Ends the thread: at once, but not before it has started. */
  async terminate(): Promise<void> {
    this.isExpected = true;
    await withDeadline(this.started, START_MS_MAX, `the start of ${this.name}`).catch(() => undefined);
    await this.worker.terminate();
  }
}
