import { closeSync, fsyncSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { IoMeter } from '../../src/store/budget/io-meter.js';

const PROBE_BYTES = 65_536;

/** Whether bytes written to the directory for temporary files are counted: not in memory, nor on systems without such counters. */
export function isDiskCounted(): boolean {
  const directory = mkdtempSync(join(tmpdir(), 'flowberry-probe-'));
  try {
    const meter = new IoMeter(directory);
    const before = meter.processBytes();
    const file = openSync(join(directory, 'probe'), 'w');
    writeSync(file, Buffer.alloc(PROBE_BYTES, 1));
    fsyncSync(file);
    closeSync(file);
    return before !== null && (meter.processBytes() ?? 0) - before >= PROBE_BYTES;
  } finally {
    rmSync(directory, { recursive: true });
  }
}
