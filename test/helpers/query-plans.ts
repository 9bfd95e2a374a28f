import type { Database } from 'better-sqlite3';
import { statementTexts } from '../../src/store/reader/statement.js';

/** Tables that grow with the traffic: reading one from end to end takes as long as its history is. */
const LARGE = [
  'flows',
  'dns',
  'lookup',
  'lookup_blocks',
  'flow_trouble',
  'flow_tunnels',
  'flow_tls',
  'flow_http',
  'addresses',
  'texts',
];

/** Statements, among all that readers have made on this connection, that read a large table from end to end, with that part of their plan. */
export function plansThatScan(db: Database, large: readonly string[] = LARGE): string[] {
  const scan = new RegExp(`^SCAN (${large.join('|')})\\b`);
  return statementTexts(db).flatMap((sql) => {
    const places = sql.match(/\?/g)?.length ?? 0;
    const plan = db.prepare<unknown[], { detail: string }>(`EXPLAIN QUERY PLAN ${sql}`).all(...new Array(places).fill(1));
    return plan.filter(({ detail }) => scan.test(detail)).map(({ detail }) => `${detail}: ${sql}`);
  });
}
