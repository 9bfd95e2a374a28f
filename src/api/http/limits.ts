/** Limits of the HTTP server. What goes beyond them is refused or closed; nothing is queued without a bound. */
export const SERVER_LIMITS = {
  /** For one connection more, the one that has been without a request for longest is closed; the new one, if all have one. */
  connectionsMax: 256,
  /** Of one address of another machine; one more is closed at once. */
  connectionsPerAddressMax: 32,
  /** A client may be silent for so long within a request. */
  idleMsMax: 10_000,
  /** The headers must be complete within this time (408). */
  headersMsMax: 10_000,
  /** The whole request must be read within this time (408). */
  requestMsMax: 30_000,
  /** A connection without a request is closed after this time. */
  keepAliveMs: 30_000,
  /** How often Node looks for requests that are too slow. */
  checkIntervalMs: 2_000,
  /** A larger body is refused (413). */
  bodyBytesMax: 65_536,
  /** Request line and headers together; more is refused (431). */
  headerBytesMax: 16_384,
  /** A longer path with its query is refused (414). */
  urlCharactersMax: 4_096,
  /** Requests with a wrong token that one address may make within a second; at the limit all of them are refused (429). */
  tokenFailuresPerSecondMax: 10,
  /** Addresses whose failures and requests are counted; beyond it, the one that was counted first is forgotten. */
  addressesCountedMax: 4_096,
} as const;
