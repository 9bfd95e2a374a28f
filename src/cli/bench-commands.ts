import type { Command } from 'commander';
import type { BenchFlags } from '../../bench/options.js';
import { command, type Runner } from './command.js';

/** What `flowberry bench` can do. */
export function addBenchCommands(bench: Command, run: Runner): void {
  bench
    .enablePositionalOptions()
    .option('--packets <count>', 'packets of the generated capture')
    .option('--flows <count>', 'flows of the generated capture')
    .option('--file <file>', 'capture file instead of a generated one')
    .option('--runs <count>', 'runs of each case')
    .option('--only <case>', 'run one case')
    .option('--smoke', 'tiny values, to see that all cases work')
    .option('--peers', 'also time softflowd, nfpcapd, ndpiReader and tcpdump on the same file')
    .option('--json', 'print one JSON object')
    .option('--save <file>', 'save the result as a baseline')
    .option('--compare <file>', 'compare with a baseline; fails beyond 10 %')
    .option('--clean', 'delete generated captures')
    .action((flags: BenchFlags) => run(async () => (await import('./bench.js')).runBench(flags))());

  command(bench, 'live', 'Measure live capture in a network namespace of its own, at stepped rates; needs root.')
    .option('--rates <rates>', 'packets per second, such as 10k,100k,top (default 10k,50k,100k,200k,top)')
    .option('--seconds <seconds>', 'length of a run (default 10)')
    .option('--count <packets>', 'end a run after so many packets instead')
    .option('--packets <count>', 'packets of the generated capture, which is sent again and again')
    .option('--flows <count>', 'flows of the generated capture')
    .option('--file <file>', 'capture file instead of a generated one')
    .option('--sender <name>', 'own, or tcpreplay where it is installed (default own)')
    .option('--only <programs>', 'run these programs only, separated by commas')
    .option('--soak <minutes>', 'one long run of flowberry instead: memory, descriptors, disk')
    .option('--rate <rate>', 'packets per second of a soak (default 5k)')
    .option('--json', 'print one JSON object')
    .action((flags: BenchFlags) => run(async () => (await import('./bench-live.js')).runBenchLive(flags))());

  command(bench, 'api', 'Measure the API: many users ask for everything that it has, and /health is watched meanwhile.')
    .option('--users <count>', 'users at the same time (default 50)')
    .option('--requests <count>', 'requests of each user (default 100)')
    .option('--pause <ms>', 'how long a user waits between requests on average (default 0)')
    .option('--url <url>', 'a daemon that runs, such as http://127.0.0.1:8417, instead of an API of the bench')
    .option('--token-file <file>', 'file with the token of that daemon')
    .option('--db <file>', 'database for the API of the bench instead of a generated one')
    .option('--rate <rate>', 'a daemon of the bench that captures so many packets/s meanwhile, such as 50k; needs root')
    .option('--history <flows>', 'flows that it has stored already: the history of bench query (default 10000000)')
    .option('--flood <rate>', 'packets/s while only /health is watched (default top)')
    .option('--seconds <seconds>', 'length of that (default 10)')
    .option('--packets <count>', 'packets of the generated capture')
    .option('--flows <count>', 'flows of the generated capture')
    .option('--json', 'print one JSON object')
    .action((flags: BenchFlags) => run(async () => (await import('./bench-api.js')).runBenchApi(flags))());

  command(bench, 'stream', 'Measure the live stream with clients that never read; needs root.')
    .option('--clients <count>', 'clients of the stream (default 100)')
    .option('--deaf <count>', 'those of them that never read (default half of them)')
    .option('--seconds <seconds>', 'how long they listen (default 600)')
    .option('--messages <count>', 'messages per second for each (default 200)')
    .option('--packets <count>', 'packets of the generated capture, which is sent again and again')
    .option('--flows <count>', 'flows of the generated capture')
    .option('--json', 'print one JSON object')
    .action((flags: BenchFlags) => run(async () => (await import('./bench-stream.js')).runBenchStream(flags))());

  command(bench, 'store', 'Measure the store: speed, bytes written per flow, readers beside the writer.')
    .option('--flows <count>', 'flows of each case (default 100000)')
    .option('--only <case>', 'run these cases only, separated by commas')
    .option('--smoke', 'tiny values, to see that all cases work')
    .option('--json', 'print one JSON object')
    .action((flags: BenchFlags) => run(async () => (await import('./bench-store.js')).runBenchStore(flags))());

  command(bench, 'query', 'Measure queries on a made-up history of 30 days, which is kept for the next time.')
    .option('--flows <count>', 'flows of that history (default 1000000)')
    .option('--runs <count>', 'runs of each query (default 50)')
    .option('--only <case>', 'run these cases only, separated by commas')
    .option('--clean', 'delete such histories')
    .option('--json', 'print one JSON object')
    .action((flags: BenchFlags) => run(async () => (await import('./bench-query.js')).runBenchQuery(flags))());
}
