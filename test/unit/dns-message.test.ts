import { describe, expect, it } from 'vitest';
import { Random } from '../../bench/generate/random.js';
import { DnsMessage } from '../../src/parse/app/dns-message.js';
import {
  ANSWER,
  AUTHORITATIVE,
  alone,
  dnsMessage,
  FIRST_NAME,
  half,
  inMemory,
  label,
  opt,
  pointer,
  question,
  record,
  wireName,
} from '../helpers/dns-bytes.js';
import { answerTexts } from '../helpers/dns-rows.js';
import { address, join } from '../helpers/frame-bytes.js';

const message = new DnsMessage();
const NAME = pointer(FIRST_NAME);

function isRead(bytes: Uint8Array, wireBytes = bytes.length): boolean {
  const { view, offset, end } = inMemory(bytes);
  return message.read(view, offset, end, wireBytes);
}

/** The answers of a response that must be one. */
function answersOf(bytes: Uint8Array): string[] {
  expect(isRead(bytes)).toBe(true);
  return answerTexts(message.answers.bytes.slice(0, message.answers.length));
}

const nameOf = (): string => Buffer.from(message.name.bytes.subarray(0, message.name.length)).toString('latin1');

/** A response to a question for www.example.com. */
const response = (...answers: Uint8Array[]): Uint8Array =>
  dnsMessage({ flags: ANSWER, questions: [question('www.example.com')], answers });

const ipv4 = (text: string, ttl = 300): Uint8Array => record(NAME, 1, address(text), { ttl });

describe('a DNS message', () => {
  it('has a header and a question', () => {
    expect(isRead(dnsMessage({ id: 0xbeef, flags: 0x0300, questions: [question('WWW.example.com', 28, 1)] }))).toBe(true);
    expect(message).toMatchObject({ id: 0xbeef, isResponse: false, opcode: 0, code: 0, isTruncated: true, questionCount: 1 });
    expect(message).toMatchObject({ type: 28, class: 1, answerCount: 0, isMalformed: false });
    expect(nameOf()).toBe('www.example.com');
    expect(isRead(dnsMessage({ flags: 0xa805, questions: [question('', 6, 255)] }))).toBe(true);
    expect(message).toMatchObject({ isResponse: true, opcode: 5, code: 5, isTruncated: false, type: 6, class: 255 });
    expect(nameOf()).toBe('.');
  });

  it('has the addresses, names and texts of its answers, and counts the others', () => {
    const host = join(label('host'), pointer(FIRST_NAME + 4));
    const answers = [
      record(NAME, 5, host),
      record(host, 1, address('192.0.2.7')),
      record(NAME, 28, address('2001:db8::7')),
      record(NAME, 12, wireName('Printer.local')),
      record(NAME, 2, wireName('ns')),
      record(NAME, 15, join(half(10), host)),
      record(NAME, 33, join(half(0), half(0), half(631), host)),
      record(NAME, 6, join(wireName('ns'), wireName('mail'), new Uint8Array(20))),
      record(NAME, 16, join(label('v=1 "x"'), label('b'))),
      record(NAME, 99, wireName('no')),
      record(NAME, 65, new Uint8Array(9)),
    ];
    expect(answersOf(response(...answers))).toEqual([
      '5:host.example.com',
      '192.0.2.7',
      '2001:db8::7',
      '12:printer.local',
      '2:ns',
      '15:host.example.com',
      '33:host.example.com',
      '6:ns',
      '16:v=1\\032\\"x\\"\\032b',
    ]);
    expect(message).toMatchObject({ answerCount: 11, isMalformed: false });
  });

  it('keeps the answer section only', () => {
    const bytes = dnsMessage({
      flags: ANSWER,
      questions: [question('example.com')],
      answers: [ipv4('192.0.2.1')],
      authorities: [record(NAME, 2, wireName('ns1'))],
      additionals: [record('ns1', 1, address('192.0.2.53'), { ttl: 5 })],
    });
    expect(answersOf(bytes)).toEqual(['192.0.2.1']);
    expect(message.answers.ttlS).toBe(300);
    message.records.rewind();
    const seen: number[] = [];
    while (message.records.next()) seen.push(message.records.section * 100 + message.records.type);
    expect(seen).toEqual([1, 102, 201]);
  });

  it('has the smallest time to live among its addresses', () => {
    answersOf(
      response(record(NAME, 5, wireName('a'), { ttl: 1 }), ipv4('192.0.2.1', 600), ipv4('192.0.2.2', 60), ipv4('192.0.2.3', 900)),
    );
    expect(message.answers.ttlS).toBe(60);
    // RFC 2181 section 8: with the upper bit, it is 0.
    answersOf(response(ipv4('192.0.2.1', 600), ipv4('192.0.2.2', 0xffff_ffff)));
    expect(message.answers.ttlS).toBe(0);
    answersOf(response(record(NAME, 5, wireName('a'), { ttl: 1 })));
    expect(message.answers.ttlS).toBe(0);
  });

  it('takes the upper bits of its code from EDNS', () => {
    const code = (flags: number, additionals: Uint8Array[]): number => {
      expect(isRead(dnsMessage({ flags, questions: [question('a')], additionals }))).toBe(true);
      return message.code;
    };
    expect(code(ANSWER | 3, [])).toBe(3);
    expect(code(ANSWER | 3, [opt(0)])).toBe(3);
    // BADVERS and BADCOOKIE.
    expect(code(ANSWER, [opt(1)])).toBe(16);
    expect(code(ANSWER | 7, [record(NAME, 1, address('192.0.2.1')), opt(1)])).toBe(23);
    expect(code(ANSWER | 15, [opt(255)])).toBe(4095);
    // There is one only; what comes behind it has no meaning.
    expect(code(ANSWER, [opt(1), opt(2)])).toBe(16);
    // Elsewhere than in the additional section it is none.
    expect(isRead(dnsMessage({ flags: ANSWER, questions: [question('a')], authorities: [opt(1)] }))).toBe(true);
    expect(message.code).toBe(0);
  });

  it('leaves out whole answers that do not fit in 1,024 bytes', () => {
    const long = `${'abcdefghi.'.repeat(25)}abc`;
    const answers = [...Array.from({ length: 5 }, () => record(NAME, 5, wireName(long))), ipv4('192.0.2.1')];
    expect(answersOf(response(...answers))).toEqual([...Array.from({ length: 4 }, () => `5:${long}`)]);
    const short = [
      ...Array.from({ length: 3 }, () => record(NAME, 5, wireName(long))),
      record(NAME, 5, wireName(long.slice(20))),
    ];
    expect(answersOf(response(...short, record(NAME, 5, wireName(long)), ipv4('192.0.2.1')))).toHaveLength(5);
  });

  it('cuts texts at 100 bytes and 253 characters', () => {
    expect(answersOf(response(record(NAME, 16, join(label('A'.repeat(70)), label('b'.repeat(70))))))).toEqual([
      `16:${'A'.repeat(70)}\\032${'b'.repeat(30)}`,
    ]);
    expect(answersOf(response(record(NAME, 16, label('\xff'.repeat(100)))))).toEqual([`16:${'\\255'.repeat(63)}`]);
    expect(answersOf(response(record(NAME, 16, label(''))))).toEqual(['16:']);
  });

  it('says that it is malformed, and keeps what is sound', () => {
    const broken: Record<string, Uint8Array> = {
      'an address of five bytes': record(NAME, 1, new Uint8Array(5)),
      'an IPv6 address of four': record(NAME, 28, new Uint8Array(4)),
      'a name in a circle': record(NAME, 5, pointer(FIRST_NAME + 100)),
      'a name beyond its data': record(NAME, 5, Uint8Array.of(63)),
      'no data': record(NAME, 15, new Uint8Array(0)),
      'a text beyond its data': record(NAME, 16, Uint8Array.of(2, 97)),
    };
    for (const [what, bytes] of Object.entries(broken)) {
      expect([what, answersOf(response(ipv4('192.0.2.1'), bytes, ipv4('192.0.2.2')))]).toEqual([
        what,
        ['192.0.2.1', '192.0.2.2'],
      ]);
      expect(message.isMalformed).toBe(true);
    }
    const more = dnsMessage({ flags: ANSWER, questions: [question('a')], answers: [ipv4('192.0.2.1')], counts: [1, 2, 0, 0] });
    expect(answersOf(join(more, new Uint8Array(11).fill(0xff)))).toEqual(['192.0.2.1']);
    expect(message.isMalformed).toBe(true);
    answersOf(response(ipv4('192.0.2.1')));
    expect(message.isMalformed).toBe(false);
  });

  it('is no address in another class than that of the Internet', () => {
    expect(answersOf(response(record(NAME, 1, address('192.0.2.1'), { klass: 3 })))).toEqual([]);
    // mDNS sets the upper bit.
    expect(answersOf(response(record(NAME, 1, address('192.0.2.1'), { klass: 0x8001 })))).toEqual(['192.0.2.1']);
  });

  it('takes name and type from the first answer where it has no question', () => {
    const answers = [record('Gemini.local', 28, address('fe80::1')), record('other.local', 1, address('192.0.2.1'))];
    expect(answersOf(dnsMessage({ flags: AUTHORITATIVE, answers }))).toEqual(['fe80::1', '192.0.2.1']);
    expect(message).toMatchObject({ questionCount: 0, type: 28 });
    expect(nameOf()).toBe('gemini.local');
    // More of what a host knows already (RFC 6762 section 7.2).
    expect(isRead(dnsMessage({ flags: 0, answers }))).toBe(true);
    expect(nameOf()).toBe('gemini.local');
  });

  it('may be an error that names nothing', () => {
    expect(isRead(dnsMessage({ flags: 0x8001 }))).toBe(true);
    expect(message).toMatchObject({ code: 1, type: 0 });
    expect(message.name.length).toBe(0);
    expect(isRead(dnsMessage({ flags: 0x8000, additionals: [opt(1)] }))).toBe(true);
    expect(message.code).toBe(16);
    expect(isRead(dnsMessage({ flags: 0x8000 }))).toBe(false);
  });

  it('goes through sixteen of its questions, and finds its records behind more', () => {
    const questions = Array.from({ length: 20 }, (_, i) => question(i === 19 ? 'x' : join(label(`q${i}`), wireName('a')), i + 1));
    expect(answersOf(dnsMessage({ flags: ANSWER, questions, answers: [ipv4('192.0.2.1')] }))).toEqual(['192.0.2.1']);
    expect(nameOf()).toBe('q0.a');
    message.rewindQuestions();
    const seen: string[] = [];
    while (message.nextQuestion()) seen.push(`${nameOf()} ${message.type}`);
    expect(seen).toEqual(Array.from({ length: 16 }, (_, i) => `q${i}.a ${i + 1}`));
  });

  it('has at most 256 records and 256 questions that are looked at', () => {
    const many = Array.from({ length: 300 }, () => record(NAME, 99, new Uint8Array(0)));
    const bytes = dnsMessage({ flags: ANSWER, questions: [question('a')], answers: [...many, ipv4('192.0.2.1')] });
    expect(answersOf(bytes)).toEqual([]);
    expect(message).toMatchObject({ answerCount: 301, isMalformed: false });
    message.records.rewind();
    let count = 0;
    while (message.records.next()) count++;
    expect(count).toBe(256);
    const questions = Array.from({ length: 257 }, () => question('a'));
    expect(answersOf(dnsMessage({ flags: ANSWER, questions, answers: [ipv4('192.0.2.1')] }))).toEqual([]);
    expect(message).toMatchObject({ questionCount: 257, isMalformed: true });
    expect(answersOf(dnsMessage({ flags: ANSWER, questions: questions.slice(1), answers: [ipv4('192.0.2.1')] }))).toHaveLength(1);
  });

  it('does not answer with the conditions of an update', () => {
    expect(answersOf(dnsMessage({ flags: 0xa800, questions: [question('a', 6)], answers: [ipv4('192.0.2.1')] }))).toEqual([]);
    expect(answersOf(dnsMessage({ flags: 0x8000, questions: [question('a', 6)], answers: [ipv4('192.0.2.1')] }))).toHaveLength(1);
  });
});

describe('what is cut', () => {
  const whole = dnsMessage({
    flags: ANSWER,
    questions: [question('www.example.com')],
    answers: [record(NAME, 5, wireName('host.example.com')), ipv4('192.0.2.1'), ipv4('192.0.2.2')],
    additionals: [opt(1)],
  });
  const questionEnd = 12 + 17 + 4;

  it('is read as far as it goes, at every length', () => {
    let answers = 0;
    for (let length = 0; length <= whole.length; length++) {
      const { view, offset, end } = alone(whole.slice(0, length));
      expect(message.read(view, offset, end, whole.length)).toBe(length >= questionEnd);
      if (length < questionEnd) continue;
      expect(nameOf()).toBe('www.example.com');
      expect(message).toMatchObject({ answerCount: 3, isMalformed: false, code: length === whole.length ? 16 : 0 });
      const texts = answerTexts(message.answers.bytes.slice(0, message.answers.length));
      expect(texts).toEqual(['5:host.example.com', '192.0.2.1', '192.0.2.2'].slice(0, texts.length));
      expect(texts.length).toBeGreaterThanOrEqual(answers);
      answers = texts.length;
    }
    expect(answers).toBe(3);
  });

  it('is malformed, and not cut by the capture, where it was sent so', () => {
    let read = 0;
    for (let length = questionEnd; length < whole.length; length++) {
      if (!isRead(whole.slice(0, length))) continue;
      read++;
      expect(message.isMalformed).toBe(true);
    }
    expect(read).toBeGreaterThan(30);
  });
});

describe('what is not DNS', () => {
  it.each([
    ['zeros', new Uint8Array(64)],
    ['ones', new Uint8Array(64).fill(0xff)],
    ['a request of HTTP', Uint8Array.from(Buffer.from('GET / HTTP/1.1\r\nHost: example.com\r\n\r\n'))],
    ['a version of SSH', Uint8Array.from(Buffer.from('SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u2\r\n'))],
    ['a header alone', dnsMessage({})],
    ['more questions than fit', join(dnsMessage({ questions: [question('a')], counts: [3, 0, 0, 0] }))],
    ['more records than fit', join(dnsMessage({ questions: [question('a')], counts: [1, 0, 0, 1] }))],
    ['a type of 0', dnsMessage({ questions: [question('a', 0)] })],
    ['a class of 0', dnsMessage({ questions: [question('a', 1, 0)] })],
    ['a name that leads nowhere', dnsMessage({ questions: [question(pointer(FIRST_NAME))] })],
  ])('is refused: %s', (_, bytes) => {
    expect(isRead(bytes)).toBe(false);
  });

  it('is refused: 20,000 random payloads', () => {
    const random = new Random(53);
    let read = 0;
    for (let i = 0; i < 20_000; i++)
      if (isRead(Uint8Array.from({ length: 12 + random.below(500) }, () => random.below(256)))) read++;
    expect(read).toBe(0);
  });
});
