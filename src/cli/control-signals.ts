/** Signals by which an operator steers a running daemon. */
type ControlSignal = 'SIGHUP' | 'SIGUSR1';

/**
 * Calls the handler of a signal each time that it comes. Returns a function that takes the handlers away. (Node opens its debugger on
 * SIGUSR1 unless somebody listens for it.)
 */
export function onControlSignals(handlers: Readonly<Record<ControlSignal, () => void>>): () => void {
  const signals = Object.entries(handlers) as [ControlSignal, () => void][];
  for (const [signal, handle] of signals) process.on(signal, handle);
  return () => {
    for (const [signal, handle] of signals) process.off(signal, handle);
  };
}
