import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type FrameToWrite, PcapngWriter, pcapFile } from '../helpers/capture-file.js';
import type { TimedFrame } from './fuzz.js';

/** Writes frames as a capture file, one interface for each link type, and returns its path. */
export function writeFinding(directory: string, seed: number, number: number, frames: readonly TimedFrame[]): string {
  const linkTypes = [...new Set(frames.map(({ linkType }) => linkType))];
  const toWrite = frames.map(
    ({ bytes, linkType, wireBytes, us }): FrameToWrite => ({
      bytes,
      wireBytes,
      seconds: Math.floor(us / 1e6),
      nanoseconds: (us % 1e6) * 1000,
      interfaceId: linkTypes.indexOf(linkType),
    }),
  );
  const isPcap = linkTypes.length === 1;
  mkdirSync(directory, { recursive: true });
  const path = join(directory, `fuzz-seed-${seed}-packet-${number}.${isPcap ? 'pcap' : 'pcapng'}`);
  writeFileSync(path, isPcap ? pcapFile(toWrite, { linkType: linkTypes[0] ?? 1 }) : pcapngOf(toWrite, linkTypes));
  return path;
}

function pcapngOf(frames: readonly FrameToWrite[], linkTypes: readonly number[]): Buffer {
  const writer = new PcapngWriter().section();
  for (const linkType of linkTypes) writer.interface({ linkType });
  for (const frame of frames) writer.packet(frame);
  return writer.finish();
}
