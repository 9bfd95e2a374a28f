import { constants, inflateRawSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { LiveFrames } from '../../src/api/live/live-frames.js';
import { LiveMessage } from '../../src/api/live/live-message.js';

const flow = (id: number, padding = 600): LiveMessage => LiveMessage.of('flows', 'flow', { id, padding: 'x'.repeat(padding) });
/** As a receiver does it (RFC 7692 section 7.2.2). */
const inflated = (body: Buffer): string =>
  String(inflateRawSync(Buffer.concat([body, Buffer.of(0, 0, 0xff, 0xff)]), { finishFlush: constants.Z_SYNC_FLUSH }));

describe('frames of the live stream', () => {
  it('are made and compressed once for all clients that get the same', () => {
    const messages = [flow(1), flow(2)];
    const frames = new LiveFrames();
    const first = frames.frameOf(messages).compressed as Buffer;
    expect(frames.frameOf([...messages]).compressed).toBe(first);
    expect(frames.frameOf([messages[0] as LiveMessage]).compressed).not.toBe(first);
    expect(JSON.parse(inflated(first))).toEqual({ type: 'batch', messages: messages.map(({ fields }) => fields) });
    expect(first.length).toBeLessThan(200);
  });

  it('are sent as they are when they are short', () => {
    const frames = new LiveFrames();
    expect(frames.frameOf([flow(1, 100)]).compressed).toBeNull();
    expect(frames.frameOf([flow(1, 2000)]).compressed).not.toBeNull();
  });

  it('are compressed for the first four of a moment only', () => {
    const frames = new LiveFrames();
    const compressed = Array.from({ length: 6 }, (_, id) => frames.frameOf([flow(id, 2000)]).compressed !== null);
    expect(compressed).toEqual([true, true, true, true, false, false]);
  });
});
