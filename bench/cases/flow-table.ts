import { FlowRig, FlowSums } from '../flow-records.js';
import { generateFrames } from '../frames.js';
import type { MicroCase, PreparedCase } from '../micro.js';
import { resultHash } from '../result-hash.js';

interface Values extends Record<string, number> {
  readonly packets: number;
  readonly flows: number;
  readonly seed: number;
  readonly slots: number;
}

/** Frames of a generated capture through the layer walk and the flow table, all flows written at the end, in one thread. */
export const flowTableCase: MicroCase<Values> = {
  name: 'flow-table',
  operation: 'packet',
  smoke: { packets: 5_000, flows: 500, seed: 1, slots: 256 },
  full: { packets: 200_000, flows: 20_000, seed: 1, slots: 16_384 },
  prepare(values: Values): PreparedCase {
    const rig = new FlowRig(generateFrames(values), values.slots);
    return {
      operationsPerBatch: values.packets,
      runBatch: () => {
        rig.run(null);
      },
      resultHash: () => {
        const sums = new FlowSums();
        const flows = rig.run((words, word) => sums.add(words, word));
        return resultHash([flows, ...sums.values()]);
      },
      close: () => undefined,
    };
  },
};
