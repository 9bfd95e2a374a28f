import type { AddressInfo } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { AppError } from '../errors.js';

/** Where a server listens: the address as the kernel gives it and the port, which is never 0. */
export interface Listening {
  readonly address: string;
  readonly port: number;
}

/**
 * Lets `server` listen; port 0 takes a free one. Throws `AppError` with code `API_PORT_IN_USE` or `API_LISTEN_FAILED`.
 */
export async function listenOn(server: FastifyInstance, address: string, port: number): Promise<Listening> {
  try {
    await server.listen({ host: address, port });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'EADDRINUSE') {
      throw new AppError('API_PORT_IN_USE', `port ${port} on ${address} is in use by another process`, { cause: error });
    }
    throw new AppError('API_LISTEN_FAILED', `cannot listen on ${address}, port ${port}: ${message}`, { cause: error });
  }
  const bound = server.server.address() as AddressInfo;
  return { address: bound.address, port: bound.port };
}
