import { describe, expect, it } from 'vitest';
import { fuzz } from '../fuzz/fuzz.js';

describe('fuzz', () => {
  it('finds nothing in 20,000 packets', () => {
    const t = performance.now();
    const report = fuzz({ packets: 20_000, seed: 1 });
    console.log(JSON.stringify({ ...report, findings: report.findings.map((f) => ({ n: f.number, what: f.what, frames: f.frames.length, hex: Buffer.from(f.frames.at(-1)!.bytes).toString('hex') })) }, null, 1), performance.now() - t);
  });
});
