/** Exit code of a process that a signal ended, by convention 128 and the signal's number. */
const SIGNAL_EXIT_CODES = { SIGINT: 130, SIGTERM: 143 } as const;

export type StopSignal = keyof typeof SIGNAL_EXIT_CODES;

/** Exit code that stands for a signal. */
export function exitCodeOf(signal: StopSignal): number {
  return SIGNAL_EXIT_CODES[signal];
}

/** Calls `stop` at the first SIGINT or SIGTERM; a second one exits at once. Returns a function that takes the handlers away. */
export function onStopSignal(stop: (signal: StopSignal) => void): () => void {
  let isStopping = false;
  const handle = (signal: StopSignal): void => {
    if (isStopping) process.exit(exitCodeOf(signal));
    isStopping = true;
    stop(signal);
  };
  const signals = Object.keys(SIGNAL_EXIT_CODES) as StopSignal[];
  for (const signal of signals) process.on(signal, handle);
  return () => {
    for (const signal of signals) process.off(signal, handle);
  };
}
