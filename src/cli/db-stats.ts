import { type DatabaseStats, databaseStats } from '../store/budget/database-stats.js';

const DAY_S = 86_400;

/** `flowberry db stats`: prints what is in the database, and what was written to keep it, for people or as one JSON object. */
export async function runDbStats(
  path: string,
  cardTbw: number,
  options: { readonly json: boolean; readonly tables: boolean },
): Promise<number> {
  const stats = databaseStats(path, cardTbw, options.tables);
  process.stdout.write(options.json ? `${JSON.stringify(jsonOf(stats, cardTbw))}\n` : `${linesOf(stats, cardTbw).join('\n')}\n`);
  return 0;
}

function perFlow({ total }: DatabaseStats): number | null {
  return total.flows > 0 ? Math.round(total.processBytes / total.flows) : null;
}

function jsonOf(stats: DatabaseStats, cardTbw: number): object {
  const { total, tables } = stats;
  return {
    path: stats.path,
    schema_version: stats.schemaVersion,
    file_bytes: stats.fileBytes,
    wal_bytes: stats.walBytes,
    page_bytes: stats.pageBytes,
    free_bytes: stats.freeBytes,
    flows_written: stats.flowsWritten,
    flows_shed: stats.flowsShed,
    oldest_us: stats.oldestUs,
    newest_us: stats.newestUs,
    written: {
      process_bytes: total.processBytes,
      device_bytes: total.deviceBytes,
      flows: total.flows,
      seconds: total.seconds,
      bytes_per_flow: perFlow(stats),
      days: stats.days.map(({ dayUs, processBytes, deviceBytes, flows, seconds }) => ({
        day_us: dayUs,
        process_bytes: processBytes,
        device_bytes: deviceBytes,
        flows,
        seconds,
      })),
    },
    endurance: { card_tbw: cardTbw, years: stats.years },
    ...(tables && { tables }),
  };
}

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;
const count = (value: number): string => value.toLocaleString('en-US');
const time = (us: number): string => new Date(us / 1000).toISOString().slice(0, 19).replace('T', ' ');

function linesOf(stats: DatabaseStats, cardTbw: number): string[] {
  const { total } = stats;
  const rows: [string, string][] = [
    ['database', `${stats.path}, schema version ${stats.schemaVersion}`],
    [
      'file',
      `${megabytes(stats.fileBytes)}, ${megabytes(stats.freeBytes)} of it unused; write-ahead log ${megabytes(stats.walBytes)}`,
    ],
    ['pages', `${count(stats.pageBytes)} bytes`],
    ['flows written', count(stats.flowsWritten)],
    ['flows left out', count(stats.flowsShed)],
  ];
  if (stats.oldestUs !== null && stats.newestUs !== null)
    rows.push(['rows of flows', `${time(stats.oldestUs)} to ${time(stats.newestUs)} UTC`]);
  const each = perFlow(stats);
  rows.push(
    [
      'bytes written',
      each === null ? megabytes(total.processBytes) : `${megabytes(total.processBytes)}, ${count(each)} bytes a flow`,
    ],
    ['to the whole disk', megabytes(total.deviceBytes)],
  );
  if (total.seconds > 0)
    rows.push([
      'a day',
      `${megabytes((total.processBytes / total.seconds) * DAY_S)} at the mean rate of ${count(total.seconds)} s`,
    ]);
  rows.push([
    'a card lasts',
    stats.years === null
      ? 'not known before ten minutes'
      : `${stats.years.toFixed(1)} years at that rate, if it takes ${count(cardTbw)} TB`,
  ]);
  const width = Math.max(...rows.map(([name]) => name.length));
  const lines = rows.map(([name, value]) => `${name.padEnd(width)}  ${value}`);
  if (stats.days.length > 0) lines.push('', 'day         written      whole disk   flows');
  for (const { dayUs, processBytes, deviceBytes, flows } of stats.days)
    lines.push(
      `${time(dayUs).slice(0, 10)}  ${megabytes(processBytes).padEnd(11)}  ${megabytes(deviceBytes).padEnd(11)}  ${count(flows)}`,
    );
  if (stats.tables) {
    const nameWidth = Math.max(...stats.tables.map(({ name }) => name.length));
    lines.push(
      '',
      ...stats.tables.map(
        ({ name, bytes, rows: rowCount }) => `${name.padEnd(nameWidth)}  ${megabytes(bytes).padStart(10)}  ${count(rowCount)}`,
      ),
    );
  }
  return lines;
}
