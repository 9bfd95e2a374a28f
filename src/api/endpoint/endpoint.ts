import type { z } from 'zod';

/** One operation of the API: all that the server, the readers, the OpenAPI document and the tests need to know of it. */
export interface Endpoint {
  /** Name of the operation and of its query; each has its own. */
  readonly name: string;
  readonly method: 'GET' | 'PATCH';
  /** As OpenAPI has it: `/api/v1/flows/{id}`. */
  readonly path: string;
  readonly summary: string;
  /** Those in the path as well. */
  readonly parameters: z.ZodObject;
  /** What is to be sent, for those that change something. */
  readonly body?: z.ZodObject;
  /** What a good answer has. */
  readonly answer: z.ZodType;
  /**
   * Who answers: a reader thread with the query of that name, the API thread by itself, or page by page, as a stream. All but what the
   * API thread answers counts as a request for data.
   */
  readonly by: 'reader' | 'server' | 'stream';
  /** Media types of a good answer; JSON where there are none. */
  readonly types?: readonly string[];
  /** How long an answer may be shown again, ms, while its time is not over. */
  readonly freshMs: number;
}

/** Names of the parameters that stand in the path. */
export function pathNames({ path }: Pick<Endpoint, 'path'>): string[] {
  return [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1] as string);
}
