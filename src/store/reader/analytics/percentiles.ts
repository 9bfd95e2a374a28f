import { BAND_ENDS_US, BANDS } from '../../rollup/kinds.js';
import type { Percentiles } from './answer.js';
import type { BandRow } from './sums.js';

/** End of the last band, which has none: what is longer is shown as this. */
const LAST_END_US = 3e6;

/** Median and 95th percentile from bands, as if the values of a band lay evenly in it. */
export function percentilesOf(row: BandRow): Percentiles {
  const counts = BANDS.map((band) => row[band]);
  return { p50Us: quantileUs(counts, 0.5), p95Us: quantileUs(counts, 0.95) };
}

function quantileUs(counts: readonly number[], part: number): number | null {
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total === 0) return null;
  const rank = total * part;
  let below = 0;
  for (const [band, count] of counts.entries()) {
    if (below + count < rank || count === 0) {
      below += count;
      continue;
    }
    const start = band === 0 ? 0 : (BAND_ENDS_US[band - 1] as number);
    const end = BAND_ENDS_US[band] ?? LAST_END_US;
    return Math.round(start + ((rank - below) / count) * (end - start));
  }
  return LAST_END_US;
}
