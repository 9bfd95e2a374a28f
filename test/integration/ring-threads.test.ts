import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { afterEach, describe, expect, it } from 'vitest';
import { ResumeAt, RING_BYTES_MIN, ringUsedBytes } from '../../src/ring/ring.js';
import { createThreadBlock } from '../../src/ring/thread-block.js';
import { createRingAt } from '../helpers/rings.js';

const isBuilt = existsSync(fileURLToPath(new URL('../../dist/src/ring/ring.js', import.meta.url)));
/** Generous, since nothing in these threads waits with a time limit: whoever misses a wake-up sleeps until the test gives up. */
const TIMEOUT_MS = 180_000;

interface Setup {
  readonly count: number;
  readonly capacityBytes?: number;
  readonly position?: number;
  /** Largest record, in 32-bit words of payload. */
  readonly wordsMax?: number;
  readonly publishEvery?: number;
  readonly releaseEvery?: number;
  /** Longest pauses after a record, in rounds of arithmetic. */
  readonly producerSpinMax?: number;
  readonly consumerSpinMax?: number;
  /** The producer goes on only when the consumer has taken the record. */
  readonly isLockstep?: boolean;
  readonly isAsync?: boolean;
  readonly resumeAt?: ResumeAt;
  readonly reportEvery?: number;
}

const running = new Set<Worker>();
afterEach(async () => {
  await Promise.all([...running].map((worker) => worker.terminate()));
  running.clear();
});

/** A thread of this test: `done` is its last message, `progress` the next report of how far it has come. */
class Thread {
  readonly worker: Worker;
  readonly done: Promise<{ waits: number; sleeps: number }>;
  private onProgress: () => void = () => undefined;

  constructor(file: string, workerData: object) {
    this.worker = new Worker(new URL(`../fixtures/${file}`, import.meta.url), { workerData });
    running.add(this.worker);
    this.done = new Promise((resolve, reject) => {
      this.worker.on('message', (message) => (message.type === 'done' ? resolve(message) : this.onProgress()));
      this.worker.on('error', reject);
      this.worker.on('exit', () => reject(new Error('the thread ended early')));
    });
    // Whoever is interested awaits it; a thread that is terminated on purpose is of no interest.
    this.done.catch(() => undefined);
  }

  progress(): Promise<void> {
    return new Promise((resolve) => {
      this.onProgress = resolve;
    });
  }
}

class Stress {
  private readonly ring: SharedArrayBuffer;
  private readonly block = createThreadBlock();
  private readonly seenMemory: SharedArrayBuffer;
  /** How often each record was taken, by its id. */
  readonly seen: Int32Array;
  readonly setup: Required<Setup>;

  constructor(setup: Setup) {
    this.setup = {
      capacityBytes: 65_536,
      position: 0,
      wordsMax: 64,
      publishEvery: 16,
      releaseEvery: 16,
      producerSpinMax: 0,
      consumerSpinMax: 0,
      isLockstep: false,
      isAsync: false,
      resumeAt: ResumeAt.Cursor,
      reportEvery: 0,
      ...setup,
    };
    this.ring = createRingAt(this.setup.capacityBytes, this.setup.position);
    this.seenMemory = new SharedArrayBuffer(4 * setup.count);
    this.seen = new Int32Array(this.seenMemory);
  }

  startProducer(): Thread {
    const { ring, block, setup } = this;
    return new Thread('ring-producer.mjs', { ...setup, ring, block, seen: this.seenMemory, spinMax: setup.producerSpinMax });
  }

  startConsumer(): Thread {
    const { ring, block, setup } = this;
    return new Thread('ring-consumer.mjs', { ...setup, ring, block, seen: this.seenMemory, spinMax: setup.consumerSpinMax });
  }

  /** Runs both threads to the end; the consumer itself refuses what is not the next record or not whole. */
  async run(): Promise<{ waits: number; sleeps: number }> {
    const [producer, consumer] = [this.startProducer(), this.startConsumer()];
    const [{ waits }, { sleeps }] = await Promise.all([producer.done, consumer.done]);
    expect(this.seen.every((times) => times === 1)).toBe(true);
    expect(ringUsedBytes(this.ring)).toBe(0);
    return { waits, sleeps };
  }

  /** As `run`, but each consumer dies after its first report, until `kills` have died. Returns how often records came twice. */
  async runWithDeaths(kills: number): Promise<number> {
    const producer = this.startProducer();
    for (let killed = 0; killed < kills; killed++) {
      const consumer = this.startConsumer();
      await Promise.race([consumer.progress(), consumer.done]);
      await consumer.worker.terminate();
    }
    await Promise.all([producer.done, this.startConsumer().done]);
    expect(this.seen.every((times) => times >= 1)).toBe(true);
    expect(ringUsedBytes(this.ring)).toBe(0);
    return this.seen.reduce((sum, times) => sum + times, 0) - this.setup.count;
  }
}

describe.skipIf(!isBuilt)('a ring between two threads (needs the build: npm run build)', { timeout: TIMEOUT_MS }, () => {
  it('hands over every record whole and in order, while positions wrap', async () => {
    await new Stress({ count: 500_000, position: (2 ** 32 - 2 ** 20) | 0 }).run();
  });

  it('blocks the producer while the ring is full, and goes on when a slow consumer gives back', async () => {
    const { waits } = await new Stress({
      count: 30_000,
      capacityBytes: RING_BYTES_MIN,
      publishEvery: 1,
      releaseEvery: 1,
      consumerSpinMax: 2_000,
    }).run();
    expect(waits).toBeGreaterThan(0);
  });

  it('takes records of half its size', async () => {
    await new Stress({ count: 20_000, capacityBytes: RING_BYTES_MIN, wordsMax: RING_BYTES_MIN / 8 - 2 }).run();
  });

  it.each([
    { name: 'blocks', isAsync: false },
    { name: 'waits asynchronously', isAsync: true },
  ])('loses no wake-up of a consumer that $name, in 200,000 records from a stuttering producer', async ({ isAsync }) => {
    const setup = { count: 200_000, wordsMax: 8, publishEvery: 1, releaseEvery: 1, isLockstep: true, producerSpinMax: 800 };
    const { sleeps } = await new Stress({ ...setup, isAsync }).run();
    expect(sleeps).toBeGreaterThan(0);
  });

  it('loses no wake-up when both ends sleep by turns', async () => {
    const { waits, sleeps } = await new Stress({
      count: 100_000,
      capacityBytes: RING_BYTES_MIN,
      wordsMax: 200,
      publishEvery: 1,
      releaseEvery: 1,
      producerSpinMax: 1_000,
      consumerSpinMax: 1_000,
    }).run();
    expect(waits + sleeps).toBeGreaterThan(0);
  });
});

describe.skipIf(!isBuilt)('a consumer that dies (needs the build: npm run build)', { timeout: TIMEOUT_MS }, () => {
  const KILLS = 12;
  const setup: Setup = { count: 200_000, reportEvery: 3_001, releaseEvery: 64, producerSpinMax: 400, consumerSpinMax: 400 };

  it('is followed by one that goes on at the record in hand: none is skipped, at most that one comes twice', async () => {
    expect(await new Stress({ ...setup, resumeAt: ResumeAt.Cursor }).runWithDeaths(KILLS)).toBeLessThanOrEqual(KILLS);
  });

  it('is followed by one that takes again what was not released, where effects last from the release', async () => {
    const again = await new Stress({ ...setup, resumeAt: ResumeAt.Released }).runWithDeaths(KILLS);
    expect(again).toBeLessThanOrEqual(KILLS * 64);
  });

  it('while it waits asynchronously', async () => {
    const again = await new Stress({ ...setup, isAsync: true, publishEvery: 1 }).runWithDeaths(KILLS);
    expect(again).toBeLessThanOrEqual(KILLS);
  });
});
