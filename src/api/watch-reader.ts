import type { PipelineMemory } from '../messages.js';
import { GapLog } from '../ring/gap-log.js';
import { LinkTable } from '../ring/link-table.js';
import { Cell, ThreadBlock } from '../ring/thread-block.js';
import { GAP_REASONS, LINK_STATES, NIC_COUNTERS, type NicCounter } from '../ring/watch-layout.js';
import type { GapsSnapshot, LinkSnapshot } from './snapshot.js';

/** Reads what the capture says of the interfaces that it watches. It writes nothing and asks nobody. */
export class WatchReader {
  private readonly links: LinkTable;
  private readonly gaps: GapLog;
  private readonly capture: ThreadBlock;

  constructor(memory: PipelineMemory) {
    this.links = new LinkTable(memory.links);
    this.gaps = new GapLog(memory.gaps);
    this.capture = new ThreadBlock(memory.capture);
  }

  readLinks(): LinkSnapshot[] {
    const { links } = this;
    return Array.from({ length: links.count }, (_, index) => {
      const counters = links.counters(index);
      const count = (counter: NicCounter): number => counters[counter] as number;
      return {
        name: links.name(index),
        state: LINK_STATES[links.state(index)] ?? 'failed',
        gapStartUs: links.gapStartUs(index) || null,
        nic: Object.fromEntries(NIC_COUNTERS.map((name, counter) => [name, count(counter)])) as LinkSnapshot['nic'],
      };
    });
  }

  /** `nowUs` is the clock of the session, on which gaps are told; open ones count up to it. */
  readGaps(nowUs: number, links: readonly LinkSnapshot[]): GapsSnapshot {
    const openMs =
      links.reduce((sum, { gapStartUs }) => sum + (gapStartUs === null ? 0 : Math.max(0, nowUs - gapStartUs)), 0) / 1000;
    const last = this.gaps.read(this.gaps.lastNumber);
    return {
      count: this.capture.cell(Cell.Gaps),
      totalMs: this.capture.cell(Cell.GapMs) + openMs,
      last: last && {
        interface: this.links.name(last.linkIndex),
        reason: GAP_REASONS[last.reason] ?? '',
        startUs: last.startUs,
        endUs: last.endUs,
      },
    };
  }
}
