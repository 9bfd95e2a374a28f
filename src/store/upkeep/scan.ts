import { type ChildProcess, fork } from 'node:child_process';
import type { IdRange } from './id-marks.js';

/** What is asked of a scan, which reads the whole file. */
export type ScanTask =
  | { readonly type: 'check'; readonly path: string; readonly pragma: 'quick_check' | 'integrity_check' }
  | { readonly type: 'mark'; readonly path: string; readonly texts: IdRange; readonly addresses: IdRange };

/** `faults`: what is wrong with the file, empty when nothing is. `texts`, `addresses`: bits of the ids that rows refer to. */
export type ScanResult =
  | { readonly type: 'check'; readonly faults: readonly string[] }
  | { readonly type: 'mark'; readonly texts: Uint8Array; readonly addresses: Uint8Array }
  | { readonly type: 'failed'; readonly message: string }
  | { readonly type: 'stopped' };

/** The program of a scan. */
export const SCAN_FILE = new URL('./scan-process.js', import.meta.url);

/**
 * A scan of the whole file on a read-only connection, in a process of its own and behind everything else that wants the processor or
 * the disk. Not in a thread: SQLite's checks are one call that nothing can end, so a stop would have to wait for them, and a file that
 * is damaged enough takes the process down that reads it.
 */
export class Scan {
  /** Null as long as it runs. */
  result: ScanResult | null = null;
  private readonly child: ChildProcess;

  constructor(task: ScanTask, file: URL) {
    this.child = fork(file, { serialization: 'advanced', execArgv: [], stdio: ['ignore', 'ignore', 'ignore', 'ipc'] });
    const end = (result: ScanResult): void => {
      this.result ??= result;
    };
    this.child.on('message', (result) => end(result as ScanResult));
    this.child.on('error', ({ message }) => end({ type: 'failed', message }));
    this.child.on('exit', (code, signal) => end({ type: 'failed', message: `it ended with ${signal ?? `code ${code}`}` }));
    this.child.send(task, (error) => error && end({ type: 'failed', message: error.message }));
    // A writer that ends does not wait for it.
    this.child.unref();
    this.child.channel?.unref();
  }

  /** Ends it, wherever it is. */
  stop(): void {
    if (this.result !== null) return;
    this.result = { type: 'stopped' };
    this.child.kill('SIGKILL');
  }
}

/** What has scans done, one at a time. */
export interface Scanning {
  /** Whether one runs: not one that has answered or was ended. */
  readonly isScanning: boolean;
  /** Ends a scan that runs: it comes again later. */
  stop(): void;
}
