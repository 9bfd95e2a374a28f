#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { addBenchCommands } from './cli/bench-commands.js';
import { command, type Runner } from './cli/command.js';
import {
  addDnsFilters,
  addFlowFilters,
  addPageFlags,
  DEVICE_FLAG,
  dnsFilterOf,
  flowFilterOf,
  formatOf,
  pageOf,
} from './cli/filter-options.js';
import {
  addConfigOptions,
  COMMAND_OPTIONS,
  configOf,
  configSourcesOf,
  type Flags,
  idleTimeoutOptions,
  livePathFor,
} from './cli/options.js';
import { addTimeFlags, answerFormatOf, rangeOf } from './cli/time-range.js';
import type { Config } from './config.js';
import { AppError } from './errors.js';

/** Exit code for a command line that commander refuses. */
const USAGE_EXIT_CODE = 64;

const version = (JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string }).version;
const program = new Command('flowberry')
  .description('Records network flows: packets in, years of flows in one SQLite file.')
  .version(version)
  // Flags belong to the command that they follow: sub-commands may have flags of the same names.
  .enablePositionalOptions()
  .exitOverride()
  .configureOutput({ outputError: () => undefined })
  .showHelpAfterError(false);

let exitCode = 0;
const run: Runner = (command) => async () => {
  exitCode = await command();
};

addConfigOptions(command(program, 'run', 'Capture from an interface until SIGTERM or SIGINT.'), COMMAND_OPTIONS.run)
  .option('--idle-timeout <seconds>', 'idle timeout of every kind of flow; 0 is never')
  .action((flags: Flags) =>
    run(async () => {
      const readConfig = (): Config => configOf(flags, idleTimeoutOptions(flags['idleTimeout']));
      return (await import('./cli/run.js')).runDaemon(readConfig(), undefined, { readConfig });
    })(),
  );

addConfigOptions(
  command(program, 'replay', 'Store capture files (pcap, pcapng, gzip; - is standard input).'),
  COMMAND_OPTIONS.replay,
)
  .argument('<file...>', 'capture files, read one after the other')
  .option('--idle-timeout <seconds>', 'idle timeout of every kind of flow; 0 is never')
  .option('--json', 'print one JSON object and nothing else')
  .action((files: string[], flags: Flags) =>
    run(async () => {
      const config = configOf(flags, idleTimeoutOptions(flags['idleTimeout']));
      return (await import('./cli/replay.js')).runReplay(files, config, { json: flags['json'] === true });
    })(),
  );

const configCommand = command(program, 'config', 'Look at the configuration.');
addConfigOptions(command(configCommand, 'print', 'Print every option with its value.'), COMMAND_OPTIONS.run).action(
  (flags: Flags) => run(async () => (await import('./cli/config.js')).printConfig(configSourcesOf(flags)))(),
);
addConfigOptions(
  command(configCommand, 'check', 'Print every option, and the memory that they take.'),
  COMMAND_OPTIONS.run,
).action((flags: Flags) => run(async () => (await import('./cli/config.js')).checkConfig(configSourcesOf(flags)))());

addConfigOptions(command(program, 'status', 'Show what a running daemon does.'), COMMAND_OPTIONS.status)
  .option('--watch', 'two samples one second apart, with rates')
  .option('--json', 'print what /health answers')
  .option('--budget', 'print what the options of --config and the environment take of memory, and whether it fits')
  .action((flags: Flags) =>
    run(async () => {
      const config = configOf(flags);
      if (flags['budget'] === true) return (await import('./cli/status-budget.js')).runStatusBudget(config);
      const { apiAddress, apiPort, apiTokenFile } = config;
      const { runStatus } = await import('./cli/status.js');
      const where = { address: apiAddress, port: apiPort, tokenFile: apiTokenFile };
      return runStatus({ ...where, json: flags['json'] === true, watch: flags['watch'] === true });
    })(),
  );

addConfigOptions(
  command(program, 'doctor', 'Tell what this machine lacks for unattended work, and the command that mends it.'),
  COMMAND_OPTIONS.run,
)
  .option('--json', 'print one JSON object')
  .action((flags: Flags) =>
    run(async () => (await import('./cli/doctor.js')).runDoctor(() => configOf(flags), { json: flags['json'] === true }))(),
  );

command(program, 'interfaces', 'List the interfaces that can be captured from.')
  .option('--json', 'print JSON')
  .action((flags: Flags) =>
    run(async () => (await import('./cli/interfaces.js')).runInterfaces({ json: flags['json'] === true }))(),
  );

const dbCommand = command(program, 'db', 'Look at a database.');
addConfigOptions(command(dbCommand, 'check', 'Check integrity and ledger.'), COMMAND_OPTIONS.dbCheck)
  .option('--json', 'print one JSON object')
  .action((flags: Flags) =>
    run(async () => (await import('./cli/db-check.js')).runDbCheck(livePathFor(flags), { json: flags['json'] === true }))(),
  );

addConfigOptions(command(dbCommand, 'stats', 'Show sizes, and what was written to disks.'), COMMAND_OPTIONS.dbStats)
  .option('--tables', 'also the room that each table takes; reads the whole file')
  .option('--json', 'print one JSON object')
  .action((flags: Flags) =>
    run(async () => {
      const { runDbStats } = await import('./cli/db-stats.js');
      return runDbStats(livePathFor(flags), configOf(flags).storeCardTbw, {
        json: flags['json'] === true,
        tables: flags['tables'] === true,
      });
    })(),
  );

addConfigOptions(
  command(dbCommand, 'query', 'Run one SQL statement that reads; flow_view has a column community_id here.'),
  COMMAND_OPTIONS.dbQuery,
)
  .argument('<sql>', 'the statement, in quotes')
  .option('--csv', 'print comma-separated values')
  .option('--json', 'print JSON, one object a line')
  .option('--limit <rows>', 'rows at most, 0 for all (default 10000)')
  .action((sql: string, flags: Flags) =>
    run(async () => {
      const { queryOptionsOf, runDbQuery } = await import('./cli/db-query.js');
      return runDbQuery(livePathFor(flags), sql, queryOptionsOf(flags));
    })(),
  );

addTimeFlags(
  addConfigOptions(
    command(program, 'top', 'List what has the most traffic: devices, names, applications or peers.'),
    COMMAND_OPTIONS.query,
  ),
)
  .argument('<subject>', 'devices, names, applications or peers')
  .option('--by <measure>', 'bytes (default), bytes_out, bytes_in, packets, flows, retransmits or tcp_failures')
  .option(...DEVICE_FLAG)
  .option('--limit <rows>', 'rows at most, up to 1000 (default 10)')
  .option('--json', 'print one JSON object')
  .option('--csv', 'print comma-separated values')
  .action((subject: string, flags: Flags) =>
    run(async () => {
      const { runTop, topInputOf } = await import('./cli/top.js');
      return runTop(livePathFor(flags), topInputOf(subject, flags, rangeOf(flags, Date.now() * 1000)), answerFormatOf(flags));
    })(),
  );

addTimeFlags(addConfigOptions(command(program, 'series', 'Show traffic, latency and loss over time.'), COMMAND_OPTIONS.query))
  .option('--step <seconds>', 'length of a step, a multiple of 60 (chosen if not given)')
  .option('--direction <direction>', 'outbound, inbound, internal or transit')
  .option(...DEVICE_FLAG)
  .option('--application <name>', 'such as tls, dns, ssh')
  .option('--json', 'print one JSON object')
  .option('--csv', 'print comma-separated values')
  .action((flags: Flags) =>
    run(async () => {
      const { runSeries, seriesInputOf } = await import('./cli/series.js');
      return runSeries(livePathFor(flags), seriesInputOf(flags, rangeOf(flags, Date.now() * 1000)), answerFormatOf(flags));
    })(),
  );

const queryCommand = (name: string, description: string): Command =>
  addConfigOptions(command(program, name, description), COMMAND_OPTIONS.query);

addPageFlags(addFlowFilters(queryCommand('flows', 'Search flows, the newest first.'))).action((flags: Flags) =>
  run(async () => {
    const filter = flowFilterOf(flags, Date.now() * 1000);
    return (await import('./cli/flows.js')).runFlows(livePathFor(flags), filter, pageOf(flags), formatOf(flags));
  })(),
);

addPageFlags(addDnsFilters(queryCommand('dns', 'Search DNS transactions, the newest first.'))).action((flags: Flags) =>
  run(async () => {
    const filter = dnsFilterOf(flags, Date.now() * 1000);
    return (await import('./cli/dns.js')).runDns(livePathFor(flags), filter, pageOf(flags), formatOf(flags));
  })(),
);

queryCommand('devices', 'List what was seen on the network, the one seen last first.')
  .option('--search <text>', 'part of a hardware address, vendor, name, note or IP address')
  .option('--limit <rows>', 'devices at most, up to 1000 (default 100)')
  .option('--cursor <cursor>', 'go on where an earlier answer ended')
  .option('--json', 'print one JSON object')
  .option('--csv', 'print comma-separated values')
  .action((flags: Flags) =>
    run(async () => {
      const { search } = flags;
      const input = { ...pageOf(flags), ...(typeof search === 'string' && { search }) };
      return (await import('./cli/devices.js')).runDevices(livePathFor(flags), input, formatOf(flags));
    })(),
  );

addFlowFilters(queryCommand('names', 'List the names of servers, with their flows and addresses.'))
  .option('--limit <rows>', 'names at most (default 100)')
  .option('--json', 'print one JSON object')
  .option('--csv', 'print comma-separated values')
  .action((flags: Flags) =>
    run(async () => {
      const filter = flowFilterOf(flags, Date.now() * 1000);
      const { limit } = pageOf(flags);
      const input = limit === undefined ? {} : { limit };
      return (await import('./cli/names.js')).runNames(livePathFor(flags), filter, input, formatOf(flags));
    })(),
  );

addFlowFilters(queryCommand('export', 'Print all flows that are asked for, the oldest first, with their Community ID.'), 'all')
  .option('--ndjson', 'one JSON object a line; so it is where nothing is said')
  .option('--csv', 'comma-separated values')
  .action((flags: Flags) =>
    run(async () => {
      const filter = flowFilterOf(flags, Date.now() * 1000, 'all');
      const { exportFormatOf, runExport } = await import('./cli/export.js');
      return runExport(livePathFor(flags), filter, exportFormatOf(flags));
    })(),
  );

addConfigOptions(
  command(dbCommand, 'prune', 'Delete what is older than the retention options say, and the oldest beyond the size limit.'),
  COMMAND_OPTIONS.dbPrune,
)
  .option('--older-than <days>', 'delete rows of every kind that are older, whatever the options say')
  .option('--json', 'print one JSON object')
  .action((flags: Flags) =>
    run(async () => {
      const { olderThanOf, runDbPrune } = await import('./cli/db-prune.js');
      return runDbPrune(configOf(flags), olderThanOf(flags['olderThan']), { json: flags['json'] === true });
    })(),
  );

addConfigOptions(
  command(dbCommand, 'compact', 'Make the file as small as its rows allow; nothing else may have it open.'),
  COMMAND_OPTIONS.dbCompact,
)
  .option('--json', 'print one JSON object')
  .action((flags: Flags) =>
    run(async () => (await import('./cli/db-compact.js')).runDbCompact(configOf(flags), { json: flags['json'] === true }))(),
  );

addConfigOptions(
  command(dbCommand, 'plan', 'Say how large the database will become, by the traffic that it has seen.'),
  COMMAND_OPTIONS.dbPlan,
)
  .option('--json', 'print one JSON object')
  .action((flags: Flags) =>
    run(async () => (await import('./cli/db-plan.js')).runDbPlan(configOf(flags), { json: flags['json'] === true }))(),
  );

addConfigOptions(
  command(
    dbCommand,
    'backup',
    'Back up the database, also of a running daemon: checked, packed, under its name only when whole.',
  ),
  COMMAND_OPTIONS.dbBackup,
)
  .option('--to <directory>', 'short for --backup-directory')
  .option('--json', 'print one JSON object')
  .action((flags: Flags) =>
    run(async () => {
      const to = flags['to'];
      const config = configOf(flags, typeof to === 'string' ? { 'backup.directory': to } : {});
      return (await import('./cli/db-backup.js')).runDbBackup(config, { json: flags['json'] === true });
    })(),
  );

addConfigOptions(
  command(dbCommand, 'save', 'Save a database that lies in memory (store.profile = ram) under db.path.'),
  COMMAND_OPTIONS.dbSave,
)
  .option('--json', 'print one JSON object')
  .action((flags: Flags) =>
    run(async () => (await import('./cli/db-save.js')).runDbSave(configOf(flags), { json: flags['json'] === true }))(),
  );

addConfigOptions(
  command(dbCommand, 'restore', 'Put a backup in the place of the database, which is kept beside it.'),
  COMMAND_OPTIONS.dbRestore,
)
  .argument('<file>', 'the backup, with its .json file beside it')
  .option('--json', 'print one JSON object')
  .action((file: string, flags: Flags) =>
    run(async () =>
      (await import('./cli/db-restore.js')).runDbRestore(file, configOf(flags).dbPath, { json: flags['json'] === true }),
    )(),
  );

addBenchCommands(command(program, 'bench', 'Measure flowberry on this machine.'), run);

program.addCommand(
  new Command('docs')
    .description('Print the tables of README.md.')
    .action(run(async () => (await import('./cli/docs-tables.js')).printTables())),
  { hidden: true },
);

/** One clear line: the code, what is at fault, what to do. */
function reportError(error: unknown): number {
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return 0;
    const message = error.message.replace(/^error: /, '').replaceAll('\n', ' ');
    process.stderr.write(`flowberry: USAGE: ${message} See flowberry --help.\n`);
    return USAGE_EXIT_CODE;
  }
  const appError = AppError.from(error);
  process.stderr.write(`flowberry: ${appError.line}\n`);
  return appError.exitCode;
}

/** A reader that has had enough, as `| head`, is no fault; a full disk is. */
let outputExitCode = 0;
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE' || outputExitCode !== 0) return;
  outputExitCode = reportError(new AppError('OUTPUT_NOT_WRITABLE', `standard output: ${error.message}`, { cause: error }));
  process.exitCode ||= outputExitCode;
});
// There is nowhere left to tell of it.
process.stderr.on('error', () => undefined);

try {
  await program.parseAsync();
} catch (error) {
  exitCode = reportError(error);
}
process.exitCode = exitCode || outputExitCode;
