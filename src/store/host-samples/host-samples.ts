import type { Database, Statement } from 'better-sqlite3';
import { HostBlock } from '../../ring/host-block.js';
import { HostField, HostMinute } from '../../ring/host-layout.js';
import { GAUGE_UNITS, HOST_COLUMNS } from './host-tables.js';

/** Minutes that wait for a batch of rows before they are worth a transaction of their own: an idle network costs the card one in so many. */
const MINUTES_WAITING_MAX = 15;

/**
 * Stores how the machine was, in the transaction of a batch. A minute that is stored twice, since nobody knows whether the first time was
 * committed, replaces itself.
 */
export class HostSamples {
  private readonly host: HostBlock;
  private readonly insert: Statement<(number | null)[]>;
  private written = 0;

  constructor(db: Database, memory: SharedArrayBuffer) {
    this.host = new HostBlock(memory);
    const columns = ['minute_us', 'samples', 'throttle_bits', ...HOST_COLUMNS];
    this.insert = db.prepare<(number | null)[]>(
      `INSERT OR REPLACE INTO host_samples (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')})`,
    );
  }

  /** Whether so many minutes wait that they are to be written although nothing else is. */
  get isPressing(): boolean {
    return this.host.minutesWaiting >= MINUTES_WAITING_MAX;
  }

  /** Inserts the minutes that wait, in the open transaction. */
  write(): void {
    this.written = this.host.minutesWaiting;
    for (let index = 0; index < this.written; index++) this.insert.run(...valuesOf(this.host.minute(index)));
  }

  /** They are committed. */
  settle(): void {
    this.host.takeMinutes(this.written);
    this.written = 0;
  }

  /** The transaction was rolled back, or is in doubt: they are written again. */
  revert(): void {
    this.written = 0;
  }
}

const integer = (value: number): number | null => (Number.isNaN(value) ? null : Math.round(value));

function valuesOf(minute: Float64Array): (number | null)[] {
  const at = (word: number): number => minute[word] as number;
  const gauges = GAUGE_UNITS.flatMap(({ factor }, gauge) =>
    [0, 1, 2].map((i) => integer(at(HostMinute.Gauges + 3 * gauge + i) * factor)),
  );
  const counters = Array.from({ length: HostField.Counters }, (_, counter) => integer(at(HostMinute.Counters + counter)));
  return [at(HostMinute.MinuteUs), at(HostMinute.Samples), integer(at(HostMinute.ThrottleBits)), ...gauges, ...counters];
}
