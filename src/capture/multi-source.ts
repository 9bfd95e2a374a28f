import type { InterfaceTable } from '../ring/interface-table.js';
import { PollSet } from './poll-set.js';
import { type FrameSink, type PacketSource, type SourceStatistics, Step } from './source.js';

/**
 * Several live sources that one thread reads, for sources that can be polled. Each of them looks after itself: one whose interface is
 * away does not hold up the others. Their frames come in the order in which they are read, each source's own in order.
 */
export class MultiSource implements PacketSource {
  private readonly pollSet: PollSet;

  constructor(private readonly sources: readonly PacketSource[]) {
    this.pollSet = new PollSet(sources.length);
  }

  /** Throws what the first source throws that cannot be opened; then none is open. */
  async open(sink: FrameSink, interfaces: InterfaceTable): Promise<void> {
    try {
      for (const source of this.sources) await source.open(sink, interfaces);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** Steps through all sources, and waits for any of them when none had anything. */
  step(waitMs: number): Step | Promise<Step> {
    let found = Step.Idle;
    for (let index = 0; index < this.sources.length; index++) {
      const source = this.sources[index] as PacketSource;
      const step = source.step(0);
      if (typeof step !== 'number') return this.stepRest(step, found, index + 1);
      if (step === Step.More) found = Step.More;
    }
    return found === Step.More ? Step.More : this.wait(waitMs);
  }

  /** A source that opens its interface again takes the event loop's time. */
  private async stepRest(stepping: Promise<Step>, found: Step, next: number): Promise<Step> {
    let isMore = (await stepping) === Step.More || found === Step.More;
    for (const source of this.sources.slice(next)) if ((await source.step(0)) === Step.More) isMore = true;
    // Whatever came meanwhile is looked for at the next step; nothing was waited for.
    return isMore ? Step.More : Step.Idle;
  }

  private wait(waitMs: number): Step {
    for (let index = 0; index < this.sources.length; index++) this.pollSet.set(index, this.sources[index]?.fd ?? null);
    return this.pollSet.wait(waitMs) ? Step.More : Step.Idle;
  }

  /** The shortest rest of them all. */
  restMs(): number {
    let ms = Number.POSITIVE_INFINITY;
    for (const source of this.sources) ms = Math.min(ms, source.restMs?.() ?? Number.POSITIVE_INFINITY);
    return ms;
  }

  statistics(): SourceStatistics {
    let kernelPackets = 0;
    let kernelDropped = 0;
    for (const source of this.sources) {
      const statistics = source.statistics();
      kernelPackets += statistics.kernelPackets;
      kernelDropped += statistics.kernelDropped;
    }
    return { kernelPackets, kernelDropped, inputBytesRead: 0, inputBytesTotal: 0 };
  }

  stopIntake(): void {
    for (const source of this.sources) source.stopIntake?.();
  }

  close(): void {
    for (const source of this.sources) source.close();
  }
}
