import { describe, expect, it } from 'vitest';
import { FrameWriter } from '../../src/capture/frame-writer.js';
import { LiveTime } from '../../src/capture/live-time.js';
import { resolveConfig } from '../../src/config.js';
import type { LiveClock } from '../../src/live-clock.js';
import { allocateMemory } from '../../src/memory.js';
import type { ParseStart } from '../../src/messages.js';
import { finalReason, ParseWorker } from '../../src/parse/worker.js';
import { Doorbell } from '../../src/ring/doorbell.js';
import { EndReason, RecordKind, Slot } from '../../src/ring/layout.js';
import { ResumeAt, RingConsumer, RingProducer } from '../../src/ring/ring.js';
import { ThreadBlock } from '../../src/ring/thread-block.js';
import { viewOf } from '../helpers/frame-bytes.js';
import { udpFrame } from '../helpers/frames.js';

const START_US = 1_750_000_000_000_000;
const YEAR_US = 365 * 86_400e6;

/** A live capture and its parse worker without threads, and both clocks to turn. */
class Rig {
  liveUs = START_US;
  setUs = 0;
  readonly memory;
  private readonly frames: FrameWriter;
  private readonly time: LiveTime;
  private readonly worker: ParseWorker;

  constructor() {
    const config = resolveConfig({ 'flow.active-max': 100, 'flow.idle-udp-s': 60 });
    this.memory = allocateMemory(config, 1);
    const clock = { nowUs: () => this.liveUs } as LiveClock;
    this.time = new LiveTime(
      clock,
      () => undefined,
      () => (this.liveUs + this.setUs) / 1000,
    );
    const ring = new RingProducer(
      this.memory.frameRings[0] as SharedArrayBuffer,
      new Doorbell(this.memory.parse[0] as SharedArrayBuffer),
    );
    this.frames = new FrameWriter([ring], new ThreadBlock(this.memory.capture), true, this.time);
    const session = { key: 'test', mode: 'live', source: 'test', startedUs: START_US, startedMonotonicMs: 0 } as const;
    const events = new MessageChannel().port1 as unknown as ParseStart['events'];
    this.worker = new ParseWorker({ config, memory: this.memory, session, cpu: null, events, index: 0, hashSeed: 7 });
  }

  /** A second passes. */
  second(): void {
    this.liveUs += 1e6;
    this.time.refresh();
    this.worker.step(this.liveUs);
  }

  /** A packet of the flow comes in, stamped by the wall clock. */
  packet(srcPort: number): void {
    const bytes = udpFrame({ srcPort });
    const stampUs = this.liveUs + this.setUs;
    const seconds = Math.floor(stampUs / 1e6);
    this.frames.frame(viewOf(bytes), 0, bytes.length, bytes.length, seconds, (stampUs - seconds * 1e6) * 1000, 0, 1);
    this.frames.flush();
    this.worker.step(this.liveUs);
  }

  finish(): void {
    this.worker.finish(finalReason('live'));
  }

  flows(): { startUs: number; endUs: number; emittedUs: number; endReason: number }[] {
    const ring = new RingConsumer(this.memory.flowRings[0] as SharedArrayBuffer, ResumeAt.Released);
    const floats = new Float64Array(this.memory.flowRings[0] as SharedArrayBuffer);
    const flows = [];
    for (let payload = ring.peek(); payload >= 0; payload = ring.peek()) {
      const at = (index: number): number => floats[(payload >> 3) + index] as number;
      if (ring.kindAt(payload) === RecordKind.Flow)
        flows.push({
          startUs: at(Slot.StartUsF64),
          endUs: at(Slot.EndUsF64),
          emittedUs: at(Slot.EmittedUsF64),
          endReason: ring.words[(payload >> 2) + Slot.EndReason] as number,
        });
      ring.advance();
    }
    return flows;
  }
}

describe('flows of a live capture', () => {
  it.each([
    ['an hour ahead', 3_600e6],
    ['an hour back', -3_600e6],
    ['ten years ahead', 10 * YEAR_US],
    ['to 1970', -START_US],
  ])('keep their duration and time out in time when the wall clock is set %s', (_, stepUs) => {
    const rig = new Rig();
    // One flow lies across the step, one has its last packet before it, one its first behind it.
    rig.packet(1);
    rig.packet(2);
    for (let i = 0; i < 10; i++) rig.second();
    rig.setUs = stepUs;
    for (let i = 0; i < 10; i++) rig.second();
    rig.packet(1);
    rig.packet(3);
    for (let i = 0; i < 55; i++) rig.second();
    expect(rig.flows()).toEqual([{ startUs: START_US, endUs: START_US, emittedUs: START_US + 60e6, endReason: EndReason.Idle }]);
    rig.finish();
    expect(rig.flows().slice(1)).toEqual(
      expect.arrayContaining([
        { startUs: START_US, endUs: START_US + 20e6, emittedUs: START_US + 75e6, endReason: EndReason.Shutdown },
        { startUs: START_US + 20e6, endUs: START_US + 20e6, emittedUs: START_US + 75e6, endReason: EndReason.Shutdown },
      ]),
    );
  });
});
