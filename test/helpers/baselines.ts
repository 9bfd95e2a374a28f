import { readdirSync, readFileSync } from 'node:fs';
import { addressBytes } from '../../src/store/address-bytes.js';
import { capturePath, hasCaptures, pairKey } from './captures.js';

/** What another program says of one 5-tuple: both directions, and all rows that it has for it, added up. */
export interface BaselineFlow {
  packets: number;
  bytes: number;
  communityId: string | null;
  serverName: string | null;
  ja4: string | null;
}

/** What another program says of one capture. */
export interface Baseline {
  readonly capture: string;
  readonly program: 'Zeek' | 'arkime' | 'ipfixprobe';
  /** Which bytes it counts. */
  readonly counts: 'ipBytes' | 'wireBytes';
  /** By `flowKey`, of the innermost IP header. */
  readonly flows: ReadonlyMap<string, BaselineFlow>;
  /** By `flowKey`, of tunnels: their outermost IP header. */
  readonly tunnels: ReadonlyMap<string, BaselineFlow>;
}

/** The key of a 5-tuple, with addresses in one form whoever wrote them; protocols other than TCP, UDP and SCTP have no ports. */
export function flowKey(a: string, portA: number, b: string, portB: number, protocol: number): string {
  const hasPorts = protocol === 6 || protocol === 17 || protocol === 132;
  const canonical = (address: string): string => Buffer.from(addressBytes(address) ?? []).toString('hex');
  return pairKey(canonical(a), hasPorts ? portA : 0, canonical(b), hasPorts ? portB : 0, protocol);
}

interface Row extends BaselineFlow {
  readonly key: string;
}

function addUp(rows: readonly Row[]): Map<string, BaselineFlow> {
  const flows = new Map<string, BaselineFlow>();
  for (const { key, packets, bytes, communityId, serverName, ja4 } of rows) {
    const flow = flows.get(key) ?? { packets: 0, bytes: 0, communityId: null, serverName: null, ja4: null };
    flow.packets += packets;
    flow.bytes += bytes;
    flow.communityId ??= communityId;
    flow.serverName ??= serverName;
    flow.ja4 ??= ja4;
    flows.set(key, flow);
  }
  return flows;
}

/** Zeek's conn.log; a connection that others name as their parent is a tunnel. Null for a log from which the counts were taken out. */
function readZeek(text: string): Omit<Baseline, 'capture' | 'program'> | null {
  const names = /^#fields\t(.*)$/m.exec(text)?.[1]?.split('\t');
  if (!names) return null;
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  const rows = lines.map((line) => new Map(line.split('\t').map((value, column) => [names[column], value])));
  const parents = new Set(rows.flatMap((row) => row.get('tunnel_parents')?.split(',') ?? []));
  const flowOf = (row: (typeof rows)[number]): Row => {
    const text = (name: string): string => row.get(name) ?? '';
    const number = (name: string): number => Number(text(name));
    return {
      key: flowKey(text('id.orig_h'), number('id.orig_p'), text('id.resp_h'), number('id.resp_p'), number('ip_proto')),
      packets: number('orig_pkts') + number('resp_pkts'),
      bytes: number('orig_ip_bytes') + number('resp_ip_bytes'),
      communityId: null,
      serverName: null,
      ja4: null,
    };
  };
  const isTunnel = (row: (typeof rows)[number]): boolean => parents.has(row.get('uid') ?? '');
  return {
    counts: 'ipBytes',
    flows: addUp(rows.filter((row) => !isTunnel(row)).map(flowOf)),
    tunnels: addUp(rows.filter(isTunnel).map(flowOf)),
  };
}

/** One session of arkime, as far as it is compared. */
interface ArkimeSession {
  readonly ipProtocol: number;
  readonly source: { readonly ip?: string; readonly port?: number };
  readonly destination: { readonly ip?: string; readonly port?: number };
  readonly network: { readonly packets: number; readonly bytes: number; readonly community_id?: string };
  readonly protocol?: readonly string[];
  readonly http?: { readonly host?: readonly string[] };
  readonly tls?: { readonly ja4?: readonly string[] };
}

/** The sessions of arkime's own tests. Those without addresses are of protocols other than IP. */
function readArkime(text: string): Omit<Baseline, 'capture' | 'program'> {
  const { sessions3 } = JSON.parse(text) as { sessions3: readonly { readonly body: ArkimeSession }[] };
  const rows = sessions3.flatMap(({ body: { ipProtocol, source, destination, network, protocol, http, tls } }): Row[] => {
    if (source.ip === undefined || destination.ip === undefined) return [];
    // To arkime a server name is a host, as that of HTTP is.
    const isNamed = protocol?.some((name) => name === 'tls' || name === 'quic') === true;
    return [
      {
        key: flowKey(source.ip, source.port ?? 0, destination.ip, destination.port ?? 0, ipProtocol),
        packets: network.packets,
        bytes: network.bytes,
        communityId: network.community_id ?? null,
        serverName: (isNamed && http?.host?.[0]) || null,
        ja4: tls?.ja4?.[0] ?? null,
      },
    ];
  });
  return { counts: 'wireBytes', flows: addUp(rows), tunnels: new Map() };
}

/** ipfixprobe's rows, sorted, so that the line of names stands last. */
function readIpfixprobe(text: string): Omit<Baseline, 'capture' | 'program'> {
  const lines = text.trim().split('\n');
  const head = lines.find((line) => line.startsWith('ipaddr ')) ?? '';
  const names = head.split(',').map((column) => column.split(' ')[1] as string);
  const rows = lines
    .filter((line) => line !== head)
    .map((line): Row => {
      const cells = line.split(',');
      const text = (name: string): string => (cells[names.indexOf(name)] ?? '').replaceAll('"', '');
      const number = (name: string): number => Number(text(name));
      return {
        key: flowKey(text('DST_IP'), number('DST_PORT'), text('SRC_IP'), number('SRC_PORT'), number('PROTOCOL')),
        packets: number('PACKETS') + number('PACKETS_REV'),
        bytes: number('BYTES') + number('BYTES_REV'),
        communityId: null,
        serverName: text('TLS_SNI') || null,
        ja4: text('TLS_JA4') === '' ? null : withoutGrease(text('TLS_JA4'), text('TLS_EXT_TYPE')),
      };
    });
  return { counts: 'ipBytes', flows: addUp(rows), tunnels: new Map() };
}

/**
 * JA4 counts the extensions of the ClientHello without GREASE (RFC 8701); ipfixprobe counts those too, and lists the types, so they
 * can be taken off. `t13d1518h2_…` with two of them is `t13d1516h2_…`.
 */
function withoutGrease(ja4: string, types: string): string {
  const grease = (types.match(/\d+/g) ?? [])
    .map(Number)
    .filter((type) => (type & 0x0f0f) === 0x0a0a && type >> 8 === (type & 0xff));
  const count = Number(ja4.slice(6, 8)) - grease.length;
  return ja4.slice(0, 6) + String(count).padStart(2, '0') + ja4.slice(8);
}

/** Every baseline of packets and bytes that the folder holds. */
export function readBaselines(): Baseline[] {
  if (!hasCaptures) return [];
  return readdirSync(capturePath('baselines')).flatMap((name): Baseline[] => {
    const match = /^(.*\.pcap(?:ng)?)\.(zeek\.conn\.log|arkime\.json|ipfixprobe\.(?:basic|tls))$/.exec(name);
    if (!match) return [];
    const [, capture, kind] = match as unknown as [string, string, string];
    const text = readFileSync(capturePath(`baselines/${name}`), 'utf8');
    if (kind === 'arkime.json') return [{ capture, program: 'arkime', ...readArkime(text) }];
    if (kind.startsWith('ipfixprobe')) return [{ capture, program: 'ipfixprobe', ...readIpfixprobe(text) }];
    const zeek = readZeek(text);
    return zeek ? [{ capture, program: 'Zeek', ...zeek }] : [];
  });
}
