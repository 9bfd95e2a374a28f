import { z } from 'zod';
import { PROBLEM_TYPE, problemSchema } from '../problem.js';
import { type Endpoint, pathNames } from './endpoint.js';

const JSON_TYPE = 'application/json';
/** Problems that any endpoint may answer with; the description is for people. */
const PROBLEMS = [
  [400, 'A parameter is unknown, there twice, or not valid; the detail names it.'],
  [401, 'The token of api.token-file is not shown.'],
  [403, 'A page of another origin asks.'],
  [404, 'There is no such thing.'],
  [414, 'The path with its query is too long.'],
  [421, 'The Host header names somebody else.'],
  [429, 'Too many requests, or wrong tokens; Retry-After says when to come again.'],
  [503, 'Too many queries at once, or the query took too long; Retry-After says when to come again.'],
] as const;

/** And those that take a body. */
const BODY_PROBLEMS = [
  [409, 'It cannot be changed; the detail says why.'],
  [413, 'The body is too large.'],
  [415, 'The body is not said to be application/json.'],
] as const;

type Json = Record<string, unknown>;

function schemaOf(schema: z.ZodType, io: 'input' | 'output'): Json {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any' }) as Json;
  return rest;
}

function parametersOf(endpoint: Endpoint): Json[] {
  const inPath = new Set(pathNames(endpoint));
  const { properties = {}, required = [] } = schemaOf(endpoint.parameters, 'input') as {
    properties?: Record<string, Json>;
    required?: string[];
  };
  return Object.entries(properties).map(([name, { description, ...schema }]) => ({
    name,
    in: inPath.has(name) ? 'path' : 'query',
    required: inPath.has(name) || required.includes(name),
    ...(description === undefined ? {} : { description }),
    schema,
  }));
}

function operationOf(endpoint: Endpoint): Json {
  const schema = schemaOf(endpoint.answer, 'output');
  const types = endpoint.types ?? [JSON_TYPE];
  const problem = { [PROBLEM_TYPE]: { schema: { $ref: '#/components/schemas/Problem' } } };
  return {
    operationId: endpoint.name,
    summary: endpoint.summary,
    parameters: parametersOf(endpoint),
    ...(endpoint.body && {
      requestBody: { required: true, content: { [JSON_TYPE]: { schema: schemaOf(endpoint.body, 'input') } } },
    }),
    responses: {
      ...(endpoint.body &&
        Object.fromEntries(BODY_PROBLEMS.map(([status, description]) => [status, { description, content: problem }]))),
      200: {
        description: 'The answer.',
        content: Object.fromEntries(
          types.map((type) => [type, type === 'text/csv' ? { schema: { type: 'string' } } : { schema }]),
        ),
      },
      ...(endpoint.by === 'reader' &&
        endpoint.method === 'GET' && { 304: { description: 'The answer is the one that If-None-Match names.' } }),
      ...Object.fromEntries(PROBLEMS.map(([status, description]) => [status, { description, content: problem }])),
    },
  };
}

/** The OpenAPI 3.1 document of the endpoints, made from the schemas by which they check and answer. */
export function openApiDocument(endpoints: readonly Endpoint[], version: string): Json {
  const paths: Record<string, Json> = {};
  for (const endpoint of endpoints) {
    paths[endpoint.path] = { ...paths[endpoint.path], [endpoint.method.toLowerCase()]: operationOf(endpoint) };
  }
  return {
    openapi: '3.1.1',
    info: {
      title: 'flowberry',
      version,
      description: 'Flows that flowberry has recorded. Times are UTC, in µs since 1970; units stand in the names.',
    },
    security: [{}, { token: [] }],
    paths,
    components: {
      schemas: { Problem: schemaOf(problemSchema, 'output') },
      securitySchemes: {
        token: { type: 'http', scheme: 'bearer', description: 'The token of api.token-file, where there is one.' },
      },
    },
  };
}
