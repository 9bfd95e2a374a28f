import { DROP_REASONS, Drop } from './drop-reason.js';
import { type Command, LAYOUT_VERSION, Thread, type ThreadState } from './layout.js';

/**
 * Cells of a thread block: 64-bit floats, exact up to 2^53. Each cell has one writer, the thread that owns the block, and any
 * number of readers. An aligned 64-bit store is one store on x86-64 and arm64, so a reader sees an old or a new count and
 * never half of one. Counts only grow, unless the comment says otherwise; they survive a restart of the thread.
 */
export const enum Cell {
  /** Monotonic clock in ms at the last sign of life (gauge). */
  HeartbeatMs = 0,
  /** Times that the thread was started. */
  Starts = 1,
  /** Times that main ended the thread since it gave no sign of life. Main writes it, in every block. */
  Hangs = 2,
  /** 1 while the thread sits in one call that may take long and that nobody can interrupt: it shows no sign of life (gauge). */
  Blocked = 3,

  /** Capture: frames that the source handed over, and their bytes on the wire. */
  FramesReceived = 4,
  WireBytesReceived = 5,
  /** Capture: what the kernel says it saw and dropped before we could read it. */
  KernelPackets = 6,
  KernelDropped = 7,
  /** Capture: bytes copied into the rings. */
  BytesCopied = 8,
  /** Capture: bytes of input read, and its size where it is known (gauges, for the progress bar). */
  InputBytesRead = 9,
  InputBytesTotal = 10,
  /** Capture: frames that the parse workers can see, or have seen. */
  FramesPublished = 11,
  /** Capture: frames that are longer than a network with the usual 1,500 bytes carries: merged by a network card, not yet cut by
   * it, or jumbo. */
  FramesOversized = 12,
  /** Capture: frames of which the capture holds a part only. */
  FramesCut = 13,
  /** Capture: gaps of all interfaces that were begun, and the milliseconds of those that are over. */
  Gaps = 14,
  GapMs = 15,

  /** Parse: frames taken from the ring; each of them is in `PacketsInFlows` or under a drop reason. */
  FramesTaken = 16,
  PacketsInFlows = 17,
  IpBytesInFlows = 18,
  WireBytesInFlows = 19,
  FlowsCreated = 20,
  FlowsEmitted = 21,
  PacketsEmitted = 22,
  IpBytesEmitted = 23,
  WireBytesEmitted = 24,
  /** Flows in the table (gauge). */
  FlowsActive = 25,
  FlowsEvicted = 26,
  /** Times that a parse worker had to wait for the writer. */
  WriterRingFull = 27,
  /** Later fragments that joined the flow of their first one, and those that found no first fragment. */
  FragmentsJoined = 28,
  FragmentsUnknown = 29,

  /** Writer: what has been committed. */
  FlowsWritten = 32,
  PacketsWritten = 33,
  IpBytesWritten = 34,
  WireBytesWritten = 35,
  BatchesWritten = 36,
  /** Writer: attempts that the database refused because another process held it. */
  BusyRetries = 37,
  /** Writer: attempts that failed for any other reason; the rows wait in the ring. */
  WriteErrors = 38,
  /** Writer: milliseconds spent in transactions. */
  CommitMs = 39,
  /** Writer: IPv6 addresses that found the dimension table full. */
  AddressesOverflowed = 40,
  /** Writer: 1 while the last write failed (gauge). */
  WriteFailing = 41,
  /** Writer: names and other texts that found the dimension table full. */
  TextsOverflowed = 42,
  /** Writer: flows without a name of their own, by whether the server's address had one. */
  NameHits = 43,
  NameMisses = 44,
  /** Writer: addresses whose names gave way to others before they had expired. */
  NameEvictions = 45,
  /** Writer: addresses whose names are remembered (gauge). */
  NameAddresses = 46,
  /** Writer: devices, and addresses and names of devices, that gave way to others. */
  DevicesForgotten = 47,
  /** Writer: earlier sessions that were found open at the start, and the packets that they had counted in flows and not written. */
  UncleanSessions = 48,
  PacketsUnwritten = 49,
  /** Writer: rows that were deleted for their age or for want of room, and the `RetentionTrouble` that stands in the way (gauge). */
  RowsPruned = 50,
  RetentionTrouble = 51,
  /** Writer: length of a write-ahead log that readers hold beyond its limit, 0 otherwise (gauge). */
  WalHeldBytes = 52,
  /** Writer: when the file was checked last, µs since 1970 by the session's clock, 0 for never; 1 where it was damaged (gauges). */
  FileCheckedUs = 53,
  FileDamaged = 54,

  /** Capture: how often the wall clock was set during the run, and how far it is from the clock of the run (gauge, ms). */
  ClockSteps = 57,
  ClockOffsetMs = 58,

  /** API: the port that it listens on, 0 before it does (gauge). */
  ApiPort = 56,

  /** Every thread: drops by reason, one cell each, in the order of `Drop`. */
  Drops = 64,

  /**
   * Writer: flows that were emitted and are in no row of the file that is open, and what they carried: they waited too long for a
   * database that refused, or the file was lost with them. `FlowsWritten` falls by what the latter takes from it.
   */
  FlowsLost = 110,
  PacketsLost = 111,
  IpBytesLost = 112,
  WireBytesLost = 113,
  /** Writer: records of names and devices that waited too long. */
  NamesLost = 114,
  /** Writer: how often records were dropped or the file changed: ring positions that were stored before mean nothing any more. */
  LossRounds = 115,
  /** Writer: why the last write failed, a `WriteFault` (gauge). */
  WriteFault = 116,
  /** Writer: device and inode of the open file; 0 before the first one, -1 for one that is gone (gauges). */
  FileDevice = 117,
  FileInode = 118,
  /** Writer: damaged files that were set aside, and files that were removed or replaced while they were open. */
  FilesSetAside = 119,
  FilesReplaced = 120,

  /** Backups of the daemon: made, failed in a row (gauge), bytes written. Main writes them, in the writer's block. */
  BackupsMade = 121,
  BackupFailures = 122,
  BackupBytes = 123,
  /** Writer: bytes that the process has written to disks, all threads together; -1 where the kernel does not tell. */
  IoProcessBytes = 128,
  /** Writer: the same within the last 60 s, since midnight UTC, and in all runs on this database (gauges). */
  IoMinuteBytes = 129,
  IoTodayBytes = 130,
  IoTotalBytes = 131,
  /** Writer: bytes that everybody has written to the disk on which the database lies; -1 where there is none (gauges). */
  IoDeviceMinuteBytes = 132,
  IoDeviceTodayBytes = 133,
  IoDeviceTotalBytes = 134,
  /** Writer: rows of flows written, and seconds run, in the time that `IoTotalBytes` covers (gauges). */
  IoTotalFlows = 135,
  IoTotalSeconds = 136,
  /** Writer: of the last 60 whole minutes: how many are known, their bytes, and those of the greatest (gauges). */
  IoHourMinutes = 137,
  IoHourBytes = 138,
  IoHourBytesMax = 139,
  /** Writer: the `BudgetStep` in force (gauge), how often each was taken, and how often the hard limit made rows wait or go. */
  BudgetStep = 140,
  BudgetStepsLargerBatches = 141,
  BudgetStepsCoarserRollups = 142,
  BudgetStepsShedding = 143,
  BudgetHardStops = 144,
  /** Writer: flows that were counted and not written as rows since too much was written; and DNS transactions. */
  FlowsShed = 145,
  PacketsShed = 146,
  IpBytesShed = 147,
  WireBytesShed = 148,
  DnsShed = 149,
  /** Writer: how often it looked at rows that were due, and let them wait since too much was written. */
  BatchesHeld = 150,

  /** A database that lies in memory: bytes that it may have, 0 for one on a disk (gauge). Main writes it and those below, in the writer's block. */
  RamBytesMax = 151,
  /** Saves of it: made, failed, failed in a row (gauge), whether one is under way (gauge). */
  SavesMade = 152,
  SavesFailed = 153,
  SaveFailures = 154,
  SaveRunning = 155,
  /** The last one made: bytes of its file, and when it was over, µs since 1970; 0 before the first one (gauges). */
  SavedBytes = 156,
  SavedUs = 157,
}

if (Cell.Drops + Drop.Count > Cell.FlowsLost || Cell.SavedUs >= Thread.CellCount)
  throw new Error('thread block: too many drop reasons');

/** What keeps retention from its work. */
export const enum RetentionTrouble {
  None = 0,
  /** More is stored than the limit allows, and nothing is left that may go. */
  FileOverLimit = 1,
  /** The clock has leapt: nothing is deleted for its age until it has proven itself. */
  ClockInDoubt = 2,
}

/** Allocates the block of one thread. */
export function createThreadBlock(): SharedArrayBuffer {
  const memory = new SharedArrayBuffer((Thread.CellsF64 + Thread.CellCount) * 8);
  new Int32Array(memory)[Thread.Version] = LAYOUT_VERSION;
  return memory;
}

/** Milliseconds of the system's monotonic clock: the same in every thread, unlike `performance.now()`. */
export function monotonicMs(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1000 + nanoseconds / 1e6;
}

/** A view of one thread's block: control words and cells. */
export class ThreadBlock {
  readonly words: Int32Array;
  /** Index with `Cell`. */
  readonly cells: Float64Array;

  constructor(readonly memory: SharedArrayBuffer) {
    this.words = new Int32Array(memory);
    if (this.words[Thread.Version] !== LAYOUT_VERSION) throw new Error('thread block: other layout version');
    this.cells = new Float64Array(memory, Thread.CellsF64 * 8, Thread.CellCount);
  }

  get command(): Command {
    return Atomics.load(this.words, Thread.Command);
  }

  set command(command: Command) {
    Atomics.store(this.words, Thread.Command, command);
  }

  get state(): ThreadState {
    return Atomics.load(this.words, Thread.State);
  }

  set state(state: ThreadState) {
    Atomics.store(this.words, Thread.State, state);
  }

  /** Says that the thread is alive and moves. */
  beat(): void {
    this.cells[Cell.HeartbeatMs] = monotonicMs();
  }

  cell(cell: Cell): number {
    return this.cells[cell] as number;
  }

  /** Drops by name, those that are not zero. */
  drops(): Partial<Record<(typeof DROP_REASONS)[number], number>> {
    const found: Partial<Record<(typeof DROP_REASONS)[number], number>> = {};
    for (let reason = 1; reason < Drop.Count; reason++) {
      const count = this.cells[Cell.Drops + reason] as number;
      const name = DROP_REASONS[reason];
      if (count > 0 && name) found[name] = count;
    }
    return found;
  }
}
