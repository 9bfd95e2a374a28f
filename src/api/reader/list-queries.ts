import { monotonicMs } from '../../ring/thread-block.js';
import { alertPage } from '../../store/reader/alerts.js';
import { Completeness } from '../../store/reader/analytics/completeness.js';
import type { Order } from '../../store/reader/cursor.js';
import { deviceOf, listDevices } from '../../store/reader/devices.js';
import { searchDns } from '../../store/reader/dns-search.js';
import { hostHistory } from '../../store/reader/host-history.js';
import { gapsOf, incompleteMinutes, ledgerOf, sessionsOf, wholeMinutes } from '../../store/reader/ledger.js';
import { liveRows } from '../../store/reader/live-rows.js';
import type { ReadingDatabase } from '../../store/reader/open-reader.js';
import { searchAll } from '../../store/reader/search.js';
import { hostPart } from '../host-part.js';
import { given } from './given.js';
import { NotFound, type Query, type QueryRange } from './query.js';
import { snakeCase } from './snake-case.js';

/** What every answer about a time begins with. */
export function rangeOf(db: ReadingDatabase, range: QueryRange) {
  const whole = wholeMinutes(range);
  const { complete, lostPackets } = new Completeness(db, whole).of(whole);
  return { from_us: range.fromUs, to_us: range.toUs, complete, lost_packets: lostPackets };
}

/** A time that ended longer ago says nothing of now; the answer can then be kept. At most what makes a time a closed one. */
const NOW_US_MAX = 60e6;

const listOf = (text: string | null): string[] => (text === null || text === '' ? [] : text.split(','));
/** Queries over lists: devices, DNS transactions, the ledger, runs. */
export const LIST_QUERIES: Readonly<Record<string, Query>> = {
  activeFlows: ({ activeFlows }, wanted) => {
    const { flows, openFlows } = activeFlows.read(wanted);
    return { open_flows: openFlows, flows };
  },

  devices: ({ db }, { limit, cursor, search }) => {
    const page = listDevices(db, { limit, ...given({ cursor, search }) });
    return { devices: page.rows, next_cursor: page.next };
  },

  device: ({ db }, { id }) => {
    const found = deviceOf(db, id);
    if (found === null) throw new NotFound('There is no device with this id.');
    return found;
  },

  dnsQueries: ({ db }, { limit, cursor, order, ip, net, device, name, code }, range) => {
    const filter = { sinceUs: range.fromUs, untilUs: range.toUs, ...given({ address: ip, net, device, name, code }) };
    const page = searchDns(db, filter, { limit, order: order as Order, ...given({ cursor }) });
    return {
      ...rangeOf(db, range),
      queries: page.rows.map((row) => ({ ...row, answers: listOf(row['answers'] as string | null) })),
      next_cursor: page.next,
      searched_to_us: page.searchedToUs,
    };
  },

  search: ({ db }, { q, limit }) => {
    const found = searchAll(db, q, limit);
    return { ...found, devices: found.devices.map((device) => ({ ...device, addresses: listOf(device.addresses) })) };
  },

  ledger: ({ db }, _parameters, asked) => {
    const range = wholeMinutes(asked);
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
    ...rangeOf(db, wholeMinutes(range)),
    minutes: incompleteMinutes(db, wholeMinutes(range), limit).map((minute) => ({ ...minute, has_gap: minute.has_gap !== 0 })),
    gaps: gapsOf(db, range, limit),
  }),

  system: ({ db, host }, { step_s }, range) => {
    const { points, ...history } = hostHistory(db, range, step_s);
    const isOver = range.toUs < Date.now() * 1000 - NOW_US_MAX;
    return { ...snakeCase(history), now: isOver ? null : hostPart(host.read(monotonicMs())), points };
  },

  alerts: ({ db }, { acknowledged, limit, cursor }) => {
    const page = alertPage(db, { limit, ...given({ isAcknowledged: acknowledged, cursor }) });
    return { alerts: page.rows, next_cursor: page.next };
  },

  /** For the live stream; no endpoint has it. */
  liveRows: ({ db }, { topic, after, limit }, { toUs }) => liveRows(db, topic, after, limit, toUs),

  sessions: ({ db }, { limit }, range) => ({
    sessions: sessionsOf(db, range, limit).map((row) => ({ ...row, clean: row.clean === null ? null : row.clean !== 0 })),
  }),
};
