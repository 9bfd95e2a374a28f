import { SERVER_NAME, writeServerNumber } from './name.js';
import { serverAddress4, writeServerAddress6 } from './network-header.js';

const HEADER_BYTES = 12;
const TYPE_A = 1;
const TYPE_AAAA = 28;

/** The name of a server as DNS writes it (RFC 1035 section 3.1), with type and class behind; the name's first label is at 1. */
const QUESTION = Uint8Array.from([
  ...SERVER_NAME.split('.').flatMap((label) => [label.length, ...Buffer.from(label)]),
  0,
  0,
  0,
  0,
  1,
]);
const TYPE_OFFSET = QUESTION.length - 4;
const ANSWER_HEADER_BYTES = 12;

/** Length of the query for a server's address, or of the answer with one record. */
export function dnsBytes(ipVersion: number, isAnswer: boolean): number {
  const query = HEADER_BYTES + QUESTION.length;
  return isAnswer ? query + ANSWER_HEADER_BYTES + (ipVersion === 6 ? 16 : 4) : query;
}

/** Writes a query for the address of `server`, or its answer, at `offset` (RFC 1035 section 4). */
export function writeDnsMessage(
  view: DataView,
  offset: number,
  ipVersion: number,
  isAnswer: boolean,
  identifier: number,
  server: number,
): void {
  view.setUint16(offset, identifier);
  view.setUint16(offset + 2, isAnswer ? 0x8180 : 0x0100);
  view.setUint16(offset + 4, 1);
  view.setUint16(offset + 6, isAnswer ? 1 : 0);
  view.setUint32(offset + 8, 0);
  const question = offset + HEADER_BYTES;
  for (let index = 0; index < QUESTION.length; index++) view.setUint8(question + index, QUESTION[index] as number);
  writeServerNumber(view, question + 1, server);
  const type = ipVersion === 6 ? TYPE_AAAA : TYPE_A;
  view.setUint16(question + TYPE_OFFSET, type);
  if (!isAnswer) return;
  const answer = question + QUESTION.length;
  // A pointer to the name in the question.
  view.setUint16(answer, 0xc000 | HEADER_BYTES);
  view.setUint16(answer + 2, type);
  view.setUint16(answer + 4, 1);
  view.setUint32(answer + 6, 300);
  const address = answer + ANSWER_HEADER_BYTES;
  view.setUint16(address - 2, ipVersion === 6 ? 16 : 4);
  if (ipVersion === 6) writeServerAddress6(view, address, server);
  else view.setUint32(address, serverAddress4(server));
}
