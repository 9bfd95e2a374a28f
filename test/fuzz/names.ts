import type { Random } from '../../bench/generate/random.js';
import { join } from '../helpers/frame-bytes.js';
import { onceIn, pick, randomBytes } from '../helpers/mutate.js';

/** Names and DNS messages, most of them hostile: everything that a sender can put there and a reader must not believe. */

/** Texts that have broken something somewhere: NUL, quotes, controls, invalid UTF-8, SQL, terminals, paths. */
const HOSTILE = [
  'a\0b',
  '"; DROP TABLE flows; --',
  "' OR 1=1",
  '\u001b[2J\u001b]0;x\u0007',
  'a.b\\c',
  '\xc3\x28\xff\xfe',
  '\xf0\x9f\x92\xa9',
  '../../etc/passwd',
  '%s%n%x',
  'xn--nxasmq6b',
  ' ',
  '\r\n\r\n',
  '*',
  '_http._tcp',
];

const ascii = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'latin1'));

/** A host name as text, latin1: usual, hostile, long, or noise. */
export function hostName(random: Random): string {
  switch (random.below(5)) {
    case 0:
      return pick(random, HOSTILE);
    case 1:
      return 'a'.repeat(1 + random.below(300));
    case 2:
      return Buffer.from(randomBytes(random, 1 + random.below(80))).toString('latin1');
    case 3:
      return Array.from({ length: 1 + random.below(140) }, () => 'x').join('.');
    default:
      return `host${random.below(50)}.Example.com`;
  }
}

const half = (value: number): Uint8Array => Uint8Array.of((value >> 8) & 0xff, value & 0xff);

/** A name in labels; it ends in a root label, a pointer, or nothing. `at` is where it stands in the message. */
function encodedName(random: Random, at: number): Uint8Array {
  const parts: Uint8Array[] = [];
  for (let labels = random.below(onceIn(random, 10) ? 130 : 5); labels > 0; labels--) {
    const label = ascii(hostName(random)).subarray(0, 63);
    // Now and then the length says something else: longer, or one of the two kinds of label that nobody uses (RFC 6891 section 5).
    const length = onceIn(random, 20) ? pick(random, [0x3f, 0x40, 0x80, 0xbf, label.length + 1]) : label.length;
    parts.push(Uint8Array.of(length), label);
  }
  const name = join(...parts);
  const here = at + name.length;
  const pointers = [12, 12, 12, here, here + 2, Math.max(0, here - 2), 0, random.below(0x4000)];
  if (onceIn(random, 3)) return join(name, half(0xc000 | (pick(random, pointers) & 0x3fff)));
  return onceIn(random, 30) ? name : join(name, Uint8Array.of(0));
}

/** Types of records that are read, and a few that are not. */
const TYPES = [1, 1, 28, 28, 5, 12, 16, 33, 41, 65, 6, 10, 32, 255];

function recordData(random: Random, type: number, at: number): Uint8Array {
  if (type === 1) return randomBytes(random, onceIn(random, 8) ? random.below(8) : 4);
  if (type === 28) return randomBytes(random, onceIn(random, 8) ? random.below(20) : 16);
  if (type === 5 || type === 12) return encodedName(random, at);
  if (type === 33) return join(randomBytes(random, 6), encodedName(random, at + 6));
  if (type === 16) return ascii(hostName(random));
  return randomBytes(random, random.below(40));
}

/** A DNS message: query or answer, with up to a dozen records, in which lengths and counts mostly say what is there. */
export function dnsMessage(random: Random): Uint8Array {
  const isAnswer = onceIn(random, 2);
  const records = isAnswer ? random.below(12) : onceIn(random, 4) ? 1 : 0;
  const questions = onceIn(random, 10) ? random.below(4) : 1;
  const flags = isAnswer ? 0x8180 | (onceIn(random, 4) ? random.below(16) : 0) : 0x0100;
  const lie = (count: number): number => (onceIn(random, 15) ? pick(random, [0, 1, 100, 0xffff]) : count);
  // Few ids, so that answers find their queries.
  let message = join(half(random.below(8)), half(flags), half(lie(questions)), half(lie(records)), half(0), half(lie(0)));
  const add = (...bytes: readonly Uint8Array[]): void => {
    message = join(message, ...bytes);
  };
  for (let count = 0; count < questions; count++)
    add(encodedName(random, message.length), half(pick(random, TYPES)), half(onceIn(random, 5) ? 0x8001 : 1));
  for (let count = 0; count < records; count++) {
    add(encodedName(random, message.length));
    const type = pick(random, TYPES);
    const data = recordData(random, type, message.length + 10);
    const length = onceIn(random, 20) ? pick(random, [0, 1, 0xffff, data.length + 1]) : data.length;
    add(half(type), half(1), half(0), half(random.below(0x1_0000)), half(length), data);
  }
  return message;
}

/** A NetBIOS name query, registration or answer (RFC 1002 section 4.2): one label of 32 characters. */
export function netbiosMessage(random: Random): Uint8Array {
  const name = randomBytes(random, 32).map((byte) => (onceIn(random, 30) ? byte : 0x41 + (byte & 0x0f)));
  const flags = pick(random, [0x0110, 0x2910, 0x8500, 0xad00]);
  const question = join(Uint8Array.of(32), name, Uint8Array.of(0), half(0x20), half(1));
  const additional = join(half(0xc00c), half(0x20), half(1), half(0), half(300), half(6), randomBytes(random, 6));
  const hasQuestion = flags < 0x8000;
  return join(
    half(random.below(8)),
    half(flags),
    half(hasQuestion ? 1 : 0),
    half(hasQuestion ? 0 : 1),
    half(0),
    half(1),
    question,
    additional,
  );
}

/** DHCP over IPv4 (RFC 2131) with options in any order, cut or overlapping now and then. */
export function dhcpMessage(random: Random): Uint8Array {
  const header = new Uint8Array(236);
  header[0] = 1 + random.below(2);
  header[1] = 1;
  header[2] = onceIn(random, 8) ? random.below(256) : 6;
  header.set(randomBytes(random, 20), 12);
  header.set(randomBytes(random, 6), 28);
  const option = (code: number, value: Uint8Array): Uint8Array => {
    const content = value.subarray(0, 255);
    const length = onceIn(random, 20) ? pick(random, [0, 255, content.length + 1]) : content.length;
    return join(Uint8Array.of(code, length), content);
  };
  const options = Array.from({ length: random.below(10) }, () =>
    pick(random, [
      () => option(53, Uint8Array.of(1 + random.below(8))),
      () => option(12, ascii(hostName(random))),
      () => option(81, join(Uint8Array.of(random.below(16), 0, 0), ascii(hostName(random)))),
      () => option(81, join(Uint8Array.of(4, 0, 0), encodedName(random, 0))),
      () => option(50, randomBytes(random, 4)),
      () => option(52, Uint8Array.of(random.below(4))),
      () => option(61, randomBytes(random, random.below(20))),
      () => Uint8Array.of(0),
      () => option(random.below(256), randomBytes(random, random.below(40))),
    ])(),
  );
  return join(
    header,
    Uint8Array.of(0x63, 0x82, 0x53, 0x63),
    ...options,
    onceIn(random, 5) ? new Uint8Array(0) : Uint8Array.of(255),
  );
}

/** DHCPv6 (RFC 8415), relayed up to five times or so. */
export function dhcpv6Message(random: Random, depth = 0): Uint8Array {
  const option = (code: number, value: Uint8Array): Uint8Array => {
    const length = onceIn(random, 20) ? pick(random, [0, 0xffff, value.length + 1]) : value.length;
    return join(half(code), half(length), value);
  };
  if (depth < 40 && onceIn(random, depth === 0 ? 4 : 2))
    return join(Uint8Array.of(12 + random.below(2), depth), randomBytes(random, 32), option(9, dhcpv6Message(random, depth + 1)));
  const options = Array.from({ length: random.below(8) }, () =>
    pick(random, [
      () => option(1, join(half(1 + random.below(4)), half(1), randomBytes(random, random.below(20)))),
      () => option(3, join(randomBytes(random, 12), option(5, randomBytes(random, 24)))),
      () => option(39, join(Uint8Array.of(random.below(8)), encodedName(random, 0))),
      () => option(random.below(100), randomBytes(random, random.below(40))),
    ])(),
  );
  return join(Uint8Array.of(1 + random.below(13)), randomBytes(random, 3), ...options);
}
