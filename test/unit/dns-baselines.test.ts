import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { DeviceSightings } from '../../src/parse/app/device-sightings.js';
import { DnsReader } from '../../src/parse/app/dns-reader.js';
import { Decoder } from '../../src/parse/decode.js';
import { Drop } from '../../src/ring/drop-reason.js';
import { Packet } from '../../src/wire/packet.js';
import { capturePath, hasCaptures } from '../helpers/captures.js';
import { type DnsRow, DnsRows } from '../helpers/dns-rows.js';
import { viewOf } from '../helpers/frame-bytes.js';
import { readCapture } from '../helpers/read-capture.js';

const UDP = 17;
const MDNS = '5353';

/** The rows of a capture's UDP packets. */
async function rowsOf(capture: string): Promise<DnsRow[]> {
  const { frames } = await readCapture([capturePath(capture)]);
  const decoder = new Decoder(true, null);
  const packet = new Packet();
  const sink = new DnsRows();
  const reader = new DnsReader(sink, new DeviceSightings({ emit: () => {} }));
  for (const { hex, wireBytes, linkType, timestamp } of frames) {
    const view = viewOf(Uint8Array.from(Buffer.from(hex, 'hex')));
    const drop = decoder.decode(view, 0, view.byteLength, wireBytes, linkType, 0, packet);
    if (drop !== Drop.None || packet.protocol !== UDP) continue;
    const start = packet.transportOffset + packet.transportBytes - packet.payloadBytes;
    reader.readUdp(view, start, packet.transportEnd, packet, Number(timestamp / 1000n), 0, 0, 0);
  }
  reader.flush();
  return sink.take();
}

/** What Zeek logs of a query and its answer, as text: who asked for what, and what came. */
function loggedBy(capture: string): string[] {
  const lines = readFileSync(capturePath(`baselines/${capture}.zeek.dns.log`), 'utf8')
    .trim()
    .split('\n');
  const names = (lines.find((line) => line.startsWith('#fields')) as string).split('\t').slice(1);
  const rows = lines
    .filter((line) => !line.startsWith('#'))
    .map((line) => line.split('\t'))
    .map(
      (values) =>
        (name: string): string =>
          (values[names.indexOf(name)] as string).replace(/^-$/, ''),
    );
  const seen = new Set<string>();
  return rows.flatMap((value) => {
    const isMdns = value('id.orig_p') === MDNS;
    // A query that is repeated is a row of its own there, and part of the same transaction here.
    const key = ['id.orig_h', 'id.orig_p', 'trans_id', 'query', 'qtype'].map(value).join();
    if (!isMdns && value('rcode') === '' && seen.has(key)) return [];
    seen.add(key);
    const query = value('query').toLowerCase();
    // Answers of mDNS come from the server there, and are apart from queries here.
    if (isMdns) return [`mdns ${query}`];
    const latency = value('rtt') === '' ? '' : Math.round(Number(value('rtt')) * 1e6);
    return [
      `${value('id.orig_h')} ${value('id.orig_p')} ${query} ${value('qtype')} ${value('rcode')} ${latency} ${value('answers')}`,
    ];
  });
}

function told({ transport, client, name, type, code, latencyUs, answers }: DnsRow): string {
  if (transport === 'mdns') return `mdns ${name}`;
  // Zeek gives a time only where there are answers.
  const latency = answers.length === 0 ? '' : latencyUs;
  const texts = answers.map((text) => text.replace(/^\d+:/, ''));
  return `${client} ${name} ${type} ${code < 0 ? '' : code} ${latency} ${texts.join()}`;
}

describe.skipIf(!hasCaptures)('DNS transactions of captures', () => {
  it.each(['zeek__wikipedia.pcap', 'zeek__tunnels-gre-sample.pcap'])('are those that Zeek logs: %s', async (capture) => {
    const rows = await rowsOf(capture);
    expect(rows.map(told).sort()).toEqual(loggedBy(capture).sort());
    expect(rows.filter(({ code, latencyUs, transport }) => transport === 'udp' && code >= 0 && latencyUs < 0)).toEqual([]);
  });
});
