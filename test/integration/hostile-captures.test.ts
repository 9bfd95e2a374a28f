import { describe, expect, it } from 'vitest';
import { ledgerDifference } from '../../src/ring/ledger.js';
import { captureFrames, frameUs } from '../helpers/capture-frames.js';
import { captureNames, capturePath, hasCaptures } from '../helpers/captures.js';
import { ParseRig } from '../helpers/parse-rig.js';
import type { RecordedFrame } from '../helpers/recording-sink.js';

const CUT_MAX = 128;
/** Packets that are handed over before the worker takes them: less than the ring holds, as nobody empties it meanwhile. */
const FRAMES_PER_STEP = 64;

/** Hands over frames as if the capture had kept `cut` bytes of each. */
function feedCut(rig: ParseRig, frames: readonly RecordedFrame[], cut: number): void {
  frames.forEach((frame, index) => {
    const { linkType, wireBytes, interfaceIndex } = frame;
    rig.push(frame.bytes.subarray(0, cut), frameUs(frame), { linkType, wireBytes, interfaceIndex });
    if (index % FRAMES_PER_STEP === FRAMES_PER_STEP - 1) rig.step();
  });
  rig.step();
}

describe.skipIf(!hasCaptures)('real captures, cut short (needs the folder of captures beside the project)', () => {
  it.each(captureNames)(`%s: each frame at each length up to ${CUT_MAX}, and whole`, (name) => {
    const frames = captureFrames(capturePath(name));
    const rig = new ParseRig({ 'flow.active-max': 500 });
    const wireBytes = frames.reduce((sum, frame) => sum + frame.wireBytes, 0);
    const cuts = [...Array.from({ length: CUT_MAX + 1 }, (_, cut) => cut), Number.POSITIVE_INFINITY];
    let packets = 0;
    for (const cut of cuts) {
      feedCut(rig, frames, cut);
      expect(ledgerDifference(rig.ledger), `cut at ${cut}`).toBe(0);
      packets += rig.flows().reduce((sum, flow) => sum + flow.packets[0] + flow.packets[1], 0);
    }
    packets += rig
      .finish()
      .flows()
      .reduce((sum, flow) => sum + flow.packets[0] + flow.packets[1], 0);
    const { received, inFlows, wireBytesReceived, dropped } = rig.ledger;
    expect(received).toBe(frames.length * cuts.length);
    expect(wireBytesReceived).toBe(wireBytes * cuts.length);
    expect(packets).toBe(inFlows);
    expect(dropped['worker_crash']).toBeUndefined();
  });
});
