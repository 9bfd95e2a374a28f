import type { Database } from 'better-sqlite3';
import { ALERT_VIEW } from './alerts/alert-tables.js';
import { COMPLETENESS_VIEW } from './completeness-view.js';
import { DEVICE_VIEW } from './device-view.js';
import { DNS_VIEW } from './dns-view.js';
import { FLOW_VIEW } from './flow-view.js';
import { MIGRATIONS } from './migrations.js';
import { ROLLUP_VIEWS } from './rollup/rollup-views.js';

/** `PRAGMA application_id` of a flowberry database: "FLBR". */
export const APPLICATION_ID = 0x464c4252;

/** `PRAGMA user_version` that this flowberry writes and reads. */
export const SCHEMA_VERSION = MIGRATIONS.length;

/**
 * Brings the database to the present schema, each step in a transaction of its own. `nowUs` is the wall clock, µs since 1970.
 * The caller has made sure that the file is ours and not newer.
 */
export function migrate(db: Database, nowUs: number): void {
  const version = db.pragma('user_version', { simple: true }) as number;
  for (const migration of MIGRATIONS.filter((step) => step.version > version)) {
    db.transaction(() => {
      db.exec(migration.sql);
      const note = db.prepare('INSERT INTO meta VALUES (?, ?)');
      note.run(`schema_${migration.version}_us`, String(nowUs));
      if (migration.version === 1) {
        note.run('created_us', String(nowUs));
        note.run('page_size', String(db.pragma('page_size', { simple: true })));
        db.pragma(`application_id = ${APPLICATION_ID}`);
      }
      db.pragma(`user_version = ${migration.version}`);
    }).immediate();
  }
  renewViews(db);
}

/** The views by name. Plain `sqlite3` reads them: they use no function of ours, and none of SQLite's that is younger than 2020. */
const VIEWS: readonly (readonly [name: string, sql: string])[] = [
  ['flow_view', FLOW_VIEW],
  ['dns_view', DNS_VIEW],
  ['device_view', DEVICE_VIEW],
  ['completeness_view', COMPLETENESS_VIEW],
  ['alert_view', ALERT_VIEW],
  ...ROLLUP_VIEWS,
];

/**
 * Views hold no data, so they need no migration: one whose text differs from ours is made anew. That keeps the names of end
 * reasons, applications and the like in step with the code.
 */
function renewViews(db: Database): void {
  const find = db.prepare<[string], string>(`SELECT sql FROM sqlite_schema WHERE type = 'view' AND name = ?`).pluck();
  const differing = VIEWS.filter(([name, sql]) => find.get(name) !== sql);
  if (differing.length === 0) return;
  db.transaction(() => {
    for (const [name, sql] of differing) {
      db.exec(`DROP VIEW IF EXISTS ${name}`);
      db.exec(sql);
    }
  }).immediate();
}
