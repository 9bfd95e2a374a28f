import { FlowRig, hashOfRound } from '../flow-records.js';
import { generateFrames } from '../frames.js';
import type { MicroCase, PreparedCase } from '../micro.js';

interface Values extends Record<string, number> {
  readonly packets: number;
  readonly flows: number;
  readonly seed: number;
  readonly slots: number;
}

/**
 * Frames of a generated capture through the layer walk, the flow table and what looks at payload, all flows written at the end, in one
 * thread. `flows` of 200,000 packets; fewer in the same proportion where the values are small.
 */
function flowTable(name: string, flows: number): MicroCase<Values> {
  return {
    name,
    operation: 'packet',
    smoke: { packets: 5_000, flows: flows / 40, seed: 1, slots: 256 },
    full: { packets: 200_000, flows, seed: 1, slots: 16_384 },
    prepare(values: Values): PreparedCase {
      const rig = new FlowRig(generateFrames(values), values.slots);
      return {
        operationsPerBatch: values.packets,
        runBatch: () => {
          rig.run(null);
        },
        resultHash: () => hashOfRound(rig),
        close: () => undefined,
      };
    },
  };
}

/** Ten packets a flow, as in the generated capture: what a new flow costs weighs most. */
export const flowTableCase = flowTable('flow-table', 20_000);
/** Fifty packets a flow, so that both cases together tell what a flow and what a packet costs. */
export const longFlowsCase = flowTable('flow-table-long', 4_000);
