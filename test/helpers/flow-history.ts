import { Application } from '../../src/ring/application.js';
import { EndReason } from '../../src/ring/layout.js';
import type { Writer } from '../../src/store/writer.js';
import { type FlowSpec, flow, NOW_MS, WriterRig } from './flow-records.js';

/** Start of the histories that tests make. */
export const HISTORY_US = NOW_MS * 1000;
/** From one flow of a history to the next. */
export const STEP_US = 10_000;

export const CLIENTS = [
  '192.168.1.10',
  '192.168.1.11',
  '10.1.2.3',
  'fd00::1:10',
  '2001:db8:7::42',
  '2001:db8:1:2:3:4:5:6',
  '223.255.255.254',
];
export const SERVERS = Array.from({ length: 400 }, (_, i) =>
  i % 4 === 0
    ? `2001:db8:${(i % 9).toString(16)}:${i.toString(16)}::${(i + 1).toString(16)}`
    : `${(i % 3) * 90 + 9}.${i & 7}.0.${i % 250}`,
);
export const NAMES = Array.from({ length: 300 }, (_, i) => `h${i}.d${i % 20}.${i % 3 === 0 ? 'example.com' : 'example.net'}`);

/** A number from 0 to below 1 that looks like chance and is always the same for the same `seed`. */
function chance(seed: number): number {
  let x = Math.imul(seed + 1, 0x9e3779b1);
  x = Math.imul(x ^ (x >>> 15), 0x85ebca6b);
  return ((x ^ (x >>> 13)) >>> 0) / 2 ** 32;
}

/** Low numbers far more often than high ones, as with servers and names. */
function skewed(seed: number, count: number): number {
  return Math.floor(count * chance(seed) ** 3);
}

/** The flow number `index` of a history: what it is depends on nothing else. */
export function historyFlow(index: number): FlowSpec {
  const emittedUs = HISTORY_US + index * STEP_US;
  const endUs = emittedUs - Math.floor(chance(index * 7) * 60e6);
  const kind = chance(index * 11);
  const src = CLIENTS[skewed(index * 13, CLIENTS.length)] as string;
  const other = SERVERS[skewed(index * 17, SERVERS.length)] as string;
  const dst = src.includes(':') === other.includes(':') ? other : src.includes(':') ? 'fd00::1' : '192.168.1.1';
  const isIcmp = kind > 0.97;
  const isTls = kind < 0.5;
  return flow({
    src,
    dst,
    srcPort: isIcmp ? 0 : 40_000 + Math.floor(chance(index * 19) * 20_000),
    dstPort: isIcmp ? 0 : isTls ? 443 : kind < 0.9 ? 53 : 1000 + skewed(index * 23, 50_000),
    protocol: isIcmp ? (src.includes(':') ? 58 : 1) : isTls ? 6 : kind > 0.95 ? 47 : 17,
    icmp: isIcmp ? 0x0800 : 0,
    application: isTls ? Application.Tls : kind < 0.9 ? Application.Dns : Application.None,
    ...(isTls && { details: { sni: NAMES[skewed(index * 29, NAMES.length)] as string } }),
    endReason: index % 9 === 0 ? EndReason.Active : EndReason.Idle,
    interfaceIndex: index % 31 === 0 ? 1 : 0,
    vlanId: index % 101 === 0 ? 42 : 0,
    ipBytes: [60, Math.floor(120 + 1e6 * chance(index * 31) ** 6)],
    startUs: endUs - Math.floor(chance(index * 37) * 30e6),
    endUs,
    emittedUs,
  });
}

export function historyRig(path?: string): WriterRig {
  return new WriterRig({ interfaces: ['eth0', 'wlan0'], ...(path !== undefined && { path }) });
}

/** Writes the flows from number `first` to before `end`, every `step`th. */
export function writeHistory(rig: WriterRig, writer: Writer, first: number, end: number, step = 1): void {
  for (let index = first; index < end; index += step) {
    rig.emit(historyFlow(index));
    if (index % 200 === 0) writeAll(writer);
  }
  writeAll(writer);
}

/** Writes what waits, without a chore. */
export function writeAll(writer: Writer): void {
  while (writer.step(NOW_MS, true));
}

/** Lets the chores do all that there is to do. */
export function doChores(writer: Writer, nowMs = NOW_MS): void {
  while (writer.step(nowMs, false));
}
