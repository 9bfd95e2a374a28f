import { request } from 'node:http';

/**
 * Whether the API answers within `deadlineMs`. Any answer will do, a refusal too: what is asked is whether its thread serves. Never
 * rejects.
 */
export function doesApiAnswer(address: string, port: number, deadlineMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const signal = AbortSignal.timeout(deadlineMs);
    const call = request({ host: address, port, path: '/livez', agent: false, signal }, (response) => {
      response.resume();
      resolve(true);
    });
    call.on('error', () => resolve(false));
    call.end();
  });
}

/** Where to reach a server that listens on `address`: one that listens everywhere listens here as well. */
export function reachableAddress(address: string): string {
  if (address === '0.0.0.0') return '127.0.0.1';
  return address === '::' ? '::1' : address;
}
