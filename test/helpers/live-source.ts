import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { isMainThread } from 'node:worker_threads';
import type { AfpacketSource } from '../../src/capture/afpacket-source.js';
import type { CapSource } from '../../src/capture/cap-source.js';
import { Step } from '../../src/capture/source.js';
import { ethernet, frame, ipv4, udp } from './frames.js';

export type LiveSource = AfpacketSource | CapSource;

/** Longer than the kernel keeps a block that is not full. */
export const WAIT_MS = 150;

/** Why cap cannot be tested here, or null. */
export const capObstacle = await import('cap').then(
  () => (isMainThread ? null : 'needs the main thread'),
  () => 'needs the package cap',
);

/** With its assertions in, cap aborts the process when an interface goes down. */
function capAborts(): boolean {
  const library = createRequire(import.meta.url).resolve('cap/build/Release/cap.node');
  return readFileSync(library).includes('__assert_fail');
}

/** Why cap cannot be tested on interfaces that go down, or null. */
export const capLinkObstacle = capObstacle ?? (capAborts() ? 'needs cap built with CXXFLAGS=-DNDEBUG' : null);

export const ADDRESSES = { src: '10.0.0.1', dst: '10.0.0.2' };

/** A UDP packet to this port. */
export function toPort(dstPort: number, content: Uint8Array | string = ''): Uint8Array {
  return frame(ethernet(), ipv4(ADDRESSES), udp({ srcPort: 4000, dstPort }), content);
}

/** Frames of 43 to 1514 bytes, all different. */
export function mixedFrames(count: number): Uint8Array[] {
  return Array.from({ length: count }, (_, index) => {
    const content = new Uint8Array(1 + ((index * 101) % 1472)).fill(index & 0xff);
    return toPort(1 + (index & 0x7fff), content);
  });
}

export const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

/** Steps until nothing is ready. */
export async function drain(source: LiveSource): Promise<void> {
  for (let round = 0; round < 1000; round++) if ((await source.step(WAIT_MS)) === Step.Idle) return;
  throw new Error('the source does not come to rest');
}
