import { MessageChannel, Worker } from 'node:worker_threads';
import { connectControl } from './control.js';
import type { ThreadStart } from './messages.js';

/** A worker thread that answers control calls and can be replaced. */
export class ControlledThread<T extends object> {
  /** The calls that the thread answers; a call to a thread that has died never settles. */
  control!: T;
  /** Resolves with the cause when the thread ends without `terminate`. */
  death!: Promise<string>;
  private worker!: Worker;
  private isExpected = false;

  /** `makeStart` gives the thread's `workerData` but for the control port; it is asked again for a replacement. */
  constructor(
    readonly name: string,
    private readonly file: URL,
    private readonly makeStart: () => ThreadStart,
  ) {
    this.restart();
  }

  /** Starts the thread, or a replacement for one that has died. */
  restart(): void {
    const { port1, port2 } = new MessageChannel();
    const start = this.makeStart();
    const worker = new Worker(this.file, {
      name: this.name,
      workerData: { ...start, control: port2 },
      transferList: [port2, start.events],
    });
    this.worker = worker;
    this.control = connectControl<T>(port1);
    this.death = new Promise((resolve) => {
      let cause = '';
      worker.on('error', (error) => {
        cause = error instanceof Error ? (error.stack ?? error.message) : String(error);
      });
      worker.on('exit', (code) => {
        port1.close();
        if (!this.isExpected) resolve(cause || `exit code ${code}`);
      });
    });
  }

  /** Ends the thread at once. */
  async terminate(): Promise<void> {
    this.isExpected = true;
    await this.worker.terminate();
  }
}
