import { Decoder } from '../../src/parse/decode.js';
import { Drop } from '../../src/ring/drop-reason.js';
import { Frame } from '../../src/ring/layout.js';
import { Packet } from '../../src/wire/packet.js';
import { generateFrames } from '../frames.js';
import type { MicroCase, PreparedCase } from '../micro.js';
import { resultHash } from '../result-hash.js';

interface Values extends Record<string, number> {
  readonly packets: number;
  readonly flows: number;
  readonly seed: number;
}

/** Every frame of a generated capture through the layer walk, as the capture leaves it in the ring. */
export const decodeCase: MicroCase<Values> = {
  name: 'decode',
  operation: 'packet',
  smoke: { packets: 5_000, flows: 500, seed: 1 },
  full: { packets: 100_000, flows: 10_000, seed: 1 },
  prepare(values: Values): PreparedCase {
    const { words, view, payloads } = generateFrames(values);
    const packet = new Packet();
    const decoder = new Decoder(true, null);
    let bytes = 0;
    const decodeAt = (payload: number): Drop => {
      const word = payload >> 2;
      const start = payload + Frame.HeaderBytes;
      const end = start + (words[word + Frame.CopiedBytes] as number);
      const wireBytes = (words[word + Frame.WireBytes] as number) >>> 0;
      const seconds = words[word + Frame.Seconds] as number;
      return decoder.decode(view, start, end, wireBytes, words[word + Frame.LinkType] as number, seconds, packet);
    };
    const fields = function* (): Generator<number> {
      for (const payload of payloads) {
        yield decodeAt(payload);
        yield* [packet.ipVersion, packet.protocol, packet.src3, packet.dst3, packet.srcPort, packet.dstPort];
        yield* [packet.ipBytes, packet.payloadBytes, packet.tcpFlags, packet.icmp];
      }
    };
    return {
      operationsPerBatch: payloads.length,
      runBatch: () => {
        bytes = 0;
        for (let index = 0; index < payloads.length; index++)
          if (decodeAt(payloads[index] as number) === Drop.None) bytes += packet.ipBytes;
      },
      resultHash: () => resultHash(fields()),
      close: () => {
        if (bytes === 0) throw new Error('bench case decode: no packet was decoded');
      },
    };
  },
};
