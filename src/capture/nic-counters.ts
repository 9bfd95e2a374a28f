import { readFileSync } from 'node:fs';
import path from 'node:path';
import { NIC_COUNTERS, NicCounter } from '../ring/watch-layout.js';

const SYSFS_NET = '/sys/class/net';

/** Value of a counter's file: decimal digits and a line end; null for anything else. */
export function parseCounter(text: string): number | null {
  const trimmed = text.trim();
  return /^\d{1,20}$/.test(trimmed) ? Number(trimmed) : null;
}

/** Reads one counter; null where the interface is not there or its driver has none. */
function readCounter(file: string): number | null {
  try {
    return parseCounter(readFileSync(file, 'utf8'));
  } catch {
    return null;
  }
}

/**
 * What the kernel and the driver have counted for an interface since the capture began, read from sysfs: a few files of one number
 * each, so it is for once a second and not for the hot path. Counters that start again at 0 (another card under the same name, a
 * driver that was loaded again) go on from where they were.
 */
export class NicCounters {
  private readonly last = new Float64Array(NicCounter.Count).fill(Number.NaN);

  /** Growth is added to `totals`, indexed with `NicCounter`. `root` is `/sys/class/net`, or what a test gives for it. */
  constructor(
    private readonly totals: Float64Array,
    private readonly root = SYSFS_NET,
  ) {}

  /** Counts from what the interface shows now: what it lost before is not ours. */
  restart(interfaceName: string): void {
    this.last.fill(Number.NaN);
    this.refresh(interfaceName);
  }

  /** Adds what has been counted since the last call. A counter that is read for the first time adds nothing. */
  refresh(interfaceName: string): void {
    for (let counter = 0; counter < NicCounter.Count; counter++) {
      const file = path.join(this.root, interfaceName, 'statistics', NIC_COUNTERS[counter] as string);
      const now = readCounter(file);
      if (now === null) continue;
      const last = this.last[counter] as number;
      this.last[counter] = now;
      if (Number.isNaN(last)) continue;
      this.totals[counter] = (this.totals[counter] as number) + (now >= last ? now - last : now);
    }
  }
}
