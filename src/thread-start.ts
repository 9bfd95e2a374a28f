import { hurryThread, nameThread, pinThread, threadTaskId } from './affinity.js';
import type { LogEvent, LogLevel, ThreadEvent, ThreadStart } from './messages.js';
import { Thread, ThreadState } from './ring/layout.js';
import { Cell, type ThreadBlock } from './ring/thread-block.js';

/**
 * What every thread does first: pins and names itself, and says in its block that it is there. The threads of a replay are short
 * of time and of no interest to `top`: they have no names. `isUrgent`: of a live capture, this thread goes before others, since the
 * kernel's buffer runs over when it waits for a CPU.
 */
export function startThread(start: ThreadStart, block: ThreadBlock, name: string, isUrgent = false): void {
  if (start.session.mode === 'live') nameThread(name);
  if (isUrgent && start.session.mode === 'live') hurryThread();
  const failure = start.cpu === null ? null : pinThread(start.cpu);
  if (failure) logFrom(start, 'warn', `${name} floats: ${failure}`);
  block.words[Thread.TaskId] = threadTaskId();
  block.cells[Cell.Starts] = block.cell(Cell.Starts) + 1;
  // A predecessor may have died inside of such a call.
  block.cells[Cell.Blocked] = 0;
  block.state = ThreadState.Starting;
  block.beat();
  tell(start, { type: 'started' });
}

/** Sends one line for the log to main, which owns it. Never for each packet. */
export function logFrom(start: ThreadStart, level: LogLevel, message: string, fields?: LogEvent['fields']): void {
  tell(start, { type: 'log', level, message, ...(fields && { fields }) });
}

function tell(start: ThreadStart, event: ThreadEvent): void {
  start.events.postMessage(event);
}
