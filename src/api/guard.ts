import { isIPv4 } from 'node:net';

/** Methods that the API answers; it only reads. */
export const METHODS_ALLOWED = 'GET, HEAD';

/** True for a method that only reads. */
export function isReading(method: string): boolean {
  return method === 'GET' || method === 'HEAD';
}

/**
 * True if a Host header names this machine's loopback: `localhost`, 127.0.0.0/8 or `[::1]`, with or without a port. A web page
 * that has its own name resolve to 127.0.0.1 (DNS rebinding) sends that name here and is refused; so is a request without the
 * header.
 */
export function isLoopbackHost(host: string | undefined): boolean {
  const name = /^(\[[0-9a-f:.]+\]|[^:]+)(:\d{1,5})?$/i.exec(host ?? '')?.[1]?.toLowerCase();
  if (name === undefined) return false;
  return name === 'localhost' || name === '[::1]' || (name.startsWith('127.') && isIPv4(name));
}
