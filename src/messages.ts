import type { MessagePort } from 'node:worker_threads';
import type { Config } from './config.js';
import type { ErrorData } from './errors.js';

/**
 * The control plane: what main and the other threads say to each other. Packets and flows never travel this way; they go
 * through the rings. Every call is made through Comlink with a deadline, and every failure comes back as data.
 */

/** Answer of a control call. */
export type Outcome<T = undefined> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: ErrorData };

export const done: Outcome = { ok: true, value: undefined };

/** The memory that all threads share; main allocates it once and it outlives every thread. */
export interface PipelineMemory {
  /** Thread blocks. */
  readonly capture: SharedArrayBuffer;
  readonly parse: readonly SharedArrayBuffer[];
  readonly writer: SharedArrayBuffer;
  readonly api: SharedArrayBuffer;
  /** One of each per parse worker. */
  readonly frameRings: readonly SharedArrayBuffer[];
  readonly flowRings: readonly SharedArrayBuffer[];
  readonly flowTables: readonly SharedArrayBuffer[];
  readonly interfaces: SharedArrayBuffer;
  /** The interfaces that a live capture watches, and the times when it could not. */
  readonly links: SharedArrayBuffer;
  readonly gaps: SharedArrayBuffer;
  /** How the machine is, and what the threads are to do less of (`ring/host-layout.ts`). */
  readonly host: SharedArrayBuffer;
}

/** One run of the pipeline, as it is kept in the database. */
export interface Session {
  /** Random, 16 hexadecimal digits. */
  readonly key: string;
  readonly mode: 'live' | 'replay';
  /** Interface or file names, for people. */
  readonly source: string;
  /** Wall clock at the start, µs since 1970, and the monotonic clock at the same moment. */
  readonly startedUs: number;
  readonly startedMonotonicMs: number;
}

/** What packets come from. */
export type SourceSpec =
  | { readonly type: 'file'; readonly paths: readonly string[] }
  /** Names of interfaces, at least one and none twice; `auto` alone is that of the default route. */
  | { readonly type: 'afpacket'; readonly interfaces: readonly string[] }
  | { readonly type: 'cap'; readonly interfaces: readonly string[] };

/** What every thread is told at its start. */
export interface ThreadStart {
  readonly config: Config;
  readonly memory: PipelineMemory;
  readonly session: Session;
  /** CPU to pin this thread to, or null. */
  readonly cpu: number | null;
  /** Where `ThreadEvent`s go. */
  readonly events: MessagePort;
}

/** `workerData` of the capture thread. */
export interface CaptureStart extends ThreadStart {
  readonly control: MessagePort;
  readonly source: SourceSpec;
}

/** Task of a parse worker. */
export interface ParseStart extends ThreadStart {
  /** 0-based index of the worker, and of its ring, table and block. */
  readonly index: number;
  /** Seed of the flow table's hash; random, so that nobody outside can aim at one bucket. */
  readonly hashSeed: number;
}

/** `workerData` of the writer thread. */
export interface WriterStart extends ThreadStart {
  readonly control: MessagePort;
}

/** `workerData` of the API thread. */
export interface ApiStart extends ThreadStart {
  readonly control: MessagePort;
  /** Where main answers `MaintenanceControl`. */
  readonly maintenance: MessagePort;
  /** The operator's name for the database, which may lie elsewhere while it is written. */
  readonly databaseName: string;
}

/** What a person says of a device; a member that is not there stays as it is, null takes it away. */
export interface DeviceNoteUpdate {
  readonly deviceId: number;
  readonly name?: string | null;
  readonly note?: string | null;
}

/** `unknown`: there is no such device; `nameless`: it has no hardware address by which it could be known again; `full`: too many notes. */
export type DeviceNoteResult = 'done' | 'unknown' | 'nameless' | 'full';

/** The few calls by which the API has something done. */
export interface MaintenanceControl {
  noteDevice(update: DeviceNoteUpdate): Promise<Outcome<DeviceNoteResult>>;
  /** False: there is no such alert. */
  acknowledgeAlert(id: number, isAcknowledged: boolean): Promise<Outcome<boolean>>;
  /** Has a database that lies in memory saved. The number of the save that holds all rows of now; null where they are on the disk anyway. */
  saveDatabase(): Promise<Outcome<number | null>>;
}

/** How a capture ended. */
export interface CaptureEnd {
  /** Set when a source broke off; what came before is in the rings. */
  readonly error: ErrorData | null;
}

/** Calls that the capture thread answers. A capture is stopped with `Command.Drain` in its thread block. */
export interface CaptureControl {
  /** Opens the source, so that its errors are known before anything else starts. */
  open(): Promise<Outcome>;
  /** Captures until the input ends or the block's command is `Drain`; resolves after the last frame is published. */
  run(): Promise<Outcome<CaptureEnd>>;
}

/** Calls that the writer thread answers. */
export interface WriterControl {
  /** Opens or creates the database. Calling it again in a replaced thread takes up the session where it was. */
  open(): Promise<Outcome<WriterOpened>>;
  /** Goes by another config from now on, as far as that is possible at run time. */
  reconfigure(config: Config): Promise<Outcome>;
  /** Starts taking rows. Resolves when the block's command is `Drain` and every ring is empty, committed and checkpointed. */
  run(): Promise<Outcome>;
  /** Marks an alert as seen, or as open again, in a transaction of its own; false: there is no such alert. */
  acknowledgeAlert(id: number, isAcknowledged: boolean): Promise<Outcome<boolean>>;
  /** Stores what a person says of a device, in a transaction of its own. */
  noteDevice(update: DeviceNoteUpdate): Promise<Outcome<DeviceNoteResult>>;
}

/** What the writer found when it opened the database. */
export interface WriterOpened {
  /** Sessions that were not closed: flowberry was killed, or the power failed. */
  readonly uncleanSessions: number;
  readonly journalMode: string;
}

/** Calls that the API thread answers. */
export interface ApiControl {
  listen(): Promise<Outcome<{ readonly address: string; readonly port: number }>>;
  /** Goes by another config from now on, as far as that is possible at run time. */
  reconfigure(config: Config): Promise<Outcome>;
  close(): Promise<Outcome>;
}

/** From the worst on. */
export const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug'] as const;

export type LogLevel = (typeof LOG_LEVELS)[number];

/** What a thread tells main without being asked. */
export type ThreadEvent =
  | LogEvent
  /** It has loaded what it needs, and may be ended: Node aborts the process when a thread ends while it loads a native module. */
  | { readonly type: 'started' };

/** A line for the log. */
export interface LogEvent {
  readonly type: 'log';
  readonly level: LogLevel;
  readonly message: string;
  readonly fields?: Readonly<Record<string, string | number | boolean>>;
}

/** Ends every `switch` over a closed union: a new member that is not handled does not compile. */
export function assertNever(value: never): never {
  throw new Error(`unexpected value ${JSON.stringify(value)}`);
}
