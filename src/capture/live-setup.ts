import type { Config } from '../config.js';
import { LiveClock } from '../live-clock.js';
import type { CaptureStart, LogLevel } from '../messages.js';
import { GapLog } from '../ring/gap-log.js';
import { LinkTable } from '../ring/link-table.js';
import { ThreadBlock } from '../ring/thread-block.js';
import { logFrom } from '../thread-start.js';

/** What live sources need besides their interface. */
export interface LiveSetup {
  readonly config: Config;
  readonly links: LinkTable;
  readonly gaps: GapLog;
  /** Memory of the links. */
  readonly linkMemory: SharedArrayBuffer;
  /** The block of the capture, for the cells that sum gaps up. */
  readonly block: ThreadBlock;
  /** µs since 1970; never jumps. */
  readonly nowUs: () => number;
  readonly log: (level: LogLevel, message: string, fields: Readonly<Record<string, string | number>>) => void;
}

/** The setup of a capture's live sources. */
export function liveSetupOf(start: CaptureStart): LiveSetup {
  const { config, memory, session } = start;
  const clock = new LiveClock(session.startedUs, session.startedMonotonicMs);
  return {
    config,
    links: new LinkTable(memory.links),
    linkMemory: memory.links,
    gaps: new GapLog(memory.gaps),
    block: new ThreadBlock(memory.capture),
    nowUs: () => clock.nowUs(),
    log: (level, message, fields) => logFrom(start, level, message, fields),
  };
}
