import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Real captures with results that others computed, beside a checkout of this project; not part of it. */
const folder = fileURLToPath(new URL('../../../shared/pcaps/', import.meta.url));

/** Whether the folder is there; tests that need it are skipped otherwise. */
export const hasCaptures = existsSync(`${folder}expected`);

/** Names of the captures. */
export const captureNames: readonly string[] = hasCaptures ? readdirSync(folder).filter((name) => /\.pcap(ng)?$/.test(name)) : [];

export function capturePath(name: string): string {
  return folder + name;
}

/** Packets, IP bytes and wire bytes of both directions together. */
export type Sums = readonly [packets: number, ipBytes: number, wireBytes: number];

/** Lines of a file of comma-separated values as objects by column name. */
function readCsv(path: string): Record<string, string>[] {
  const [head = '', ...lines] = readFileSync(path, 'utf8').trim().split('\n');
  const names = head.split(',');
  return lines.map((line) => Object.fromEntries(line.split(',').map((value, column) => [names[column], value])));
}

/** The key under which both directions of a flow meet, whatever their order. */
export function pairKey(a: string, portA: number, b: string, portB: number, protocol: number): string {
  return `${[`${a} ${portA}`, `${b} ${portB}`].sort().join(' <-> ')} protocol ${protocol}`;
}

/** Expected sums by 5-tuple; `view` is `outer` or `inner`. */
export function expectedFlows(name: string, view: 'outer' | 'inner'): Map<string, Sums> {
  const flows = new Map<string, Sums>();
  for (const row of readCsv(`${folder}expected/${name}.flows.${view}.csv`)) {
    const number = (column: string): number => Number(row[column]);
    const key = pairKey(row['ip_a'] as string, number('port_a'), row['ip_b'] as string, number('port_b'), number('proto'));
    addSums(flows, key, [
      number('pkts_ab') + number('pkts_ba'),
      number('ip_ab') + number('ip_ba'),
      number('wire_ab') + number('wire_ba'),
    ]);
  }
  return flows;
}

/** Retransmissions and segments out of order that tshark marks. */
export function expectedTrouble(name: string): [retransmits: number, outOfOrder: number] {
  const rows = readCsv(`${folder}expected/${name}.flows.outer.csv`);
  const sum = (column: string): number => rows.reduce((total, row) => total + Number(row[column]), 0);
  return [sum('rtx'), sum('ooo')];
}

/** Adds to the sums of one flow. */
export function addSums(flows: Map<string, Sums>, key: string, sums: Sums): void {
  const [packets, ipBytes, wireBytes] = flows.get(key) ?? [0, 0, 0];
  flows.set(key, [packets + sums[0], ipBytes + sums[1], wireBytes + sums[2]]);
}

/** What `capinfos` counts as packets. */
export function expectedPackets(name: string): number {
  return (JSON.parse(readFileSync(`${folder}expected/${name}.summary.json`, 'utf8')) as { packets: number }).packets;
}

/** Lines of an expected file without its header, split at commas outside of quotes. */
function csvRows(path: string): string[][] {
  const [, ...lines] = readFileSync(path, 'utf8').trimEnd().split(/\r?\n/);
  return lines.map((line) => [...line.matchAll(/(?:^|,)(?:"([^"]*)"|([^,]*))/g)].map((match) => match[1] ?? match[2] ?? ''));
}

/** Server names that tshark shows: `src port dst port` of the client's packet, and the name in lower case. */
export function expectedSni(name: string): { readonly key: string; readonly server: string }[] {
  return csvRows(capturePath(`expected/${name}.sni.csv`)).map((row) => {
    const [, src4, src6, tcpSrc, udpSrc, dst4, dst6, tcpDst, udpDst, server] = row as string[];
    return {
      key: `${src4 || src6} ${tcpSrc || udpSrc} ${dst4 || dst6} ${tcpDst || udpDst}`,
      server: (server as string).toLowerCase(),
    };
  });
}

/** A DNS message as tshark shows it: names in lower case, of the answers the addresses and aliases. */
export interface ExpectedDns {
  readonly frame: string;
  readonly isResponse: boolean;
  readonly questions: readonly string[];
  readonly answers: readonly string[];
}

export function expectedDns(name: string): ExpectedDns[] {
  const split = (text = ''): string[] =>
    text
      .toLowerCase()
      .split(',')
      .filter((part) => part !== '' && part !== '<root>');
  return csvRows(capturePath(`expected/${name}.dns.csv`)).map(([frame = '', response, questions, , a, aaaa, cname]) => {
    const answers = [a, aaaa, cname].flatMap(split);
    return { frame, isResponse: response === '1' || response === 'True', questions: split(questions), answers };
  });
}
