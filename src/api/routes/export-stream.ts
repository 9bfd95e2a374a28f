import { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { ApiContext } from '../context.js';
import { QueryRefused } from '../query/query-pool.js';
import type { ExportPage, ReaderAnswer, ReaderTask } from '../query/reader-task.js';
import { refuseAnswer } from '../refuse.js';
import { sendHead } from './send-head.js';

const TYPES: Readonly<Record<string, string>> = {
  ndjson: 'application/x-ndjson; charset=utf-8',
  csv: 'text/csv; charset=utf-8; header=present',
};
const NEWLINE = 0x0a;

interface Page {
  readonly head: ExportPage;
  readonly rows: Buffer;
}

/**
 * Streams an export page by page: the next page is asked for when the client has taken the one before, so that a slow client holds a
 * page in memory and nothing else; no reader thread and no transaction waits for it. A client that takes nothing for
 * `SERVER_LIMITS.idleMsMax` is cut. What fails underway ends the connection, so that nobody takes a part for the whole.
 */
export async function exportStream(
  { queries }: ApiContext,
  task: ReaderTask,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { format } = task.parameters as { format: string };
  reply.type(TYPES[format] as string);
  // Without a body there is nothing to read; the framework would read the whole stream and throw it away.
  if (request.method === 'HEAD') return sendHead(reply);
  if (!queries.beginExport()) return refuseAnswer(reply, { status: 503, detail: 'Not now: too many exports at once.' });
  const read = (cursor: string | null): Promise<ReaderAnswer> =>
    queries.runPlain({ ...task, parameters: cursor === null ? task.parameters : { ...task.parameters, cursor } });
  let isStreaming = false;
  try {
    const answer = await read(null);
    if (!answer.ok) return refuseAnswer(reply, answer);
    const first = pageOf(answer.body);
    const stream = Readable.from(pages(first, read), { objectMode: false });
    stream.once('close', () => queries.endExport());
    isStreaming = true;
    return reply
      .header('content-disposition', `attachment; filename="flows.${format}"`)
      .header('flowberry-complete', String(first.head.complete))
      .header('flowberry-lost-packets', String(first.head.lost_packets))
      .send(stream);
  } finally {
    if (!isStreaming) queries.endExport();
  }
}

async function* pages(first: Page, read: (cursor: string) => Promise<ReaderAnswer>): AsyncGenerator<Buffer> {
  let page = first;
  for (;;) {
    if (page.rows.length > 0) yield page.rows;
    if (page.head.next === null) return;
    const answer = await read(page.head.next);
    if (!answer.ok) throw new QueryRefused(answer.detail);
    page = pageOf(answer.body);
  }
}

function pageOf(body: Uint8Array): Page {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  const end = bytes.indexOf(NEWLINE);
  return { head: JSON.parse(bytes.toString('utf8', 0, end)) as ExportPage, rows: bytes.subarray(end + 1) };
}
