import { defaultInterface } from '../capture/interfaces.js';
import type { Config } from '../config.js';
import { AppError } from '../errors.js';
import type { SourceSpec } from '../messages.js';
import { Pipeline } from '../pipeline.js';
import { ledgerDifference, readLedger } from '../ring/ledger.js';
import { Supervisor } from '../service/supervisor.js';
import { createLog } from './log.js';
import { newSession } from './session.js';
import { onStopSignal } from './stop-signals.js';

const STDOUT_FD = 1;
/** How long a stop may take before the process ends without it. */
const STOP_DEADLINE_MS = 10_000;
/** Nobody else may read or write what the daemon makes; its group may read what has no stricter mode of its own. */
const UMASK = 0o027;

/** `auto` is settled here if it can be, so that log and session have the name; the capture waits for it otherwise. */
function interfacesOf(config: Config): string[] {
  if (config.captureInterface !== 'auto') return config.captureInterface.split(',');
  try {
    return [defaultInterface()];
  } catch (error) {
    if (config.captureWaitForInterface) return ['auto'];
    throw error;
  }
}

function sourceOf(config: Config): SourceSpec & { readonly interfaces: readonly string[] } {
  const backend = config.captureBackend === 'auto' ? (process.platform === 'linux' ? 'afpacket' : 'cap') : config.captureBackend;
  return { type: backend, interfaces: interfacesOf(config) };
}

/** `flowberry run`: captures until SIGTERM or SIGINT, then stores everything and ends. Returns the exit code. */
export async function runDaemon(config: Config): Promise<number> {
  process.umask(UMASK);
  const log = createLog(config.logLevel, STDOUT_FD);
  const source = sourceOf(config);
  const session = newSession('live', source.interfaces.join(','));
  const pipeline = new Pipeline({ config, session, source, hasApi: true, log });
  const supervisor = new Supervisor(pipeline.memory, config, log);
  let deadline: NodeJS.Timeout | undefined;
  const ignoreSignals = onStopSignal((signal) => {
    log('info', `stopping on ${signal}`);
    supervisor.stopping();
    pipeline.requestStop();
    deadline = setTimeout(() => {
      const error = new AppError('STOP_DEADLINE', 'the stop took too long');
      log('fatal', error.message, { code: error.code });
      process.exit(error.exitCode);
    }, STOP_DEADLINE_MS);
  });
  try {
    const { api, journalMode, affinityNote } = await pipeline.start();
    log('info', 'capturing', {
      interface: session.source,
      backend: source.type,
      database: config.dbPath,
      journal_mode: journalMode,
      ...(affinityNote && { affinity: affinityNote }),
      ...(api && { health: `http://${api.address.includes(':') ? `[${api.address}]` : api.address}:${api.port}/health` }),
    });
    const end = await pipeline.run();
    await pipeline.drain();
    const ledger = readLedger(pipeline.memory);
    log('info', 'stopped', {
      packets_received: ledger.received,
      packets_in_flows: ledger.inFlows,
      packets_dropped: Object.values(ledger.dropped).reduce((sum, count) => sum + count, 0),
      kernel_dropped: ledger.kernelDropped,
      flows_written: ledger.flowsWritten,
      difference: ledgerDifference(ledger),
    });
    if (end.error) throw AppError.fromData(end.error);
    return 0;
  } finally {
    await pipeline.close();
    supervisor.close();
    clearTimeout(deadline);
    ignoreSignals();
  }
}
