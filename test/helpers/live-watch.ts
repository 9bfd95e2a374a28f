import { AfpacketSource } from '../../src/capture/afpacket-source.js';
import { CapSource } from '../../src/capture/cap-source.js';
import type { LiveSetup } from '../../src/capture/live-setup.js';
import type { PacketSource } from '../../src/capture/source.js';
import { WatchedSource, type WatchOptions } from '../../src/capture/watched-source.js';
import { type OptionValues, resolveConfig } from '../../src/config.js';
import { LiveClock } from '../../src/live-clock.js';
import { createGapLog, GapLog } from '../../src/ring/gap-log.js';
import { createInterfaceTable, InterfaceTable } from '../../src/ring/interface-table.js';
import { createLinkTable, LinkTable } from '../../src/ring/link-table.js';
import { Cell, createThreadBlock, monotonicMs, ThreadBlock } from '../../src/ring/thread-block.js';
import { GAP_REASONS, LINK_STATES } from '../../src/ring/watch-layout.js';
import { RecordingSink } from './recording-sink.js';

/** Watched sources with the shared memory that they report to, without the threads around them. */
export class WatchRig {
  readonly sink = new RecordingSink();
  private readonly linkMemory = createLinkTable();
  readonly links = new LinkTable(this.linkMemory);
  readonly gaps = new GapLog(createGapLog());
  readonly block = new ThreadBlock(createThreadBlock());
  readonly interfaces = new InterfaceTable(createInterfaceTable());
  readonly log: string[] = [];
  private readonly setup: LiveSetup;

  constructor(options: OptionValues = {}) {
    const clock = new LiveClock(Date.now() * 1000, monotonicMs());
    this.setup = {
      config: resolveConfig(options),
      links: this.links,
      linkMemory: this.linkMemory,
      gaps: this.gaps,
      block: this.block,
      nowUs: () => clock.nowUs(),
      log: (_level, message) => this.log.push(message),
    };
  }

  /** A source for the interface, not opened yet. Looks at it every 10 ms, so that a test need not wait for seconds. */
  watch(name: string, backend: 'afpacket' | 'cap' = 'afpacket', index = 0): WatchedSource {
    const { config } = this.setup;
    const create: WatchOptions['create'] = (interfaceName, estate) =>
      backend === 'cap' ? new CapSource(interfaceName, config) : new AfpacketSource(interfaceName, config, estate);
    return new WatchedSource({ index, name, needsUp: backend === 'cap', create, setup: this.setup, checkIntervalMs: 10 });
  }

  /** Steps until the condition holds. */
  async until(source: PacketSource, condition: () => boolean): Promise<void> {
    while (!condition()) {
      await source.step(20);
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  state(index = 0): (typeof LINK_STATES)[number] {
    return LINK_STATES[this.links.state(index)] as (typeof LINK_STATES)[number];
  }

  /** Whether the interface is captured from, and no gap is open. */
  isCapturing(index = 0): boolean {
    return this.state(index) === 'up' && this.links.gapNumber(index) === 0;
  }

  /** Reasons of all gaps, in order; those still open end in an ellipsis. */
  get gapReasons(): string[] {
    return this.gaps.after(0).map(({ reason, endUs }) => `${GAP_REASONS[reason]}${endUs === null ? '…' : ''}`);
  }

  /** That the gaps in the log and the cells say the same, and no gap ends before it begins. */
  get areGapsSound(): boolean {
    const gaps = this.gaps.after(0);
    const lengthMs = gaps.reduce((sum, { startUs, endUs }) => sum + ((endUs ?? startUs) - startUs), 0) / 1000;
    const isForward = gaps.every(({ startUs, endUs }) => endUs === null || endUs >= startUs);
    return isForward && this.block.cell(Cell.Gaps) === gaps.length && Math.abs(this.block.cell(Cell.GapMs) - lengthMs) < 0.01;
  }
}
