import { describe, expect, it, onTestFinished } from 'vitest';
import { onStopSignal, type StopSignal } from '../../src/cli/stop-signals.js';

/** Handlers in this process, with a clock of their own; tells what was done at each signal. */
function handled(): { signal: (name: StopSignal, nowMs: number) => void; done: (string | number)[] } {
  const done: (string | number)[] = [];
  let ms = 0;
  const ignore = onStopSignal((name) => done.push(name), { nowMs: () => ms, exit: (code) => done.push(code) });
  onTestFinished(ignore);
  const signal = (name: StopSignal, nowMs: number): void => {
    ms = nowMs;
    process.emit(name, name);
  };
  return { signal, done };
}

describe('signals to stop', () => {
  it('stop at the first, and end at once at one that comes later', () => {
    const { signal, done } = handled();
    signal('SIGTERM', 5_000);
    expect(done).toEqual(['SIGTERM']);
    signal('SIGINT', 6_000);
    expect(done).toEqual(['SIGTERM', 130]);
  });

  it('are one, when a terminal and npm both pass on a Ctrl-C', () => {
    const { signal, done } = handled();
    signal('SIGINT', 5_000);
    signal('SIGINT', 5_001);
    signal('SIGTERM', 5_999);
    expect(done).toEqual(['SIGINT']);
  });

  it('are nobody’s when the handlers are taken away', () => {
    const before = process.listenerCount('SIGINT');
    onStopSignal(() => undefined)();
    expect(process.listenerCount('SIGINT')).toBe(before);
  });
});
