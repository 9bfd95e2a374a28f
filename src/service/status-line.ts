import type { PipelineMemory } from '../messages.js';
import { readLedger } from '../ring/ledger.js';
import { LinkTable } from '../ring/link-table.js';
import { Cell, ThreadBlock } from '../ring/thread-block.js';
import { LINK_STATES, LinkState } from '../ring/watch-layout.js';

/** Interfaces by whether they can be captured from now. Without a cable an interface is open, and waits. */
export interface OpenLinks {
  readonly open: readonly string[];
  /** Name and state of the others. */
  readonly closed: readonly string[];
}

/** Where the capture stands with its interfaces. */
export function openLinks(memory: PipelineMemory): OpenLinks {
  const links = new LinkTable(memory.links);
  const open: string[] = [];
  const closed: string[] = [];
  for (let index = 0; index < links.count; index++) {
    const state = links.state(index);
    const name = links.name(index);
    if (state === LinkState.Up || state === LinkState.NoCarrier) open.push(name);
    else closed.push(`${name} (${LINK_STATES[state]})`);
  }
  return { open, closed };
}

/** One line for `systemctl status`: what is captured, at which rate, and what was lost. */
export class StatusLine {
  private readonly capture: ThreadBlock;
  private readonly parse: readonly ThreadBlock[];
  private received = 0;
  private wireBytes = 0;
  private lastMs: number;

  /** `nowMs` is the monotonic clock, as in `text`. */
  constructor(
    private readonly memory: PipelineMemory,
    nowMs: number,
  ) {
    this.capture = new ThreadBlock(memory.capture);
    this.parse = memory.parse.map((block) => new ThreadBlock(block));
    this.lastMs = nowMs;
  }

  /** The line; rates are those since the last call. */
  text(nowMs: number): string {
    const { open, closed } = openLinks(this.memory);
    const seconds = Math.max(0.001, (nowMs - this.lastMs) / 1000);
    const received = this.capture.cell(Cell.FramesReceived);
    const wireBytes = this.capture.cell(Cell.WireBytesReceived);
    const packetsPerSecond = Math.round((received - this.received) / seconds);
    const megabits = (((wireBytes - this.wireBytes) * 8) / seconds / 1e6).toFixed(1);
    this.received = received;
    this.wireBytes = wireBytes;
    this.lastMs = nowMs;
    const flows = this.parse.reduce((sum, block) => sum + block.cell(Cell.FlowsActive), 0);
    const { flowsWritten, kernelDropped, dropped } = readLedger(this.memory);
    const waiting = closed.length > 0 ? `; waiting for ${closed.join(', ')}` : '';
    const lost = kernelDropped + (dropped['ring_full'] ?? 0);
    return (
      `${open.length > 0 ? `capturing from ${open.join(', ')}` : 'capturing nothing'}${waiting}; ${packetsPerSecond} packets/s, ` +
      `${megabits} Mbit/s, ${flows} flows open, ${flowsWritten} written, ${lost} packets lost`
    );
  }
}
