import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { writeFinding } from '../fuzz/finding-file.js';
import { fuzz, replayFrames, type TimedFrame } from '../fuzz/fuzz.js';
import { textProblem } from '../fuzz/record-check.js';
import { captureFrames, frameUs } from '../helpers/capture-frames.js';
import { ethernet, frame, ipv4, udp } from '../helpers/frames.js';
import { temporaryDirectory } from '../helpers/read-capture.js';

/** Captures of what a fuzz run has found, so that it is never found again. */
const FOUND = fileURLToPath(new URL('../fixtures/fuzz/', import.meta.url));
const found = existsSync(FOUND) ? readdirSync(FOUND) : [];

const latin = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'latin1'));

function readFrames(path: string): TimedFrame[] {
  return captureFrames(path).map((captured) => {
    const { bytes, linkType, wireBytes } = captured;
    return { bytes, linkType, wireBytes, us: frameUs(captured) };
  });
}

describe('the parse stage under damaged packets', () => {
  it('counts each of 20,000 in one place, and puts nothing into a record that may not be there', () => {
    const report = fuzz({ packets: 20_000, seed: 1 });
    expect(report.findings.map(({ number, what }) => `packet ${number}: ${what}`)).toEqual([]);
    const drops = Object.values(report.dropped).reduce((sum, count) => sum + count, 0);
    expect(report.packets + drops).toBe(20_000);
    // They get far enough to matter: into flows, under many reasons, and to the parsers of names.
    expect(Object.keys(report.dropped).length).toBeGreaterThan(10);
    expect(report.dropped).not.toHaveProperty('worker_crash');
    for (const count of [report.flowsWithDetails, report.dns, report.devices]) expect(count).toBeGreaterThan(50);
  }, 120_000);

  it('gets the same packets for the same seed, and others for another', () => {
    const fed = (seed: number): string => {
      let sum = 0;
      const add = (bytes: Uint8Array): void => {
        for (const byte of bytes) sum = (Math.imul(sum, 31) + byte) | 0;
      };
      fuzz({ packets: 300, seed, watch: (_, { bytes }) => add(bytes) });
      return String(sum);
    };
    expect(fed(7)).toBe(fed(7));
    expect(fed(7)).not.toBe(fed(8));
  });

  it.each(found)('stands what was found once: %s', (name) => {
    expect(replayFrames(readFrames(join(FOUND, name)))).toBeNull();
  });
});

describe('a finding', () => {
  it('is written as a capture file that brings the same frames back', () => {
    const bytes = frame(ethernet(), ipv4(), udp(), 'x');
    const timed = (linkType: number, us: number): TimedFrame => ({ bytes, linkType, wireBytes: bytes.length + 1, us });
    for (const frames of [[timed(1, 1_700_000_000_000_001)], [timed(1, 5_000_000), timed(101, 6_000_000)]])
      expect(readFrames(writeFinding(temporaryDirectory(), 1, 5, frames))).toEqual(frames);
  });

  it.each([
    ['a b', 'byte 32'],
    ['a"b', 'a quote'],
    ['a\\', 'an escape that is cut'],
    ['a\\12', 'an escape that is cut'],
    ['\u0000', 'byte 0'],
    ['\x80', 'byte 128'],
    ['x'.repeat(254), '254 characters'],
  ])('is any name that is not escaped: %j', (text, problem) => {
    expect(textProblem(latin(text), false)).toContain(problem);
  });

  it.each(['a.b', 'a\\.b', 'a\\032b\\"', '\\\\', 'x'.repeat(253), ''])('is no name that is: %j', (text) => {
    expect(textProblem(latin(text), false)).toBeNull();
  });
});
