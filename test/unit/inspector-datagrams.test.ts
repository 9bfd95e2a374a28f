import { describe, expect, it } from 'vitest';
import { ANSWER, dnsMessage, question, record } from '../helpers/dns-bytes.js';
import { join } from '../helpers/frame-bytes.js';
import { udpFrame } from '../helpers/frames.js';
import { onlyFlow, ParseRig } from '../helpers/parse-rig.js';
import { hex } from '../helpers/placed.js';

const CALLER = '192.168.1.10';
const CALLED = '198.51.100.7';

/** A conversation in datagrams. */
class Exchange {
  private readonly rig = new ParseRig();
  private us = 1e6;

  constructor(
    private readonly port = 40_002,
    private readonly callerPort = 50_000,
  ) {}

  caller(payload: Uint8Array): this {
    return this.datagram({ src: CALLER, srcPort: this.callerPort, dst: CALLED, dstPort: this.port, payload });
  }

  called(payload: Uint8Array): this {
    return this.datagram({ src: CALLED, srcPort: this.port, dst: CALLER, dstPort: this.callerPort, payload });
  }

  get application(): string {
    return onlyFlow(this.rig).application;
  }

  get dns(): readonly unknown[] {
    return this.rig.finish().dns();
  }

  private datagram(options: Parameters<typeof udpFrame>[0]): this {
    this.us += 20_000;
    this.rig.feed(udpFrame(options), this.us);
    return this;
  }
}

const fives = (count: number): Uint8Array => new Uint8Array(count).fill(5);
/** Telephone of RTP (RFC 3551): 8,000 bytes make a second. */
const speech = (source: string, number = 1, bytes = 160): Uint8Array =>
  join(hex('80 08 00'), Uint8Array.of(number), hex(`00000000 ${source}`), fives(bytes));

describe('RTP', () => {
  it.each([160, 240, 480])('is told by %i bytes of telephone, of which the capture copies a part', (bytes) => {
    const exchange = new Exchange().caller(speech('aabbccdd', 1, bytes)).caller(speech('aabbccdd', 2, bytes));
    expect(exchange.application).toBe('rtp');
  });

  it('is told by a second datagram of the same direction and source', () => {
    const first = speech('aabbccdd');
    expect(new Exchange().caller(first).application).toBe('');
    expect(new Exchange().caller(first).called(speech('aabbccdd')).application).toBe('');
    expect(new Exchange().caller(first).caller(speech('aabbccde', 2)).application).toBe('');
    expect(new Exchange().caller(first).called(speech('01020304')).caller(speech('aabbccdd', 2)).application).toBe('rtp');
    expect(new Exchange().called(speech('01020304')).called(speech('01020304', 2)).application).toBe('rtp');
  });

  it('is told where the source changes at the start', () => {
    const sources = ['aabbccdd', '01020304', '01020304'];
    const exchange = new Exchange();
    for (const [number, source] of sources.entries()) exchange.caller(speech(source, number));
    expect(exchange.application).toBe('rtp');
  });

  it('is not what six datagrams of other sources look like', () => {
    const exchange = new Exchange();
    for (let number = 1; number <= 6; number++) exchange.caller(speech(`0000000${number}`, number));
    expect(exchange.caller(speech('aabbccdd')).caller(speech('aabbccdd')).application).toBe('');
  });

  it('does not hide what the next datagram shows', () => {
    expect(new Exchange().caller(speech('aabbccdd')).caller(hex('0001 0000 2112a442 010203040506070809101112')).application).toBe(
      'stun',
    );
  });
});

describe('what datagrams show', () => {
  it('is STUN of old that is longer than what the capture copies', () => {
    const request = join(hex('0001 00c8 01020304 010203040506070809101112'), fives(200));
    expect(new Exchange(3478).caller(request).application).toBe('stun');
  });

  it('is IPsec where ESP hides what would look like RTP', () => {
    const esp = (number: number): Uint8Array => join(hex('80001234 000000'), Uint8Array.of(number), hex('aabbccdd'), fives(1200));
    expect(new Exchange(4500, 4500).caller(esp(1)).caller(esp(2)).application).toBe('ipsec');
    // A sign of life may come first.
    expect(new Exchange(4500).called(hex('ff')).called(esp(1)).application).toBe('ipsec');
  });

  it('is neither QUIC nor RTP where mosh answers', () => {
    const exchange = new Exchange(60_001);
    for (let number = 1; number <= 4; number++)
      exchange.called(join(hex('80 00000000 0000'), Uint8Array.of(number), fives(3).fill(number), fives(48)));
    expect(exchange.application).toBe('');
  });

  it('is DNS on whatever port, and its transactions are read', () => {
    const query = dnsMessage({ id: 7, questions: [question('pi.hole')] });
    const answer = dnsMessage({
      id: 7,
      flags: ANSWER,
      questions: [question('pi.hole')],
      answers: [record('pi.hole', 1, Uint8Array.of(192, 168, 1, 2))],
    });
    const again = dnsMessage({ id: 8, questions: [question('example.org', 28)] });
    const exchange = new Exchange(5335).caller(query).called(answer).caller(again);
    expect(exchange.dns).toMatchObject([
      {
        transport: 'udp',
        client: `${CALLER} 50000`,
        server: `${CALLED} 5335`,
        name: 'pi.hole',
        code: 0,
        latencyUs: 20_000,
        answers: ['192.168.1.2'],
      },
      { name: 'example.org', type: 28, code: -1 },
    ]);
    expect(new Exchange(5335).caller(query).called(answer).application).toBe('dns');
    // What does not hold to the form is nothing.
    expect(new Exchange(5335).caller(query.subarray(0, -1)).dns).toEqual([]);
  });

  it('is DTLS 1.0 as it was before the RFC', () => {
    const greeting = join(hex('16 0100 0000 000000000000 0064 01 000058 0000 000000 000058 0100'), fives(86));
    expect(new Exchange(443).caller(greeting).application).toBe('dtls');
  });
});
