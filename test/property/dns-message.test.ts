import dnsPacket from 'dns-packet';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DnsMessage } from '../../src/parse/app/dns-message.js';
import { DnsName } from '../../src/parse/app/dns-name.js';
import {
  alone,
  dnsMessage,
  FIRST_NAME,
  half,
  halfAscii,
  inMemory,
  label,
  opt,
  pointer,
  question,
  record,
  wireName,
} from '../helpers/dns-bytes.js';
import { answerTexts } from '../helpers/dns-rows.js';
import { DnsScene } from '../helpers/dns-scene.js';
import { join } from '../helpers/frame-bytes.js';

const RUNS = { seed: 1035, numRuns: 1000 };
const TYPES: Readonly<Record<string, number>> = { A: 1, NS: 2, CNAME: 5, SOA: 6, PTR: 12, MX: 15, TXT: 16, AAAA: 28, SRV: 33 };
/** Escaped ASCII: what stands for itself, or a backslash with a sign or three digits. */
const ESCAPED = /^(?:[!#-[\]-~]|\\[!-/:-~]|\\[0-2]\d\d)*$/;

const labelText = fc.stringMatching(/^[A-Za-z0-9_-]{1,12}$/);
const nameText = fc.array(labelText, { minLength: 1, maxLength: 6 }).map((labels) => labels.join('.'));
const ttl = fc.integer({ min: 0, max: 2 ** 31 - 1 });
const ipv4Text = fc.array(fc.integer({ min: 0, max: 255 }), { minLength: 4, maxLength: 4 }).map((bytes) => bytes.join('.'));
/** No two zero words side by side, so that there is one way only to write it. */
const ipv6Text = fc
  .array(fc.integer({ min: 1, max: 0xffff }), { minLength: 8, maxLength: 8 })
  .map((words) => words.map((word) => word.toString(16)).join(':'));

/** Whether an answer, without its type, still fits in 1,024 bytes behind those before it. */
function fitting(): (text: string) => boolean {
  let used = 0;
  return (text) => {
    const bytes = 2 + text.replace(/^\d+:/, '').length;
    if (used + bytes > 1024) return false;
    used += bytes;
    return true;
  };
}

/** What that library decodes, or undefined if it refuses. */
function decodedBy<T>(decode: (bytes: Buffer, offset?: number) => T, bytes: Buffer, offset = 0): T | undefined {
  try {
    return decode(bytes, offset);
  } catch {
    return undefined;
  }
}

/** An answer as dns-packet takes it, and as it must be read. */
interface Answer {
  readonly given: dnsPacket.Answer;
  readonly text: string;
}

const ofName = (type: 'CNAME' | 'PTR' | 'NS') =>
  fc
    .record({ name: nameText, ttl, data: nameText })
    .map(({ data, ...rest }): Answer => ({ given: { type, ...rest, data }, text: `${TYPES[type]}:${data.toLowerCase()}` }));

const answer: fc.Arbitrary<Answer> = fc.oneof(
  fc
    .record({ name: nameText, ttl, data: ipv4Text })
    .map((given): Answer => ({ given: { type: 'A', ...given }, text: given.data })),
  fc
    .record({ name: nameText, ttl, data: ipv6Text })
    .map((given): Answer => ({ given: { type: 'AAAA', ...given }, text: given.data })),
  ofName('CNAME'),
  ofName('PTR'),
  ofName('NS'),
  fc.record({ name: nameText, ttl, exchange: nameText }).map(
    ({ exchange, ...rest }): Answer => ({
      given: { type: 'MX', ...rest, data: { preference: 10, exchange } },
      text: `15:${exchange.toLowerCase()}`,
    }),
  ),
  fc.record({ name: nameText, ttl, target: nameText }).map(
    ({ target, ...rest }): Answer => ({
      given: { type: 'SRV', ...rest, data: { port: 80, target } },
      text: `33:${target.toLowerCase()}`,
    }),
  ),
  fc.record({ name: nameText, ttl, mname: nameText }).map(
    ({ mname, ...rest }): Answer => ({
      given: { type: 'SOA', ...rest, data: { mname, rname: 'root.example' } },
      text: `6:${mname.toLowerCase()}`,
    }),
  ),
  fc
    .record({ name: nameText, ttl, data: fc.array(fc.stringMatching(/^[A-Za-z0-9=]{1,20}$/), { minLength: 1, maxLength: 4 }) })
    .map(
      (given): Answer => ({
        given: { type: 'TXT', ...given },
        text: `16:${given.data.join('\\032')}`,
      }),
    ),
);

const message = new DnsMessage();

function read(bytes: Uint8Array): boolean {
  const { view, offset, end } = inMemory(bytes);
  return message.read(view, offset, end);
}

const textOf = (name: DnsName): string => Buffer.from(name.bytes.subarray(0, name.length)).toString('latin1');
const answersRead = (): string[] => answerTexts(message.answers.bytes.slice(0, message.answers.length));

function questionsRead(): string[] {
  const texts: string[] = [];
  message.rewindQuestions();
  while (message.nextQuestion()) texts.push(`${textOf(message.name)} ${message.type}`);
  return texts;
}

const asked = fc.record({ name: nameText, type: fc.constantFrom('A', 'AAAA', 'PTR', 'TXT', 'SRV', 'MX') });

describe('DNS messages', () => {
  it('are read as dns-packet wrote them', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 65_535 }),
        fc.boolean(),
        fc.array(asked, { minLength: 1, maxLength: 4 }),
        fc.array(answer, { maxLength: 8 }),
        fc.array(answer, { maxLength: 3 }),
        (id, isResponse, questions, answers, others) => {
          const bytes = dnsPacket.encode({
            id,
            type: isResponse ? 'response' : 'query',
            flags: dnsPacket.RECURSION_DESIRED,
            questions: questions as dnsPacket.Question[],
            answers: answers.map(({ given }) => given),
            authorities: others.map(({ given }) => given),
            additionals: others.map(({ given }) => given),
          });
          expect(read(bytes)).toBe(true);
          expect(message).toMatchObject({ id, isResponse, isMalformed: false, code: 0, answerCount: answers.length });
          expect(questionsRead()).toEqual(questions.map(({ name, type }) => `${name.toLowerCase()} ${TYPES[type]}`));
          expect(answersRead()).toEqual(isResponse ? answers.map(({ text }) => text) : []);
          const ttls = answers.flatMap(({ given }) => (given.type === 'A' || given.type === 'AAAA' ? [given.ttl ?? 0] : []));
          if (isResponse) expect(message.answers.ttlS).toBe(ttls.length === 0 ? 0 : Math.min(...ttls));
        },
      ),
      RUNS,
    );
  });

  it('are read as dns-packet reads them where names are compressed', () => {
    // Names made of a few labels and the tails of names before them, as a server compresses them.
    const part = fc.record({ labels: fc.array(labelText, { maxLength: 3 }), tail: fc.nat(), type: fc.constantFrom(2, 5, 12) });
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 20 }), (parts) => {
        const starts: number[] = [];
        let body: Uint8Array = new Uint8Array(12);
        const compressed = ({ labels, tail }: { labels: string[]; tail: number }, at: number): Uint8Array => {
          const end = starts.length === 0 ? Uint8Array.of(0) : pointer(starts[tail % starts.length] as number);
          let offset = at;
          for (const text of labels) {
            starts.push(offset);
            offset += text.length + 1;
          }
          return join(...labels.map(label), end);
        };
        const questions = [question(compressed(parts[0] as (typeof parts)[0], 12))];
        body = join(body, ...questions);
        const answers: Uint8Array[] = [];
        for (const { type, ...rest } of parts) {
          // Owner of ten bytes behind its name, then the data.
          const owner = compressed(rest, body.length);
          const data = compressed(rest, body.length + owner.length + 10);
          const bytes = record(owner, type, data);
          answers.push(bytes);
          body = join(body, bytes);
        }
        const bytes = dnsMessage({ flags: 0x8180, questions, answers });
        const expected = decodedBy(dnsPacket.decode, Buffer.from(bytes));
        // A name has become too long.
        fc.pre(expected !== undefined);
        expect(read(bytes)).toBe(true);
        expect(message.isMalformed).toBe(false);
        expect(textOf(message.name)).toBe(expected.questions?.[0]?.name.toLowerCase());
        const texts = (expected.answers ?? []).map(
          ({ type, ...rest }) => `${TYPES[type]}:${(rest as { data: string }).data.toLowerCase()}`,
        );
        expect(answersRead()).toEqual(texts.filter(fitting()));
        const owners: string[] = [];
        const name = new DnsName();
        message.records.rewind();
        while (message.records.next()) if (message.records.readOwner(name)) owners.push(textOf(name));
        expect(owners).toEqual((expected.answers ?? []).map((each) => each.name.toLowerCase()));
      }),
      RUNS,
    );
  });

  it('have names that are sound or refused, as dns-packet finds them', () => {
    const piece = fc.oneof(
      { weight: 5, arbitrary: labelText.map(label) },
      { weight: 3, arbitrary: fc.integer({ min: 12, max: 200 }).map(pointer) },
      { weight: 2, arbitrary: fc.constant(Uint8Array.of(0)) },
      { weight: 1, arbitrary: fc.integer({ min: 64, max: 191 }).map((length) => Uint8Array.of(length)) },
      { weight: 1, arbitrary: fc.constant(label('a'.repeat(63))) },
    );
    const decode = (dnsPacket as unknown as { name: { decode(bytes: Buffer, offset?: number): string } }).name.decode;
    const name = new DnsName();
    let sound = 0;
    let refused = 0;
    fc.assert(
      fc.property(fc.array(piece, { minLength: 1, maxLength: 30 }), fc.nat(), (pieces, at) => {
        const bytes = join(new Uint8Array(12), ...pieces);
        // Mostly where a piece begins.
        const offset = 12 + (at % 4 === 0 ? at % (bytes.length - 12) : join(...pieces.slice(0, at % pieces.length)).length);
        const { view, end } = alone(bytes);
        const next = name.read(view, 0, offset, end);
        const expected = decodedBy(decode, Buffer.from(bytes), offset)?.toLowerCase();
        // That library shows labels without escapes, which the pieces of others that are cut in two may need.
        if (expected !== undefined && !/^[a-z0-9_.-]*$/.test(expected)) return;
        if (next >= 0) sound++;
        else refused++;
        expect(next < 0 ? undefined : textOf(name)).toBe(expected);
      }),
      { ...RUNS, numRuns: 5000 },
    );
    expect(Math.min(sound, refused)).toBeGreaterThan(500);
  });
});

const PORTS = [53, 137, 5353, 5355];
const whole = dnsMessage({
  flags: 0x8400,
  questions: [question('www.example.com')],
  answers: [
    record(pointer(12), 5, join(label('host'), pointer(16))),
    record(wireName(halfAscii('PRINTER', 0)), 32, join(half(0), Uint8Array.of(10, 0, 0, 5))),
    record(pointer(12), 16, label('text')),
  ],
  additionals: [record(pointer(12), 1, Uint8Array.of(192, 0, 2, 1)), record(pointer(12), 28, new Uint8Array(16).fill(9)), opt(1)],
});
const netbios = dnsMessage({
  flags: 0x2910,
  questions: [question(wireName(halfAscii('PRINTER', 0)), 32)],
  additionals: [record(pointer(12), 32, join(half(0), Uint8Array.of(10, 0, 0, 5)))],
});

describe('hostile DNS messages', () => {
  const bytesOf = fc.oneof(
    fc.uint8Array({ maxLength: 300 }),
    // A sound header, then anything.
    fc
      .tuple(
        fc.constantFrom(0x0000, 0x0100, 0x8180, 0x8400, 0x2900),
        fc.array(fc.nat(3), { minLength: 4, maxLength: 4 }),
        fc.uint8Array({ maxLength: 300 }),
      )
      .map(([flags, counts, rest]) => join(half(1), half(flags), ...counts.map(half), rest)),
    // A sound message with some bytes set, and perhaps cut.
    fc
      .tuple(
        fc.constantFrom(whole, netbios),
        fc.array(fc.tuple(fc.nat(), fc.oneof(fc.nat(255), fc.constantFrom(0, 0x3f, 0xc0, 0xff))), { minLength: 1, maxLength: 6 }),
        fc.nat(),
        fc.boolean(),
      )
      .map(([bytes, changes, length, isCut]) => {
        const changed = bytes.slice();
        for (const [at, byte] of changes) changed[at % changed.length] = byte;
        return isCut ? changed.slice(0, length % changed.length) : changed;
      }),
  );

  it('throw nothing, and leave escaped names of at most 253 characters', () => {
    const scene = new DnsScene();
    let taken = 0;
    let us = 0;
    fc.assert(
      fc.property(bytesOf, fc.constantFrom(...PORTS), fc.nat(3), (bytes, port, how) => {
        us += 1000;
        const client = ['10.0.0.2', 40_000] as const;
        const server = ['10.0.0.5', port] as const;
        const isResponse = ((bytes[2] ?? 0) & 0x80) !== 0;
        const datagram = { from: isResponse ? server : client, to: isResponse ? client : server, us };
        if (how === 0 ? scene.tcp(datagram, bytes) : scene.udp({ ...datagram, wireBytes: bytes.length + how * 100 }, bytes))
          taken++;
        const { view, offset, end } = alone(bytes);
        message.read(view, offset, end);
        for (const { name, answers } of scene.rows())
          for (const text of [name, ...answers.filter((each) => /^\d+:\D/.test(each)).map((each) => each.replace(/^\d+:/, ''))]) {
            expect(text).toMatch(ESCAPED);
            expect(text.length).toBeLessThanOrEqual(253);
          }
        for (const { name } of scene.devices.devices.splice(0)) expect(name).toMatch(ESCAPED);
      }),
      { ...RUNS, numRuns: 20_000 },
    );
    scene.reader.flush();
    expect(taken).toBeGreaterThan(2000);
  });

  it('are read in a number of steps that their length bounds', () => {
    // The name in each record is a pointer to that in the record before it.
    const first = FIRST_NAME + question('x').length + 12;
    const answers = Array.from({ length: 4000 }, (_, i) => {
      const target = i === 0 ? FIRST_NAME : first + 14 * (i - 1);
      return record(pointer(FIRST_NAME), 5, pointer(Math.min(target, 0x3fff)));
    });
    const many = dnsMessage({ flags: 0x8180, questions: [question('x')], answers });
    let reads = 0;
    const { view, offset, end } = alone(many);
    const counted = new Proxy(view, {
      get: (target, key) => {
        const value: unknown = Reflect.get(target, key, target);
        if (typeof value !== 'function') return value;
        reads++;
        return value.bind(target);
      },
    });
    expect(message.read(counted, offset, end)).toBe(true);
    expect(answersRead()).toHaveLength(127);
    // 256 records, of which each leads to 127 pointers at most, two reads each.
    expect(reads).toBeLessThan(256 * (127 * 2 + 20));
  });
});
