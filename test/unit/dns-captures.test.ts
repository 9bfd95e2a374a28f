import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { DnsMessage } from '../../src/parse/app/dns-message.js';
import { DnsName } from '../../src/parse/app/dns-name.js';
import { DnsType } from '../../src/parse/app/dns-type.js';
import { type CapturedPayload, capturedPayloads } from '../helpers/captured-payloads.js';
import { captureNames, capturePath, hasCaptures } from '../helpers/captures.js';
import { inMemory } from '../helpers/dns-bytes.js';
import { answerTexts } from '../helpers/dns-rows.js';

/** What a message tells, as tshark's columns have it: all questions, and of all records the owners, addresses and aliases. */
interface Told {
  readonly response: boolean;
  readonly qry: readonly string[];
  readonly resp_name: readonly string[];
  readonly a: readonly string[];
  readonly aaaa: readonly string[];
  readonly cname: readonly string[];
}

const TCP = 6;
const LLMNR = 5355;
const PORTS = [53, 5353, LLMNR];
/** Some captures hold the first fragment of a message only, so that its counts do not fit in what is there. */
const WIRE_BYTES = 65_535;

/** Frames in which tshark sees a message, and we do not. */
const QUOTED = 'lies in an error of ICMP, which quotes it: nobody sent it here';
const EMPTY = 'is a header of zeros: it asks for nothing';
const BROKEN = 'has 64,259 questions in 63,165 bytes, and none of their names ends';
const EXCEPTIONS: Readonly<Record<string, Readonly<Record<number, string>>>> = {
  'arkime__arkime_synthetic.pcap': { 618: EMPTY, 619: EMPTY },
  'ipfixprobe__mixed.pcap': Object.fromEntries(
    [106, 123, 126, 129, 131, 181, 188, 190, 194, 196, 203].map((frame) => [frame, QUOTED]),
  ),
  'tcpdump__dns_fwdptr.pcap': { 1: BROKEN },
  'zeek__icmp-destunreach-udp.pcap': { 1: QUOTED },
  'zeek__tunnels-gre-sample.pcap': { 34: QUOTED, 36: QUOTED },
};

function fields(line: string): string[] {
  return [...line.matchAll(/("[^"]*"|[^,]*)(?:,|$)/g)].map((match) => (match[1] as string).replaceAll('"', ''));
}

function expectedMessages(capture: string): Map<number, Told> {
  const [, ...lines] = readFileSync(capturePath(`expected/${capture}.dns.csv`), 'utf8')
    .trim()
    .split(/\r?\n/);
  const names = (text: string | undefined): string[] =>
    text ? text.split(',').map((name) => (name === '<Root>' ? '.' : name.toLowerCase())) : [];
  return new Map(
    lines.map((line) => {
      const [frame, response, qry, respName, a, aaaa, cname] = fields(line);
      return [
        Number(frame),
        {
          response: response === '1',
          qry: names(qry),
          resp_name: names(respName),
          a: names(a),
          aaaa: names(aaaa),
          cname: names(cname),
        },
      ];
    }),
  );
}

const textOf = (name: DnsName): string => {
  const escaped = Buffer.from(name.bytes.subarray(0, name.length)).toString('latin1');
  const plain = escaped.replaceAll(/\\(\d{3})|\\(.)/g, (_, code: string, character: string) =>
    code === undefined ? character : String.fromCharCode(Number(code)),
  );
  return Buffer.from(plain, 'latin1').toString('utf8');
};

const message = new DnsMessage();
const name = new DnsName();

function tell({ protocol, srcPort, dstPort, bytes }: CapturedPayload): Told | undefined {
  if (!PORTS.some((port) => port === srcPort || port === dstPort)) return undefined;
  // Over TCP, its length comes first; here, each message is one segment.
  const { view, offset, end } = inMemory(protocol === TCP ? bytes.subarray(2) : bytes);
  if (!message.read(view, offset, end, WIRE_BYTES)) return undefined;
  const told = {
    response: message.isResponse,
    qry: [] as string[],
    resp_name: [] as string[],
    a: [] as string[],
    aaaa: [] as string[],
    cname: [] as string[],
  };
  message.rewindQuestions();
  while (message.nextQuestion()) told.qry.push(textOf(message.name));
  const { records } = message;
  records.rewind();
  while (records.next()) {
    expect(records.readOwner(name)).toBe(true);
    // tshark shows the owner of a service under another name.
    if (records.type !== DnsType.Srv) told.resp_name.push(textOf(name));
    const data = Uint8Array.from({ length: records.dataEnd - records.dataOffset }, (_, i) =>
      view.getUint8(records.dataOffset + i),
    );
    const asAnswer = (): string => answerTexts(Uint8Array.of(records.type, data.length, ...data))[0] as string;
    if (records.type === DnsType.A) told.a.push(asAnswer());
    else if (records.type === DnsType.Aaaa) told.aaaa.push(asAnswer());
    else if (records.type === DnsType.Cname && records.readDataName(name, 0)) told.cname.push(textOf(name));
  }
  return told;
}

describe.skipIf(!hasCaptures)('DNS messages of captures', () => {
  it.each(captureNames)('tell what tshark shows: %s', async (capture) => {
    const expected = expectedMessages(capture);
    const payloads = await capturedPayloads(capture);
    const exceptions = EXCEPTIONS[capture] ?? {};
    const told = new Map(payloads.map((payload) => [payload.frame, tell(payload)]));
    for (const [frame, message] of expected) {
      const exception = exceptions[frame];
      expect([frame, told.get(frame) ?? exception]).toEqual([frame, exception ?? message]);
    }
    // Nor do we see messages where tshark, which shows LLMNR elsewhere, sees none.
    const others = payloads.filter(({ srcPort, dstPort }) => srcPort !== LLMNR && dstPort !== LLMNR).map(({ frame }) => frame);
    expect(others.filter((frame) => told.get(frame) !== undefined && !expected.has(frame))).toEqual([]);
  });
});
