import type { InterfaceTable } from '../ring/interface-table.js';

/** Takes frames from a source. */
export interface FrameSink {
  /**
   * Takes one frame: `capturedBytes` bytes of `view` from `offset`, valid only during the call and inside the view (the source
   * checks that). `wireBytes` is 0 to 2^32 - 1, `seconds` and `nanoseconds` count from 1970 UTC, `interfaceIndex` comes from the
   * interface table, `linkType` is pcap's LINKTYPE_ number. Counts the frame, copies what the parser needs, never throws.
   * Live: a full ring drops the frame. Replay: a full ring blocks the thread. Allocates nothing.
   */
  frame(
    view: DataView,
    offset: number,
    capturedBytes: number,
    wireBytes: number,
    seconds: number,
    nanoseconds: number,
    interfaceIndex: number,
    linkType: number,
  ): void;
}

/** How a step of a source ended. */
export const enum Step {
  /** Nothing is ready. */
  Idle = 0,
  /** Frames were handed over; there may be more. */
  More = 1,
  /** The input has ended. */
  End = 2,
}

/** What a source knows of the frames that it never saw, since it was opened. */
export interface SourceStatistics {
  /** Frames that the kernel counted for us, those that it dropped included; 0 for files. */
  readonly kernelPackets: number;
  readonly kernelDropped: number;
  /** Bytes of input read so far and in all; 0 where it is not known. */
  readonly inputBytesRead: number;
  readonly inputBytesTotal: number;
}

/** Where frames come from: a live interface or capture files. */
export interface PacketSource {
  /** Opens the source; it will hand its frames to `sink`. Throws `AppError` with what is wrong and leaves nothing open. */
  open(sink: FrameSink, interfaces: InterfaceTable): void | Promise<void>;
  /**
   * Hands over what is ready, at most some thousand frames. A live source with nothing ready waits at most `waitMs`. A broken
   * file throws `AppError` with code `INPUT_BROKEN` or `INPUT_NOT_A_CAPTURE`, after it has handed over everything before.
   */
  step(waitMs: number): Step | Promise<Step>;
  statistics(): SourceStatistics;
  /**
   * Live sources: nothing more comes in, and what the kernel has counted so far is still handed over. At the first `Step.Idle`
   * after it, the frames handed over are `kernelPackets - kernelDropped`.
   */
  stopIntake?(): void;
  /** Live sources: whether `open` went on with what a dead capture thread had left, so that nothing was missed. */
  readonly isInherited?: boolean;
  /** Live sources: what `poll` can wait for, or null while there is nothing; absent where the source waits for itself. */
  readonly fd?: number | null;
  /**
   * Live sources: for how many ms from now on it does no harm to leave this one alone, so that frames gather, before this is asked
   * again. 0: a step is due; `Infinity`: nothing gathers, and a step waits for what comes.
   */
  restMs?(): number;
  /** Live sources: whether the interface went down or away since this was asked last. */
  takeLinkLoss?(): boolean;
  /** Closes what is open; may be called at any time, and twice. */
  close(): void;
}
