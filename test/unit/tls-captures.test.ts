import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ja4 } from '../../src/parse/app/ja4.js';
import { QuicHellos } from '../../src/parse/app/quic-hellos.js';
import { StreamAssembly } from '../../src/parse/app/stream-assembly.js';
import { type ClientHello, isGrease, readClientHello } from '../../src/parse/app/tls-client-hello.js';
import { clientHelloMessage } from '../../src/parse/app/tls-records.js';
import { type CapturedPayload, capturedPayloads, expectedServerNames } from '../helpers/captured-payloads.js';
import { captureNames, capturePath, hasCaptures } from '../helpers/captures.js';
import { placed } from '../helpers/parser-input.js';

interface Found {
  readonly payload: CapturedPayload;
  readonly hello: ClientHello;
}

const TCP = 6;
const UDP = 17;

function helloOfStream(bytes: Uint8Array): ClientHello | null {
  const { view, offset, end } = placed(bytes);
  const message = clientHelloMessage(view, offset, end);
  return typeof message === 'string' ? null : readClientHello(message.view, message.offset, message.end);
}

/** TCP streams are put together from the first segment of a ClientHello on; QUIC is read datagram by datagram. */
async function hellosIn(capture: string): Promise<{ tls: Found[]; quic: Found[] }> {
  const quicHellos = new QuicHellos();
  const streams = new Map<number, { start: number; assembly: StreamAssembly }>();
  const tls: Found[] = [];
  const quic: Found[] = [];
  for (const payload of await capturedPayloads(capture)) {
    const { view, offset, end } = placed(payload.bytes);
    if (payload.protocol === UDP) {
      const found = quicHellos.read(payload.flow, view, offset, end, payload.us);
      if (found !== null) quic.push({ payload, hello: found.hello });
    }
    if (payload.protocol !== TCP) continue;
    if (!streams.has(payload.flow) && clientHelloMessage(view, offset, end) !== 'none')
      streams.set(payload.flow, { start: payload.tcpSeq, assembly: new StreamAssembly(16_384) });
    const stream = streams.get(payload.flow);
    if (stream === undefined || payload.tcpSeq - stream.start < 0) continue;
    const before = stream.assembly.contiguousBytes;
    stream.assembly.put(payload.tcpSeq - stream.start, view, offset, end);
    const had = helloOfStream(stream.assembly.bytes.slice(0, before));
    const hello = helloOfStream(stream.assembly.bytes.slice(0, stream.assembly.contiguousBytes));
    if (hello !== null && had === null) tls.push({ payload, hello });
  }
  return { tls, quic };
}

const rows = (found: readonly Found[]): string[] =>
  found.filter(({ hello }) => hello.serverName !== '').map(({ payload, hello }) => `${payload.frame} ${hello.serverName}`);

describe.skipIf(!hasCaptures)('real captures (need the folder of captures)', () => {
  it.each(captureNames)('%s has the server names that tshark shows', async (capture) => {
    const { tls, quic } = await hellosIn(capture);
    const expected = expectedServerNames(capture);
    const namesOf = (isQuic: boolean): string[] =>
      expected.filter((row) => row.isQuic === isQuic).map((row) => `${row.frame} ${row.name}`);
    expect(rows(tls)).toEqual(namesOf(false));
    expect(rows(quic)).toEqual(namesOf(true));
  });

  it('have the fingerprints that ipfixprobe computes, except that it counts GREASE among the extensions', async () => {
    const { tls } = await hellosIn('ipfixprobe__tls.pcap');
    const baseline = readFileSync(capturePath('baselines/ipfixprobe__tls.pcap.ipfixprobe.tls'), 'utf8').split('\n');
    const expected = baseline.flatMap((line) => {
      const fingerprint = /"(t1[^"]*_[^"]*)"/.exec(line)?.[1];
      return fingerprint === undefined ? [] : [`${line.split(',')[12]} ${fingerprint}`];
    });
    // The specification leaves GREASE out of every count. Elsewhere the two agree, so that only the count is set back here.
    const computed = tls.map(({ payload, hello }) => {
      const counted = ja4(hello, 't').replace(/^(t1..\d\d)\d\d/, `$1${hello.extensions.length}`);
      return `${payload.srcPort} ${counted}`;
    });
    expect(computed).toHaveLength(28);
    expect(computed.toSorted()).toEqual(expected.toSorted());
    expect(tls.some(({ hello }) => hello.extensions.some(isGrease))).toBe(true);
  });

  it.each(['arkime__arkime_synthetic.pcap', 'arkime__quicietf.pcap'])(
    '%s has the fingerprints that arkime computes',
    async (capture) => {
      interface Session {
        readonly source: { readonly port: number };
        readonly tls?: { readonly ja4?: readonly string[] };
      }
      const text = readFileSync(capturePath(`baselines/${capture}.arkime.json`), 'utf8');
      const { sessions3 } = JSON.parse(text) as { sessions3: { body?: Session }[] };
      const expected = sessions3.flatMap((item) => {
        const { source, tls } = (item.body ?? item) as Session;
        // DTLS, whose fingerprints begin with d, is not read.
        return (tls?.ja4 ?? [])
          .filter((fingerprint) => !fingerprint.startsWith('d'))
          .map((fingerprint) => [source.port, fingerprint]);
      });
      const { tls, quic } = await hellosIn(capture);
      const computed = [
        ...tls.map(({ payload, hello }) => [payload.srcPort, ja4(hello, 't')]),
        ...quic.map(({ payload, hello }) => [payload.srcPort, ja4(hello, 'q')]),
      ];
      expect(computed.toSorted()).toEqual(expected.toSorted());
      expect(computed.length).toBeGreaterThan(0);
    },
  );
});
