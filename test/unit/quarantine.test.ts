import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { QUARANTINE_BYTES_MAX, QUARANTINE_PACKETS_MAX, quarantine, quarantinePath } from '../../src/parse/quarantine.js';
import { Frame } from '../../src/ring/layout.js';
import { temporaryDirectory } from '../helpers/daemon.js';
import { udpFrame } from '../helpers/frames.js';
import { readCapture } from '../helpers/read-capture.js';

const PAYLOAD = 64;

/** Memory that holds one frame record, as a ring does. */
function ringOf(bytes: Uint8Array, { linkType = 1, wireBytes = bytes.length } = {}): SharedArrayBuffer {
  const memory = new SharedArrayBuffer(PAYLOAD + Frame.HeaderBytes + bytes.length + 8);
  const words = new Int32Array(memory, PAYLOAD, Frame.HeaderBytes / 4);
  words[Frame.CopiedBytes] = bytes.length;
  words[Frame.CapturedBytes] = bytes.length;
  words[Frame.WireBytes] = wireBytes;
  words[Frame.Seconds] = 1_700_000_000;
  words[Frame.Nanoseconds] = 123_456_789;
  words[Frame.LinkType] = linkType;
  new Uint8Array(memory).set(bytes, PAYLOAD + Frame.HeaderBytes);
  return memory;
}

const newPath = (): string => quarantinePath(join(temporaryDirectory(), 'flows.db'));

describe('the quarantine', () => {
  it('is a capture file of the packets that were put there', async () => {
    const path = newPath();
    const first = udpFrame({ payload: 'first' });
    expect(quarantine(path, ringOf(first, { wireBytes: 1400 }), PAYLOAD)).toBe(1);
    expect(quarantine(path, ringOf(udpFrame({ payload: 'another' })), PAYLOAD)).toBe(2);
    const { frames } = await readCapture([path]);
    expect(frames).toHaveLength(2);
    const timestamp = 1_700_000_000_123_456_789n;
    expect(frames[0]).toMatchObject({ hex: Buffer.from(first).toString('hex'), wireBytes: 1400, linkType: 1, timestamp });
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it('is bounded in packets', () => {
    const path = newPath();
    const ring = ringOf(udpFrame());
    for (let count = 1; count <= QUARANTINE_PACKETS_MAX; count++) expect(quarantine(path, ring, PAYLOAD)).toBe(count);
    const { size } = statSync(path);
    expect(() => quarantine(path, ring, PAYLOAD)).toThrow(`it is full with ${QUARANTINE_PACKETS_MAX} packets`);
    expect(statSync(path).size).toBe(size);
  });

  it('is bounded in bytes', () => {
    const path = newPath();
    const ring = ringOf(new Uint8Array(200_000));
    const keepMany = (): void => {
      for (let count = 0; count < 10; count++) quarantine(path, ring, PAYLOAD);
    };
    expect(keepMany).toThrow('it is full with 5 packets');
    expect(statSync(path).size).toBeLessThanOrEqual(QUARANTINE_BYTES_MAX);
  });

  it('says why a packet cannot be kept, and changes no file of others', () => {
    const path = newPath();
    quarantine(path, ringOf(udpFrame()), PAYLOAD);
    expect(() => quarantine(path, ringOf(udpFrame(), { linkType: 101 }), PAYLOAD)).toThrow('another link type');
    const foreign = newPath();
    writeFileSync(foreign, 'notes that are none of our business');
    expect(() => quarantine(foreign, ringOf(udpFrame()), PAYLOAD)).toThrow('it is no quarantine');
    expect(readFileSync(foreign, 'utf8')).toBe('notes that are none of our business');
    expect(() => quarantine('/nowhere/at/all.pcap', ringOf(udpFrame()), PAYLOAD)).toThrow('ENOENT');
  });
});
