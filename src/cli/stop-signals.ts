/** Exit code of a process that a signal ended, by convention 128 and the signal's number. */
const SIGNAL_EXIT_CODES = { SIGINT: 130, SIGTERM: 143 } as const;

export type StopSignal = keyof typeof SIGNAL_EXIT_CODES;

/** Exit code that stands for a signal. */
export function exitCodeOf(signal: StopSignal): number {
  return SIGNAL_EXIT_CODES[signal];
}

/**
 * Signals that come so soon after the first are the same one: Ctrl-C goes to each process of the terminal, and npm hands on to its child
 * what it got itself.
 */
const SAME_SIGNAL_MS = 1_000;

/** What the handler goes by; tests have their own. */
interface Surroundings {
  readonly nowMs: () => number;
  readonly exit: (code: number) => void;
}

const PROCESS: Surroundings = { nowMs: () => performance.now(), exit: (code) => process.exit(code) };

/**
 * Calls `stop` at the first SIGINT or SIGTERM; one that comes a second later or more exits at once. Returns a function that takes the
 * handlers away.
 */
export function onStopSignal(stop: (signal: StopSignal) => void, { nowMs, exit }: Surroundings = PROCESS): () => void {
  let stoppingMs: number | null = null;
  const handle = (signal: StopSignal): void => {
    if (stoppingMs !== null) {
      if (nowMs() - stoppingMs >= SAME_SIGNAL_MS) exit(exitCodeOf(signal));
      return;
    }
    stoppingMs = nowMs();
    stop(signal);
  };
  const signals = Object.keys(SIGNAL_EXIT_CODES) as StopSignal[];
  for (const signal of signals) process.on(signal, handle);
  return () => {
    for (const signal of signals) process.off(signal, handle);
  };
}
