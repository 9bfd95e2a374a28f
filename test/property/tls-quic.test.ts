import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ja4 } from '../../src/parse/app/ja4.js';
import { isQuic, isQuicInitial } from '../../src/parse/app/quic-header.js';
import { QuicHellos } from '../../src/parse/app/quic-hellos.js';
import { StreamAssembly } from '../../src/parse/app/stream-assembly.js';
import { type ClientHello, readClientHello } from '../../src/parse/app/tls-client-hello.js';
import { clientHelloMessage } from '../../src/parse/app/tls-records.js';
import { join } from '../helpers/frame-bytes.js';
import { alone, placed } from '../helpers/parser-input.js';
import { cryptoFrame, longPacket, QUIC_DRAFT_29, QUIC_V1, QUIC_V2 } from '../helpers/quic-packet.js';
import {
  alpn,
  clientHello,
  extension,
  type HelloParts,
  serverName,
  signatureAlgorithms,
  supportedVersions,
  tlsRecords,
} from '../helpers/tls-hello.js';

const RUNS = { seed: 8446, numRuns: 300 };

const number16 = fc.integer({ min: 0, max: 0xffff });
const latin1 = (maxLength: number): fc.Arbitrary<string> =>
  fc.uint8Array({ maxLength }).map((bytes) => Buffer.from(bytes).toString('latin1'));
const numbers = fc.array(number16, { maxLength: 40 });

const someExtension = fc.oneof(
  fc.tuple(number16, fc.uint8Array({ maxLength: 300 })).map(([type, body]) => extension(type, body)),
  latin1(300).map((name) => serverName(name)),
  fc.array(latin1(30), { maxLength: 10 }).map((names) => alpn(...names)),
  numbers.map((versions) => supportedVersions(...versions)),
  numbers.map((algorithms) => signatureAlgorithms(...algorithms)),
  // Their bodies are nonsense.
  fc.tuple(fc.constantFrom(0, 13, 16, 43), fc.uint8Array({ maxLength: 40 })).map(([type, body]) => extension(type, body)),
);

const helloParts: fc.Arbitrary<HelloParts> = fc.record({
  version: number16,
  sessionIdBytes: fc.integer({ min: 0, max: 32 }),
  ciphers: numbers,
  extensions: fc.array(someExtension, { maxLength: 20 }),
});

/** A hello whose fields are known, with extensions of no meaning around them. */
const knownHello = fc
  .record({
    name: fc.domain(),
    protocols: fc.array(fc.stringMatching(/^[A-Za-z0-9./-]{1,12}$/), { minLength: 1, maxLength: 8 }),
    ciphers: numbers,
    others: fc.array(fc.tuple(fc.integer({ min: 200, max: 0x0900 }), fc.uint8Array({ maxLength: 500 })), { maxLength: 8 }),
    place: fc.nat(),
  })
  .map(({ name, protocols, ciphers, others, place }) => {
    const extensions = others.map(([type, body]) => extension(type, body));
    extensions.splice(place % (extensions.length + 1), 0, serverName(name), alpn(...protocols));
    return { name, protocols, ciphers, message: clientHello({ ciphers, extensions }) };
  })
  // Two bytes that stand for nothing are left out of the protocols.
  .filter(({ protocols }) => protocols.every((name) => !/^(JJ|ZZ|jj|zz)$/.test(name)));

function expectSound(hello: ClientHello): void {
  for (const text of [hello.serverName, hello.alpn.join(',')]) {
    expect(text).toMatch(/^(?:[!#-[\]-~]|\\["\\,]|\\[0-2][0-9]{2})*$/);
    expect(text.length).toBeLessThanOrEqual(253);
  }
  expect(hello.serverName).not.toMatch(/[A-Z]/);
  for (const list of [hello.ciphers, hello.extensions, hello.signatureAlgorithms]) expect(list.length).toBeLessThanOrEqual(512);
  for (const transport of ['t', 'q'] as const)
    expect(ja4(hello, transport)).toMatch(/^[tq](1[0-3]|s[23]|00)[di]\d{4}[0-9A-Za-z]{2}_[0-9a-f]{12}_[0-9a-f]{12}$/);
}

/** Changes of single bytes. */
const mutations = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { maxLength: 6 });
function mutated(bytes: Uint8Array, changes: readonly (readonly [number, number])[]): Uint8Array {
  const copy = Uint8Array.from(bytes);
  for (const [at, value] of changes) copy[at % copy.length] = value;
  return copy;
}

describe('a stream assembly', () => {
  it('is the same as a map of bytes, where there is room', () => {
    const piece = fc.tuple(fc.integer({ min: 0, max: 90 }), fc.uint8Array({ maxLength: 30 }));
    const property = fc.property(fc.array(piece, { maxLength: 14 }), (pieces) => {
      const assembly = new StreamAssembly(100);
      const model = new Map<number, number>();
      for (const [at, bytes] of pieces) {
        const { view, offset, end } = placed(bytes);
        expect(assembly.put(at, view, offset, end)).toBe(at + bytes.length <= 100);
        bytes.forEach((byte, index) => {
          if (at + index < 100 && !model.has(at + index)) model.set(at + index, byte);
        });
        let count = 0;
        while (model.has(count)) count++;
        expect(assembly.contiguousBytes).toBe(count);
        for (let index = 0; index < count; index++) expect(assembly.bytes[index]).toBe(model.get(index));
      }
    });
    fc.assert(property, RUNS);
  });

  it('never gives bytes that did not come, however many holes there are', () => {
    const offsets = fc.uniqueArray(fc.integer({ min: 0, max: 99 }), { minLength: 40, maxLength: 100 });
    const property = fc.property(offsets, (order) => {
      const assembly = new StreamAssembly(100);
      const kept = new Set<number>();
      for (const at of order) if (assembly.put(at, new DataView(Uint8Array.of(at + 100).buffer), 0, 1)) kept.add(at);
      let count = 0;
      while (kept.has(count)) count++;
      expect(assembly.contiguousBytes).toBe(count);
      for (let index = 0; index < count; index++) expect(assembly.bytes[index]).toBe(index + 100);
    });
    fc.assert(property, RUNS);
  });
});

describe('a ClientHello of TLS', () => {
  it('tells what was put in, in records of any size', () => {
    const property = fc.property(knownHello, fc.integer({ min: 1, max: 5000 }), (known, bytesPerRecord) => {
      const { view, offset, end } = placed(tlsRecords(known.message, bytesPerRecord));
      const message = clientHelloMessage(view, offset, end);
      if (typeof message === 'string') throw new Error(message);
      const hello = readClientHello(message.view, message.offset, message.end);
      const { name, protocols, ciphers } = known;
      expect(hello).toMatchObject({ serverName: name.toLowerCase(), alpn: protocols, ciphers, isWhole: true });
    });
    fc.assert(property, RUNS);
  });

  it('is sound whatever it says', () => {
    const property = fc.property(helloParts, (parts) => {
      const { view, offset, end } = alone(clientHello(parts));
      const hello = readClientHello(view, offset, end);
      expect(hello).not.toBeNull();
      expectSound(hello as ClientHello);
    });
    fc.assert(property, RUNS);
  });

  it('is sound or none when bytes are changed and the end is cut; nothing is read beyond it', () => {
    const property = fc.property(
      helloParts,
      fc.integer({ min: 1, max: 3000 }),
      mutations,
      fc.nat(),
      (parts, bytes, changes, cut) => {
        const stream = mutated(tlsRecords(clientHello(parts), bytes), changes);
        const { view, offset, end } = alone(stream.subarray(0, cut % (stream.length + 1)));
        const message = clientHelloMessage(view, offset, end);
        if (typeof message === 'string') return;
        const hello = readClientHello(message.view, message.offset, message.end);
        if (hello !== null) expectSound(hello);
      },
    );
    fc.assert(property, { ...RUNS, numRuns: 1000 });
  });

  it('is found only in its own records: random bytes have none', () => {
    const property = fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      const { view, offset, end } = alone(bytes);
      const hello = readClientHello(view, offset, end);
      if (hello !== null) expectSound(hello);
      expect(['none', 'incomplete']).toContain(clientHelloMessage(view, offset, end));
    });
    fc.assert(property, RUNS);
  });
});

describe('a ClientHello of QUIC', () => {
  const connection = fc.record({
    version: fc.constantFrom(QUIC_V1, QUIC_V2, QUIC_DRAFT_29),
    dcid: fc.uint8Array({ maxLength: 20 }),
    scid: fc.uint8Array({ maxLength: 20 }),
    token: fc.uint8Array({ maxLength: 200 }),
  });

  it('tells what was put in, whatever the order of its pieces and packets', () => {
    const property = fc.property(
      knownHello,
      connection,
      fc.integer({ min: 1, max: 12 }),
      fc.integer({ min: 1, max: 8 }),
      fc.infiniteStream(fc.nat()),
      ({ name, protocols, message }, packet, pieceCount, perPacket, random) => {
        const pieceBytes = Math.ceil(message.length / pieceCount);
        const pieces = Array.from({ length: pieceCount }, (_, index) => index * pieceBytes)
          .filter((at) => at < message.length)
          .map((at) => cryptoFrame(at, message.subarray(at, at + pieceBytes)))
          .map((frame) => ({ frame, order: random.next().value as number }))
          .toSorted((a, b) => a.order - b.order);
        const packetCount = Math.min(Math.ceil(pieces.length / perPacket), 9);
        const hellos = new QuicHellos();
        const found = Array.from({ length: packetCount }, (_, index) => {
          const first = index * perPacket;
          const frames = pieces.slice(first, index === packetCount - 1 ? pieces.length : first + perPacket);
          const payload = join(...frames.map(({ frame }) => frame));
          const { view, offset, end } = placed(longPacket(payload, { ...packet, packetNumber: index, packetNumberBytes: 4 }));
          return hellos.read(1, view, offset, end, 0);
        });
        const last = message.length > 3000 ? undefined : found.at(-1);
        if (last === undefined) return;
        expect(found.slice(0, -1)).toEqual(found.slice(0, -1).map(() => null));
        expect(last).toMatchObject({ version: packet.version, hello: { serverName: name.toLowerCase(), alpn: protocols } });
      },
    );
    fc.assert(property, RUNS);
  });

  it('is sound or none, whatever the frames are', () => {
    const someFrames = fc.array(
      fc.oneof(
        fc.uint8Array({ maxLength: 60 }),
        fc.tuple(fc.integer({ min: 0, max: 400 }), fc.uint8Array({ maxLength: 100 })).map(([at, data]) => cryptoFrame(at, data)),
        helloParts
          .map((parts) => clientHello(parts))
          .filter((message) => message.length < 3000)
          .map((message) => cryptoFrame(0, message)),
      ),
      { maxLength: 8 },
    );
    const property = fc.property(someFrames, mutations, (frames, changes) => {
      const payload = join(...frames, new Uint8Array(20));
      const { view, offset, end } = alone(longPacket(mutated(payload, changes)));
      const found = new QuicHellos().read(1, view, offset, end, 0);
      if (found !== null) expectSound(found.hello);
    });
    fc.assert(property, RUNS);
  });

  it('is none in datagrams that were changed or cut; nothing is read beyond them', () => {
    const crypto = cryptoFrame(0, clientHello({ extensions: [serverName('example.org')] }));
    const property = fc.property(
      connection,
      mutations,
      fc.nat(),
      fc.uint8Array({ maxLength: 50 }),
      (packet, changes, cut, behind) => {
        const sent = join(longPacket(crypto, packet), behind);
        const changed = mutated(sent, changes);
        const bytes = changed.subarray(0, cut % (changed.length + 1));
        const isSame = Buffer.from(bytes).equals(sent.subarray(0, bytes.length)) && bytes.length >= sent.length - behind.length;
        const { view, offset, end } = alone(bytes);
        isQuic(view, offset, end);
        const hellos = new QuicHellos();
        const found = hellos.read(1, view, offset, end, 0);
        if (isSame) expect(found).not.toBeNull();
        if (found !== null) expect(isQuicInitial(view, offset, end)).toBe(true);
      },
    );
    fc.assert(property, { ...RUNS, numRuns: 500 });
  });

  it('is none in random bytes, which throw nothing', () => {
    const first = fc.constantFrom('c000000001', 'd36b3343cf', 'e0ff00001d', 'f000000001', '8000000000', '');
    const property = fc.property(first, fc.uint8Array({ maxLength: 200 }), (head, tail) => {
      const { view, offset, end } = alone(join(Buffer.from(head, 'hex'), tail));
      isQuic(view, offset, end);
      isQuicInitial(view, offset, end);
      expect(new QuicHellos().read(1, view, offset, end, 0)).toBeNull();
    });
    fc.assert(property, RUNS);
  });
});
