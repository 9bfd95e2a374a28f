import type { MessagePort } from 'node:worker_threads';
import { type Endpoint, expose, wrap } from 'comlink';
import { AppError } from './errors.js';
import type { Outcome } from './messages.js';

/**
 * Comlink over a Node message port. A Node port is an `EventTarget` as well, so Comlink's adapter for Node is not needed;
 * only the two type declarations do not know each other.
 */
const endpointOf = (port: MessagePort): Endpoint => port as unknown as Endpoint;

/**
 * Lets the other side of `port` call the methods of `controls`. The port keeps the thread's event loop alive; close it to
 * let the thread end. Methods answer with an `Outcome`: what they throw arrives without its code.
 */
export function exposeControl(port: MessagePort, controls: object): void {
  expose(controls, endpointOf(port));
}

/**
 * What the other side of `port` exposes; `T` has methods only, each answering with a promise. Keep the result for as long as
 * calls may be made: Comlink closes the port when it is collected. A call to a thread that has died never settles, so wrap
 * each one in `withDeadline`.
 */
export function connectControl<T extends object>(port: MessagePort): T {
  return wrap<T>(endpointOf(port)) as unknown as T;
}

/** Ends this thread with `error`, which is a defect: main replaces the thread. The answer never comes. */
export function dieOf(error: unknown): Promise<never> {
  queueMicrotask(() => {
    throw error;
  });
  return new Promise<never>(() => {});
}

/** What went wrong in operation goes back as data; a defect ends the thread, and main decides what then. */
export async function outcomeOf<T>(work: () => T | Promise<T>): Promise<Outcome<T>> {
  try {
    return { ok: true, value: await work() };
  } catch (error) {
    if (error instanceof AppError) return { ok: false, error: error.toData() };
    return dieOf(error);
  }
}

/**
 * `call`, or an `AppError` with code `THREAD_DEADLINE` that names `what`, once `deadlineMs` have passed. What the call answers
 * later is ignored, its failure included.
 */
export async function withDeadline<T>(call: Promise<T>, deadlineMs: number, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new AppError('THREAD_DEADLINE', `${what} got no answer within ${deadlineMs} ms`)),
      deadlineMs,
    );
  });
  try {
    return await Promise.race([call, deadline]);
  } finally {
    clearTimeout(timer);
  }
}

/** Value of a control call, or its failure as an `AppError`. */
export function unwrap<T>(outcome: Outcome<T>): T {
  if (!outcome.ok) throw AppError.fromData(outcome.error);
  return outcome.value;
}
