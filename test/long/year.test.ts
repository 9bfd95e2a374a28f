import { describe, expect, it } from 'vitest';
import { checkDatabase } from '../../src/store/check.js';
import { WriterRig } from '../helpers/flow-records.js';
import { bytesOf, passDays, prunedOf } from '../helpers/year-traffic.js';

/** `npm run test:year` lets a whole year pass, which takes minutes; without it some weeks do. */
const isLong = process.env['YEAR'] === 'all';
const LAPSE = isLong ? { days: 366, flowsPerDay: 6_000, stepsPerDay: 24 } : { days: 25, flowsPerDay: 6_000, stepsPerDay: 6 };
/** Sums by day of a year like this, whose devices and names are others every day, take 70 MB with all names: the oldest must go. */
const BYTES_MAX = isLong ? 32 * 2 ** 20 : 16_777_216;

describe(`${LAPSE.days} days of traffic`, () => {
  it(
    'stay under the size limit at every moment, and every packet is accounted for',
    async () => {
      // Ages alone would keep more than there is room for.
      const options = { 'retention.file-bytes-max': BYTES_MAX, 'retention.flows-days': 365, 'ring.flow-bytes': 4_194_304 };
      const rig = new WriterRig({ options });
      const writer = rig.open();
      const { nowMs, flows, packets, bytesMax, stepMsMax } = await passDays(rig, writer, LAPSE);
      writer.close(nowMs + 10_000);
      console.log(
        `${flows} flows, ${prunedOf(rig)} rows deleted; at most ${bytesMax} of ${BYTES_MAX} bytes, at the end ${bytesOf(rig.path)}; ` +
          `longest step ${stepMsMax.toFixed(0)} ms`,
      );
      expect(bytesMax).toBeLessThanOrEqual(BYTES_MAX);
      expect(prunedOf(rig)).toBeGreaterThan(flows / 4);
      expect(checkDatabase(rig.path).checks.filter(({ ok }) => !ok)).toEqual([]);
      expect(
        rig.query(`SELECT
          (SELECT sum(flows_written) FROM ledger) AS flows, (SELECT sum(packets_written) FROM ledger) AS packets,
          (SELECT count(*) FROM flows) + (SELECT rows FROM pruned WHERE kind = 'flows') AS accounted,
          (SELECT sum(src_packets + dst_packets) FROM flows) + (SELECT packets FROM pruned WHERE kind = 'flows') AS stored`),
      ).toEqual([{ flows, packets, accounted: flows, stored: packets }]);
      expect(rig.log.filter(({ level }) => level === 'warn' || level === 'error')).toEqual([]);
    },
    isLong ? 1_800_000 : 60_000,
  );
});
