import type { Rig } from './rig.js';
import type { Running } from './running.js';

/** A program that captures from an interface of the rig. */
export interface LiveProgram {
  readonly name: string;
  /** What it does with the packets, for people. */
  readonly work: string;
  /** Why it cannot run here, or null. */
  obstacle(): Promise<string | null> | string | null;
  /** Gets ready for one run, with an empty `directory` for whatever it writes. */
  prepare(rig: Rig, directory: string): Promise<LiveRun>;
}

/** One run of a program, ready to start. */
export interface LiveRun {
  readonly command: string;
  readonly args: readonly string[];
  readonly stopSignal: NodeJS.Signals;
  /** What the program says once it is ready, besides having its socket open; null for nothing. */
  readonly readyText: string | null;
  /** Asks the program for what it tells only while it runs. */
  beforeStop?(running: Running): Promise<void>;
  /** What the program counted, read after its end. Throws when the run does not count. */
  counts(running: Running): LiveCounts;
  /** Stage of the program by the name of its thread, where it has threads that are worth telling apart. */
  readonly stages?: Readonly<Record<string, string>>;
  /** Frees what `prepare` took; called in any case. */
  close(): void;
}

/** Packets as a program counted them; null where it does not tell. */
export interface LiveCounts {
  /** Handed to the program by the kernel. */
  readonly received: number;
  /** Dropped by the kernel because the program's buffer was full. */
  readonly kernelDropped: number | null;
  /** Dropped, or given no row, by the program itself for want of room. */
  readonly ownDropped: number | null;
  /** In what it made of them: rows, flow records. */
  readonly stored: number;
  /** Seen, and not stored because they are nothing that the program stores. */
  readonly ignored: number;
  readonly rows: number | null;
  /** Sums that must be equal; only flowberry shows all that is needed. */
  readonly ledger: LedgerCheck | null;
}

/** Kernel count = ledger = database: what each side has more than the next, 0 throughout. */
export interface LedgerCheck {
  /** Packets that the kernel counted and did not drop, less those received. */
  readonly kernel_less_received: number;
  /** Received, less those in flows or dropped under a reason. */
  readonly received_less_ledger: number;
  /** In flows, less those in rows of the database, and those whose rows were left out to spare the card. */
  readonly ledger_less_rows: number;
  /** Came in at the interface, less those that the kernel counted for the program. */
  readonly arrived_less_kernel: number;
}
