import type { Comparison } from './compare.js';
import { machineLine } from './machine.js';
import type { BenchReport, CaseResult, InputDescription, Metric } from './result.js';

const METRIC_WIDTH = 28;
const MEGA = 1e6;

/** A figure with as many digits as it deserves. */
function figure(value: number): string {
  const size = Math.abs(value);
  if (size >= 1000 || Number.isInteger(value)) return Math.round(value).toLocaleString('en-US');
  return value.toFixed(size >= 100 ? 1 : size >= 10 ? 2 : 3);
}

/** Bytes as people read them; everything else as it is. */
function figureOf(metric: Metric, value: number): string {
  return /(^|_)bytes(_|$)/.test(metric.name) ? `${(value / MEGA).toFixed(1)} MB` : figure(value);
}

function metricLine(metric: Metric): string {
  const value = (of: number): string => figureOf(metric, of);
  const isSpread = metric.samples > 1 && metric.min !== metric.max;
  const p99 = metric.p99 === undefined ? '' : `, p99 ${value(metric.p99)}`;
  const spread = isSpread ? `  (${value(metric.min)} to ${value(metric.max)}${p99}, ${metric.samples} samples)` : '';
  return `  ${metric.name.padEnd(METRIC_WIDTH)} ${value(metric.median)}${spread}`;
}

function valuesLine(result: CaseResult): string {
  return Object.entries(result.values)
    .map(([name, value]) => `${name} ${typeof value === 'number' ? value.toLocaleString('en-US') : value}`)
    .join(', ');
}

function caseLines(result: CaseResult): string[] {
  return [
    '',
    `${result.case}: ${valuesLine(result)}`,
    ...(result.command ? [`  $ ${result.command}`] : []),
    ...(result.notes ?? []).map((note) => `  ${note}`),
    ...result.metrics.map(metricLine),
    ...(result.result_hash ? [`  ${'result'.padEnd(METRIC_WIDTH)} ${result.result_hash}`] : []),
  ];
}

/** What was measured on, in one line. */
export function inputLine({ path, bytes, generated }: InputDescription): string {
  const size = `${(bytes / MEGA).toFixed(1)} MB, in the page cache`;
  if (generated === null) return `input    ${path}, ${size}`;
  const { packets, flows, seed, sha256 } = generated;
  const what = `${packets.toLocaleString('en-US')} packets, ${flows.toLocaleString('en-US')} flows, seed ${seed}`;
  return `input    generated: ${what}, ${size}, SHA-256 ${sha256}`;
}

/** Peers in one table, with how many times faster flowberry is. */
function peerLines(results: readonly CaseResult[]): string[] {
  const peers = results.flatMap((result) => {
    const ratio = result.metrics.find(({ name }) => name === 'wall_over_flowberry');
    return ratio ? [`  ${result.case.padEnd(METRIC_WIDTH)} takes ${ratio.median.toFixed(2)} times as long as flowberry`] : [];
  });
  return peers.length > 0 ? ['', 'peers, medians of wall time on the same file:', ...peers] : [];
}

/** A report for people. */
export function reportText(report: BenchReport): string {
  const lines = [
    `flowberry ${report.version}${report.commit ? ` (${report.commit})` : ''}, ${report.started}`,
    `machine  ${machineLine(report.machine)}`,
    ...(report.input ? [inputLine(report.input)] : []),
    ...report.results.flatMap(caseLines),
    ...peerLines(report.results),
    ...report.skipped.flatMap((skipped) => ['', `${skipped.case}: skipped, ${skipped.reason}`]),
  ];
  return `${lines.join('\n')}\n`;
}

/** A comparison for people: old, new, and how many times worse. */
export function comparisonText({ metrics, remarks }: Comparison): string {
  const rows = metrics.map(({ case: name, metric, old, new: now, worse, regressed }) => {
    const ratio = worse === null ? '-' : worse.toFixed(3);
    return [name, metric, figure(old), figure(now), ratio, regressed ? 'WORSE' : ''];
  });
  const table = [['case', 'median of', 'old', 'new', 'times worse', ''], ...rows];
  const widths = [0, 1, 2, 3, 4].map((column) => Math.max(...table.map((row) => (row[column] as string).length)));
  const lines = table.map((row) =>
    row
      .map((cell, column) => (column < 2 ? cell.padEnd(widths[column] as number) : cell.padStart(widths[column] ?? 0)))
      .join('  ')
      .trimEnd(),
  );
  return `\n${[...lines, ...remarks].join('\n')}\n`;
}
