import { APPLICATIONS } from '../../ring/application.js';
import { addressSql, nameSql, textSql } from '../view-sql.js';
import { CODE_LOCAL, DIRECTIONS, KINDS, type Kind, type KindName } from './kinds.js';
import { BUCKET_SQL, LEVEL_MINUTES, LEVEL_NAMES, MINUTE_US } from './levels.js';

const RESPONSE_CODE = `CASE code WHEN ${CODE_LOCAL} THEN 'local' ELSE code END AS response_code`;

/** Columns that show the keys of a kind. */
const KEYS: Readonly<Record<KindName, readonly string[]>> = {
  direction: [`${nameSql('direction', DIRECTIONS)} AS direction`],
  device: [`${addressSql('r.ip')} AS ip`],
  application: [`${nameSql('application', APPLICATIONS)} AS application`],
  device_application: [`${addressSql('r.ip')} AS ip`, `${nameSql('application', APPLICATIONS)} AS application`],
  device_name: [`${addressSql('r.ip')} AS ip`, `${textSql('r.name')} AS server_name`],
  name: [`${textSql('r.name')} AS server_name`],
  peer: [`${addressSql('r.ip')} AS ip`],
  dns: [`${addressSql('r.ip')} AS ip`, RESPONSE_CODE],
  dns_code: [RESPONSE_CODE],
};

/**
 * `traffic_minute_view`, `device_hour_view`, `dns_day_view` and so on: the rollups with the start of the bucket and texts for their keys.
 * One bucket and key may have several rows, which add up: `SELECT start_us, ip, sum(bytes_out) … GROUP BY start_us, ip`. A level has all
 * that the next finer one has folded into it, which the hour or day under way is not yet. Column names are only added to.
 */
export const ROLLUP_VIEWS: readonly (readonly [name: string, sql: string])[] = Object.values<Kind>(KINDS).flatMap((kind) =>
  LEVEL_NAMES.map((level, index) => {
    const name = `${kind.name === 'direction' ? 'traffic' : kind.name}_${level}_view`;
    const startUs = `${BUCKET_SQL} * ${(LEVEL_MINUTES[index] as number) * MINUTE_US} AS start_us`;
    const columns = [startUs, ...KEYS[kind.name], ...kind.measures];
    return [name, `CREATE VIEW ${name} AS SELECT\n  ${columns.join(',\n  ')}\nFROM rollup_${kind.name}_${level} r`] as const;
  }),
);
