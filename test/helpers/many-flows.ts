import { writeFileSync } from 'node:fs';
import { pcapFile } from './capture-file.js';
import { udpFrame } from './frames.js';

/** Writes a capture of `packets` UDP packets in `flows` flows, a millisecond apart, and returns its path. */
export function writeManyFlows(path: string, packets: number, flows: number): string {
  const frames = Array.from({ length: packets }, (_, index) => {
    const flow = (index * 31) % flows;
    const bytes = udpFrame({
      src: `10.0.${flow >> 8}.${flow & 255}`,
      srcPort: 1024 + flow,
      dst: '192.0.2.1',
      dstPort: 53,
      payload: 'x',
    });
    return { bytes, seconds: 1_700_000_000 + Math.floor(index / 1000), nanoseconds: (index % 1000) * 1_000_000 };
  });
  writeFileSync(path, pcapFile(frames));
  return path;
}
