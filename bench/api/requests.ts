import { AppError } from '../../src/errors.js';
import type { Client } from './client.js';

interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly required: boolean;
}

interface Operation {
  readonly operationId: string;
  readonly parameters: readonly Parameter[];
}

/** One kind of request: the name of the endpoint, and the paths that it may be asked with. */
export interface RequestKind {
  readonly name: string;
  readonly paths: readonly string[];
}

/** An export is as long as the database; it is no request that many users have under way. */
const LEFT_OUT = ['export'];
const LIMITS = [10, 20, 50, 100];

/** A range of time for what is asked, as parameters of a request. */
export interface AskedRange {
  readonly since: string;
  readonly until: string;
}

async function read<T>(client: Client, path: string): Promise<T> {
  const { status, body } = await client.get(path);
  if (status !== 200) throw new AppError('BENCH_RUN_FAILED', `${path} answered ${status}: ${body.toString('utf8', 0, 200)}`);
  return JSON.parse(body.toString()) as T;
}

/** Requests for every endpoint that reads, about each of the ranges. */
export async function requestKinds(client: Client, ranges: readonly AskedRange[]): Promise<RequestKind[]> {
  const paths = new Map<string, Set<string>>();
  for (const range of ranges)
    for (const kind of await kindsAbout(client, range)) {
      const known = paths.get(kind.name) ?? new Set();
      for (const path of kind.paths) known.add(path);
      paths.set(kind.name, known);
    }
  return [...paths].map(([name, known]) => ({ name, paths: [...known] }));
}

/** Requests about a range, made from the OpenAPI document of the API and from what is in its database. */
async function kindsAbout(client: Client, { since, until }: AskedRange): Promise<RequestKind[]> {
  const document = await read<{ paths: Record<string, { get?: Operation }> }>(client, '/openapi.json');
  const range = `since=${since}&until=${until}`;
  const { flows } = await read<{ flows: { id: number; src_ip: string; server_name: string | null }[] }>(
    client,
    `/api/v1/flows?${range}&limit=50`,
  );
  const { devices } = await read<{ devices: { id: number }[] }>(client, '/api/v1/devices?limit=50');
  const names = flows.flatMap(({ server_name }) => server_name ?? []);
  const values: Readonly<Record<string, readonly string[]>> = {
    since: [since],
    until: [until],
    limit: LIMITS.map(String),
    device: flows.map(({ src_ip }) => src_ip),
    q: ['example', 'www', ...names.slice(0, 20)],
    ip: ['', ...flows.map(({ src_ip }) => src_ip)],
    name: ['', '', ...names],
  };
  const kinds: RequestKind[] = [];
  for (const [path, { get }] of Object.entries(document.paths)) {
    if (get === undefined || LEFT_OUT.includes(get.operationId)) continue;
    const ids = path.includes('/flows/') ? flows.map(({ id }) => id) : devices.map(({ id }) => id);
    if (path.includes('{id}') && ids.length === 0) continue;
    const paths = Array.from({ length: 50 }, (_, index) => {
      const query = get.parameters.flatMap(({ name, in: place, required }) => {
        const known = place === 'query' && (required || name !== 'device') ? values[name] : undefined;
        const value = known?.[(index * 7) % known.length];
        return value === undefined || value === '' ? [] : [`${name}=${encodeURIComponent(value)}`];
      });
      return `${path.replace('{id}', String(ids[index % ids.length]))}?${query.join('&')}`;
    });
    kinds.push({ name: get.operationId, paths: [...new Set(paths)] });
  }
  return kinds;
}
