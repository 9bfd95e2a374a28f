import { deviceDetail } from '../../store/reader/analytics/device.js';
import { dns } from '../../store/reader/analytics/dns.js';
import { quality } from '../../store/reader/analytics/quality.js';
import { series } from '../../store/reader/analytics/series.js';
import { summary } from '../../store/reader/analytics/summary.js';
import { type TopOrder, top } from '../../store/reader/analytics/top.js';
import { given } from './given.js';
import { NotFound, type Query, type QueryParameters } from './query.js';
import { snakeCase } from './snake-case.js';

/** Members of a step of a series that tell of latency. */
const LATENCY_MEMBERS = ['rtt_count', 'rtt_mean_us', 'rtt_client_mean_us', 'p50_us', 'p95_us', 'retransmits', 'out_of_order'];
const POINT_MEMBERS = ['start_us', 'complete', 'lost_packets'];

type Shown = Record<string, unknown>;

const listOf = (order: string, limit: number, device: string | undefined) => ({
  order: order as TopOrder,
  limit,
  ...given({ device }),
});

const seriesOf = ({ step_s, direction, device, application }: QueryParameters) =>
  given({ stepS: step_s, direction, device, application });

/** Queries over rollups. */
export const TRAFFIC_QUERIES: Readonly<Record<string, Query>> = {
  summary: ({ db }, _parameters, range) => snakeCase(summary(db, range)),
  top: ({ db }, { subject, order, limit, device }, range) =>
    snakeCase(top(db, { ...range, subject, ...listOf(order, limit, device) })),
  names: ({ db }, { order, limit, device }, range) =>
    snakeCase(top(db, { ...range, subject: 'names', ...listOf(order, limit, device) })),
  applications: ({ db }, { order, limit, device }, range) =>
    snakeCase(top(db, { ...range, subject: 'applications', ...listOf(order, limit, device) })),
  series: ({ db }, parameters, range) => snakeCase(series(db, { ...range, ...seriesOf(parameters) })),
  latency: ({ db }, parameters, range) => {
    const answer = snakeCase(series(db, { ...range, ...seriesOf(parameters) })) as { points: Shown[] };
    const keep = new Set([...LATENCY_MEMBERS, ...POINT_MEMBERS]);
    const points = answer.points.map((point) => Object.fromEntries(Object.entries(point).filter(([name]) => keep.has(name))));
    return { ...answer, points };
  },
  quality: ({ db }, { limit }, range) => snakeCase(quality(db, { ...range, limit })),
  dns: ({ db }, { step_s, limit, device }, range) => snakeCase(dns(db, { ...range, limit, ...given({ stepS: step_s, device }) })),
  deviceDetail: ({ db }, { device = '', limit }, range) => {
    const answer = deviceDetail(db, { ...range, device, limit });
    if (answer === null) throw new NotFound('No device and no flow with this address is known.');
    return snakeCase(answer);
  },
};
