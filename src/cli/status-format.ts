import type { HealthBody } from '../api/schema.js';
import { bytesText as bytes } from './human.js';

/** Growth per second. */
export interface Rates {
  readonly packets_per_s: number;
  readonly wire_bytes_per_s: number;
  readonly flows_created_per_s: number;
  readonly flows_written_per_s: number;
}

const number = (value: number): string => value.toLocaleString('en-US');

/** Names may come from a capture file; what could steer a terminal is shown as a question mark. */
const printable = (text: string): string => text.replace(/\p{C}/gu, '?');

function duration(seconds: number): string {
  const s = Math.floor(seconds);
  const parts: (readonly [number, string])[] = [
    [Math.floor(s / 86_400), 'd'],
    [Math.floor(s / 3600) % 24, 'h'],
    [Math.floor(s / 60) % 60, 'min'],
    [s % 60, 's'],
  ];
  const first = parts.findIndex(([value]) => value > 0);
  return first < 0
    ? '0 s'
    : parts
        .slice(first, first + 2)
        .map(([value, unit]) => `${value} ${unit}`)
        .join(' ');
}

function listOf(counts: Readonly<Record<string, number | undefined>>): string {
  const entries = Object.entries(counts).map(([name, count]) => [name, count ?? 0] as const);
  entries.sort((a, b) => b[1] - a[1]);
  return entries.map(([name, count]) => `${name} ${number(count)}`).join(', ') || 'none';
}

/** Lines up columns: the first one and text to the left, numbers to the right. */
function table(rows: readonly (readonly string[])[], isRight: readonly boolean[]): string[] {
  const widths = isRight.map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
  return rows.map((row) => {
    const cells = row.map((cell, column) => {
      const width = widths[column] as number;
      return isRight[column] ? cell.padStart(width) : cell.padEnd(width);
    });
    return `  ${cells.join('  ')}`.trimEnd();
  });
}

function threadTable(body: HealthBody): string[] {
  const rows = body.threads.map((thread) => [
    printable(thread.kernel_name ?? thread.name),
    thread.state,
    thread.cpus ?? '-',
    thread.heartbeat_age_ms === null ? '-' : `${number(thread.heartbeat_age_ms)} ms`,
    number(thread.restarts),
    thread.task_id === null ? '-' : String(thread.task_id),
  ]);
  return table([['THREAD', 'STATE', 'CPUS', 'HEARTBEAT', 'RESTARTS', 'TASK'], ...rows], [false, false, false, true, true, true]);
}

/** The summary that `flowberry status` prints, ending in a newline. */
export function formatStatus(body: HealthBody, rates: Rates | null): string {
  const { ledger, capture, flows, writer } = body;
  const dropped = Object.values(ledger.dropped).reduce<number>((sum, count) => sum + (count ?? 0), 0);
  const balance = ledger.balanced ? 'balanced' : 'NOT BALANCED';
  const commit = writer.commit_mean_ms === null ? '' : `, ${writer.commit_mean_ms} ms each`;
  const lines = [
    `flowberry ${body.version}: ${body.status}, ${body.mode}, ${printable(body.source)}, up ${duration(body.uptime_s)}`,
    ...body.reasons.map((reason) => `  ${reason.severity}: ${reason.code}: ${printable(reason.message)}`),
    ...body.notes.map((note) => `  note: ${note.code}: ${printable(note.message)}`),
    '',
    `packets     ${number(ledger.received)} received (${bytes(capture.received_wire_bytes)}), ${number(ledger.in_flows)} in flows, ${number(dropped)} dropped, ${number(ledger.waiting)} waiting: ${balance}`,
    `dropped     ${listOf(ledger.dropped)}`,
    `kernel      ${number(capture.kernel_packets)} packets, ${number(capture.kernel_dropped_packets)} dropped`,
    `flows       ${number(flows.active)} of ${number(flows.active_max)} active, ${number(flows.created)} created, ${number(flows.emitted)} emitted, ${number(flows.written)} written, ${number(flows.waiting)} waiting, ${number(flows.evicted)} evicted`,
    `writer      ${number(writer.batches)} batches${commit}, ${number(writer.busy_retries)} busy, ${number(writer.errors)} errors`,
    `rings       ${body.rings.map((ring) => `${ring.name} ${ring.used_percent} %`).join(', ')}`,
    ...linkLines(body),
    `interfaces  ${body.interfaces.map(printable).join(', ') || 'none yet'}`,
    ...(rates ? [rateLine(rates)] : []),
    '',
    ...threadTable(body),
  ];
  return `${lines.join('\n')}\n`;
}

/** What the watched interfaces lost, and when they were away; nothing in a replay. */
function linkLines({ links, gaps }: HealthBody): string[] {
  if (links.length === 0) return [];
  const states = links.map(({ name, state, nic }) => {
    const lost = nic.rx_missed_errors + nic.rx_fifo_errors + nic.rx_over_errors;
    return `${printable(name)} ${state}, ${number(lost)} lost by the card`;
  });
  const last = gaps.last && `, the last of ${printable(gaps.last.interface)} (${gaps.last.reason})`;
  return [
    `links       ${states.join('; ')}`,
    `gaps        ${number(gaps.count)}, ${duration(gaps.total_ms / 1000)} in all${last ?? ''}`,
  ];
}

function rateLine(rates: Rates): string {
  return `now         ${number(rates.packets_per_s)} packets/s (${bytes(rates.wire_bytes_per_s)}/s), ${number(rates.flows_created_per_s)} new flows/s, ${number(rates.flows_written_per_s)} flows written/s`;
}
