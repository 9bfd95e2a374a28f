import { z } from 'zod';
import { COUNTERS, GAUGES } from '../../store/reader/host-history.js';
import { hostSchema } from '../host-part.js';
import { count, us } from './parts.js';

/** Of what was read within a step. */
const spread = z.object({ min: z.number(), mean: z.number(), max: z.number() }).nullable();
const moved = count.nullable();

const membersOf = <T>(names: readonly string[], schema: T): Record<string, T> =>
  Object.fromEntries(names.map((name) => [name, schema]));

/** How the machine is and was; null where it does not show something, or nothing was read. */
export const systemSchema = z.object({
  from_us: us,
  to_us: us,
  /** Minutes before this moment are stored. They go with the rows of flows, on an idle network every 15 minutes. */
  reaches_us: us.nullable(),
  step_us: count,
  /** As `/health` has it; null where the time that was asked for ended more than a minute ago. */
  now: hostSchema.nullable(),
  points: z.array(
    z.object({
      start_us: us,
      samples: count,
      /** What has held within the step: 1 under-voltage, 2 frequency capped, 4 throttled, 8 soft limit of the temperature. */
      throttle_bits: count.nullable(),
      under_voltage: z.boolean().nullable(),
      throttled: z.boolean().nullable(),
      ...membersOf(GAUGES, spread),
      /** Bytes that the whole machine has moved within the step. */
      ...membersOf(COUNTERS, moved),
    }),
  ),
});
