import { machineLine } from '../machine.js';
import { inputLine } from '../report-text.js';
import { type LiveReport, type LiveResult, ledgerDifferenceOf, type SoakResult } from './live-result.js';

const MB = 1e6;

const whole = (value: number | null): string => (value === null ? '-' : Math.round(value).toLocaleString('en-US'));

const HEAD = ['program', 'sent/s', 'sent', 'received', 'kernel drops', 'own drops', 'lost', 'CPU µs/packet', 'cores', 'RSS MB'];

function cells(result: LiveResult): string[] {
  return [
    result.program,
    whole(result.sent_per_s),
    whole(result.sent),
    whole(result.received),
    whole(result.kernel_dropped),
    whole(result.own_dropped),
    whole(result.lost),
    result.cpu_us_per_packet.toFixed(2),
    result.cores_used.toFixed(3),
    (result.rss_bytes_max / MB).toFixed(1),
  ];
}

function table(rows: readonly string[][]): string[] {
  const widths = HEAD.map((_, column) => Math.max(...rows.map((row) => (row[column] as string).length)));
  return rows.map((row) => {
    const padded = row.map((cell, column) =>
      column === 0 ? cell.padEnd(widths[0] as number) : cell.padStart(widths[column] ?? 0),
    );
    return `  ${padded.join('  ')}`;
  });
}

/** What only flowberry tells: its stages, and whether kernel, ledger and database agree. */
function flowberryLines(result: LiveResult): string[] {
  const { stage_cpu_us_per_packet: stages, ledger, rows } = result;
  if (ledger === null) return [];
  const parts = Object.entries(stages ?? {}).map(([stage, us]) => `${stage} ${us.toFixed(2)}`);
  const difference = ledgerDifferenceOf(ledger);
  const what =
    difference === 0
      ? ''
      : ` (${Object.entries(ledger)
          .map(([name, count]) => `${name} ${count}`)
          .join(', ')})`;
  return [
    `  ${result.program}: CPU µs/packet ${parts.join(', ')}; ${whole(rows)} rows; kernel, ledger and database differ by ${difference}${what}`,
  ];
}

function rateLines(results: readonly LiveResult[]): string[] {
  const rates = [...new Set(results.map(({ rate }) => rate))];
  return rates.flatMap((rate) => {
    const ofRate = results.filter((result) => result.rate === rate);
    const load = ofRate.map(({ load_average }) => load_average.toFixed(1)).join(', ');
    return [
      '',
      `${rate === 'top' ? 'top speed' : `${whole(rate)} packets/s`} (load of the machine before each run: ${load})`,
      ...table([HEAD, ...ofRate.map(cells)]),
      ...ofRate.flatMap(flowberryLines),
    ];
  });
}

function losslessLines(lossless: LiveReport['lossless_per_s']): string[] {
  const entries = Object.entries(lossless);
  if (entries.length === 0) return [];
  return [
    '',
    'highest rate without loss:',
    ...entries.map(([name, rate]) => `  ${name}: ${rate === null ? 'none' : whole(rate)}`),
  ];
}

function soakLines(soak: SoakResult): string[] {
  const mb = (bytes: number): string => (bytes / MB).toFixed(1);
  return [
    '',
    `${soak.program} for ${soak.minutes} minutes, ${whole(soak.sent_per_s)} packets/s, ${soak.samples} samples`,
    `  packets              ${whole(soak.sent)} sent, ${whole(soak.stored)} stored, ${whole(soak.lost)} lost`,
    `  CPU                  ${(soak.cores_used * 100).toFixed(1)} % of a core`,
    `  RSS                  ${mb(soak.rss_bytes_min)} to ${mb(soak.rss_bytes_max)} MB, slope ${soak.rss_mb_per_min.toFixed(3)} MB/min`,
    `  descriptors          ${soak.descriptors_min} to ${soak.descriptors_max}`,
    `  write-ahead log      at most ${mb(soak.wal_bytes_max)} MB`,
    `  written to disk      ${mb(soak.disk_bytes_written)} MB, ${soak.disk_mb_per_min.toFixed(2)} MB/min`,
    `  /health              ${soak.health_answers} answers, p99 ${soak.health_ms_p99.toFixed(1)} ms, longest ${soak.health_ms_max.toFixed(1)} ms, ${soak.health_failures} failed`,
    ...(soak.ledger ? [`  kernel, ledger and database differ by ${ledgerDifferenceOf(soak.ledger)}`] : []),
  ];
}

/** A report for people. */
export function liveReportText(report: LiveReport): string {
  const commands = new Map(report.results.map(({ program, command, work }) => [program, { command, work }]));
  const lines = [
    `flowberry ${report.version}${report.commit ? ` (${report.commit})` : ''}, ${report.started}`,
    `machine  ${machineLine(report.machine)}`,
    inputLine(report.input),
    `sender   ${report.sender === 'own' ? 'sendmmsg on a packet socket, 128 frames a call' : report.sender}, again and again`,
    ...[...commands].flatMap(([program, { command, work }]) => ['', `${program}: ${work}`, `  $ ${command}`]),
    ...rateLines(report.results),
    ...losslessLines(report.lossless_per_s),
    ...(report.soak ? soakLines(report.soak) : []),
    ...report.skipped.flatMap((skipped) => ['', `${skipped.case}: skipped, ${skipped.reason}`]),
  ];
  return `${lines.join('\n')}\n`;
}
