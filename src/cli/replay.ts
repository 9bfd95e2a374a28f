import { basename } from 'node:path';
import type { Config } from '../config.js';
import { cpuNsByStage } from '../cpu-by-stage.js';
import { AppError } from '../errors.js';
import { LOG_LEVELS, type LogLevel } from '../messages.js';
import { type Log, Pipeline } from '../pipeline.js';
import { type Ledger, ledgerDifference, readLedger } from '../ring/ledger.js';
import { withProfile } from '../store/budget/profiles.js';
import { showProgress } from './progress.js';
import { newSession } from './session.js';
import { exitCodeOf, onStopSignal, type StopSignal } from './stop-signals.js';

const MEGA = 1e6;

/** A replay is watched by a person: lines for people on standard error, and only what is wrong unless more is asked for. */
function logToTerminal(level: LogLevel): Log {
  const least = LOG_LEVELS.indexOf(level === 'info' ? 'warn' : level);
  return (lineLevel, message) => {
    if (LOG_LEVELS.indexOf(lineLevel) <= least) process.stderr.write(`flowberry: ${lineLevel}: ${message}\n`);
  };
}

/** What `replay` reports at its end. */
interface ReplayReport {
  readonly ledger: Ledger;
  readonly files: readonly string[];
  readonly database: string;
  readonly elapsedS: number;
  readonly cpuNs: Record<string, number> | null;
  readonly error: AppError | null;
}

function jsonOf({ ledger, files, database, elapsedS, cpuNs, error }: ReplayReport): object {
  const usage = process.resourceUsage();
  return {
    files,
    database,
    packets: {
      received: ledger.received,
      in_flows: ledger.inFlows,
      dropped: ledger.dropped,
      difference: ledgerDifference(ledger),
    },
    frames: { oversized: ledger.framesOversized, cut: ledger.framesCut },
    fragments: { joined: ledger.fragmentsJoined, unknown: ledger.fragmentsUnknown },
    flows: {
      created: ledger.flowsCreated,
      emitted: ledger.flowsEmitted,
      written: ledger.flowsWritten,
      evicted: ledger.flowsEvicted,
    },
    bytes: { ip: ledger.ipBytes, wire: ledger.wireBytes, wire_received: ledger.wireBytesReceived },
    elapsed_s: elapsedS,
    packets_per_s: Math.round(ledger.received / elapsedS),
    resources: {
      user_s: usage.userCPUTime / MEGA,
      system_s: usage.systemCPUTime / MEGA,
      rss_bytes_max: usage.maxRSS * 1024,
      cpu_ns: cpuNs,
    },
    error: error ? error.toData() : null,
  };
}

function linesOf({ ledger, database, elapsedS }: ReplayReport): string {
  const count = (value: number): string => value.toLocaleString('en-US');
  const rows: [string, string][] = [
    ['packets read', count(ledger.received)],
    ['packets in flows', count(ledger.inFlows)],
    ...Object.entries(ledger.dropped).map(([reason, value]): [string, string] => [`dropped: ${reason}`, count(value)]),
    ['flows written', count(ledger.flowsWritten)],
    ['flows evicted', count(ledger.flowsEvicted)],
    ['seconds', elapsedS.toFixed(3)],
    ['packets/s', count(Math.round(ledger.received / elapsedS))],
    ['database', database],
  ];
  const difference = ledgerDifference(ledger);
  if (difference !== 0) rows.push(['NOT ACCOUNTED FOR', count(difference)]);
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, value]) => `${name.padEnd(width)}  ${value}`).join('\n');
}

/**
 * `flowberry replay`: stores capture files in the database, and prints the ledger. Returns the exit code: 0, that of the error
 * that broke a file off, or that of the signal that stopped it; what was read before is stored in each case.
 */
export async function runReplay(files: readonly string[], given: Config, { json }: { readonly json: boolean }): Promise<number> {
  const startedMs = performance.now();
  const config = withProfile(given);
  const session = newSession('replay', files.map((file) => basename(file)).join(' '));
  const pipeline = new Pipeline({
    config,
    session,
    source: { type: 'file', paths: files },
    hasApi: false,
    log: logToTerminal(config.logLevel),
  });
  let stopped: StopSignal | null = null;
  const ignoreSignals = onStopSignal((signal) => {
    stopped = signal;
    pipeline.requestStop();
  });
  const stopProgress = json ? () => undefined : showProgress(pipeline.memory);
  try {
    await pipeline.start();
    const end = await pipeline.run();
    await pipeline.drain();
    stopProgress();
    const error = end.error ? AppError.fromData(end.error) : null;
    const elapsedS = (performance.now() - startedMs) / 1000;
    const cpuNs = cpuNsByStage(pipeline.memory);
    const report = { ledger: readLedger(pipeline.memory), files, database: config.dbPath, elapsedS, cpuNs, error };
    process.stdout.write(`${json ? JSON.stringify(jsonOf(report)) : linesOf(report)}\n`);
    if (error) throw error;
    return stopped ? exitCodeOf(stopped) : 0;
  } finally {
    stopProgress();
    await pipeline.close();
    ignoreSignals();
  }
}
