/** Why requests and connections were turned away. */
export const REFUSALS = [
  'host',
  'origin',
  'token',
  'token_rate',
  'rate',
  'queries',
  'connections',
  'address_connections',
] as const;

/** What the HTTP server counts, for `/metrics`. Only the API thread touches it. */
export class HttpCounts {
  readonly refused: Record<(typeof REFUSALS)[number], number> = {
    host: 0,
    origin: 0,
    token: 0,
    token_rate: 0,
    rate: 0,
    queries: 0,
    connections: 0,
    address_connections: 0,
  };
  /** Answers by the first digit of their status, 1 to 5. */
  readonly answers = [0, 0, 0, 0, 0, 0];
  connectionsOpen = 0;
  connectionsAccepted = 0;
  /** Connections without a request that gave way to others. */
  connectionsEvicted = 0;
  sentBytes = 0;
}
