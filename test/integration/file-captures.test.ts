import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { captureNames, capturePath, hasCaptures } from '../helpers/captures.js';
import { readCapture, TestFiles } from '../helpers/read-capture.js';

interface Totals {
  readonly packets: number;
  readonly wire_bytes: number;
}

/** The custom blocks that the totals count as packets, with their bytes; they hold none. */
const NO_PACKETS: Record<string, Totals> = { 'pcapng__be-test102.pcapng': { packets: 3, wire_bytes: 116 } };

/** What is no capture, because its version is not known. */
const REFUSED = ['libpcap__pcap-invalid-version-1.pcap'];

const files = new TestFiles();

describe.skipIf(!hasCaptures)('real captures (needs the folder of captures beside the checkout)', () => {
  it.each(captureNames)('%s has as many packets and bytes as others count', async (name) => {
    const totals = JSON.parse(readFileSync(capturePath(`expected/${name}.summary.json`), 'utf8')) as Totals;
    const result = await readCapture([capturePath(name)]);
    expect(result.error?.code).toBe(REFUSED.includes(name) ? 'INPUT_NOT_A_CAPTURE' : undefined);
    expect(result.frames).toHaveLength(totals.packets - (NO_PACKETS[name]?.packets ?? 0));
    const wireBytes = result.frames.reduce((sum, frame) => sum + frame.wireBytes, 0);
    expect(wireBytes).toBe(totals.wire_bytes - (NO_PACKETS[name]?.wire_bytes ?? 0));

    const compressed = await readCapture([files.write(name, gzipSync(readFileSync(capturePath(name))))]);
    expect(compressed.frames).toEqual(result.frames);
    expect(compressed.interfaces).toEqual(result.interfaces);
  });
});
