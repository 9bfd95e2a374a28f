/** A program that reads a capture file and is timed as a whole. */
export interface Program {
  readonly name: string;
  /** What it does with the packets, for people. */
  readonly work: string;
  /** Path of the program, or null when it is not installed. */
  find(): string | null;
  /**
   * Gets ready for one run on `file`, with an empty `directory` for whatever it writes. Everything that is not the program's own
   * work happens here and in `figures`, outside the measured time.
   */
  prepare(path: string, file: string, directory: string): Promise<ProgramRun>;
}

/** One run of a program, ready to start. */
export interface ProgramRun {
  readonly command: string;
  readonly args: readonly string[];
  /** Reads what the program said and left behind, after its end. Throws when the run does not count. */
  figures(output: ProgramOutput): ProgramFigures;
  /** Frees what `prepare` took; called in any case. */
  close(): void;
}

/** What a program wrote. */
export interface ProgramOutput {
  readonly stdout: string;
  readonly stderr: string;
}

/** Figures that only the program itself can tell; null where it does not. */
export interface ProgramFigures {
  readonly packets: number | null;
  /** Flow records or rows that it made. */
  readonly flows: number | null;
  readonly dropped: number | null;
  /** Flows that it wrote early because its table was full. */
  readonly evicted: number | null;
  /** Bytes of the files that it wrote. */
  readonly storedBytes: number | null;
  /** Peak of the resident memory, where the program tells it exactly. */
  readonly rssBytes: number | null;
  /** CPU time in ns by stage, threads of one kind added up. */
  readonly cpuNsByStage: Readonly<Record<string, number>> | null;
  /** Hash over what the program stored. */
  readonly resultHash: string | null;
}

/** Of a program that says nothing. */
export const NO_FIGURES: ProgramFigures = {
  packets: null,
  flows: null,
  dropped: null,
  evicted: null,
  storedBytes: null,
  rssBytes: null,
  cpuNsByStage: null,
  resultHash: null,
};
