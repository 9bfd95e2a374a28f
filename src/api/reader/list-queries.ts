import { alertPage } from '../../store/reader/alerts.js';
import { Completeness } from '../../store/reader/analytics/completeness.js';
import { type DeviceRow, deviceById, devicePage } from '../../store/reader/devices.js';
import { dnsPage } from '../../store/reader/dns.js';
import { gapsOf, incompleteMinutes, ledgerOf, sessionsOf } from '../../store/reader/ledger.js';
import { liveRows } from '../../store/reader/live-rows.js';
import type { ReadingDatabase } from '../../store/reader/open-reader.js';
import { searchAll } from '../../store/reader/search.js';
import { readCursor, writeCursor } from './number-cursor.js';
import { NotFound, type Query, type QueryRange } from './query.js';

/** What every answer about a time begins with. */
export function rangeOf(db: ReadingDatabase, range: QueryRange) {
  const { complete, lostPackets } = new Completeness(db, range).of(range);
  return { from_us: range.fromUs, to_us: range.toUs, complete, lost_packets: lostPackets };
}

const listOf = (text: string | null): string[] => (text === null || text === '' ? [] : text.split(','));
const shownDevice = (row: DeviceRow) => ({ ...row, addresses: listOf(row.addresses) });

/** Queries over lists: devices, DNS transactions, the ledger, runs. */
export const LIST_QUERIES: Readonly<Record<string, Query>> = {
  activeFlows: ({ activeFlows }, wanted) => {
    const { flows, openFlows } = activeFlows.read(wanted);
    return { open_flows: openFlows, flows };
  },

  devices: ({ db }, { limit, cursor }, { fromUs }) => {
    const [lastSeenUs, id] = cursor === undefined ? [] : readCursor(cursor, 2);
    const rows = devicePage(db, fromUs, limit, lastSeenUs === undefined || id === undefined ? null : { lastSeenUs, id });
    const last = rows.at(-1);
    const next = rows.length === limit && last ? writeCursor(last.last_seen_us, last.id) : null;
    return { devices: rows.map(shownDevice), next_cursor: next };
  },

  device: ({ db }, { id }) => {
    const row = deviceById(db, id);
    if (row === undefined) throw new NotFound('There is no device with this id.');
    return shownDevice(row);
  },

  dnsQueries: ({ db }, { limit, cursor, client_ip, query, response_code }, range) => {
    const beforeId = cursor === undefined ? null : (readCursor(cursor, 1)[0] as number);
    const wanted = { ...range, limit, beforeId, clientIp: client_ip, query, responseCode: response_code };
    const { rows, nextBeforeId } = dnsPage(db, wanted);
    return {
      ...rangeOf(db, range),
      queries: rows.map((row) => ({ ...row, answers: listOf(row.answers) })),
      next_cursor: nextBeforeId === null ? null : writeCursor(nextBeforeId),
    };
  },

  search: ({ db }, { q, limit }) => {
    const found = searchAll(db, q, limit);
    return { ...found, devices: found.devices.map((device) => ({ ...device, addresses: listOf(device.addresses) })) };
  },

  ledger: ({ db }, _parameters, range) => {
    const { counts, drops } = ledgerOf(db, range);
    return {
      ...rangeOf(db, range),
      received_packets: counts.frames_received,
      in_flows_packets: counts.packets_in_flows,
      dropped_packets: counts.packets_dropped,
      difference_packets: counts.frames_received - counts.packets_in_flows - counts.packets_dropped,
      dropped_by_reason: drops,
      kernel_packets: counts.kernel_packets,
      kernel_dropped_packets: counts.kernel_dropped,
      emitted_flows: counts.flows_emitted,
      written_flows: counts.flows_written,
      written_packets: counts.packets_written,
      written_ip_bytes: counts.ip_bytes_written,
      written_wire_bytes: counts.wire_bytes_written,
    };
  },

  completeness: ({ db }, { limit }, range) => ({
    ...rangeOf(db, range),
    minutes: incompleteMinutes(db, range, limit).map((minute) => ({ ...minute, has_gap: minute.has_gap !== 0 })),
    gaps: gapsOf(db, range, limit),
  }),

  alerts: ({ db }, { acknowledged, limit, cursor }) => {
    const [lastUs, id] = cursor === undefined ? [] : readCursor(cursor, 2);
    const rows = alertPage(db, acknowledged, limit, lastUs === undefined || id === undefined ? null : { lastUs, id });
    const last = rows.at(-1);
    return { alerts: rows, next_cursor: rows.length === limit && last ? writeCursor(last.last_us, last.id) : null };
  },

  /** For the live stream; no endpoint has it. */
  liveRows: ({ db }, { topic, after, limit }) => liveRows(db, topic, after, limit),

  sessions: ({ db }, { limit }, range) => ({
    sessions: sessionsOf(db, range, limit).map((row) => ({ ...row, clean: row.clean === null ? null : row.clean !== 0 })),
  }),
};
