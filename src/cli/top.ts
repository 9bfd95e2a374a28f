import { AppError } from '../errors.js';
import type { Range } from '../store/reader/analytics/answer.js';
import {
  TOP_ORDERS,
  TOP_SUBJECTS,
  type TopInput,
  type TopOrder,
  type TopRow,
  type TopSubject,
  top,
} from '../store/reader/analytics/top.js';
import { flatRow, snakeCased } from './answer-json.js';
import { bytesText, spanText, timeText } from './human.js';
import type { Flags } from './options.js';
import type { PeopleColumn } from './people-table.js';
import { printRows, withDatabase } from './print-page.js';
import { numberOf } from './time-range.js';

/** What a row without a key stands for. */
const NO_KEY: Readonly<Record<TopSubject, string>> = {
  devices: '(no local address)',
  names: '(no name)',
  applications: '(unknown)',
  peers: '(no peer)',
};

function titleOf(row: TopRow, subject: TopSubject): string {
  if (row.key === null) return NO_KEY[subject];
  if (row.isRest) return '(the rest)';
  return row.device?.name ?? row.device?.vendor ?? row.key;
}

function columnsOf(subject: TopSubject): readonly PeopleColumn<TopRow>[] {
  return [
    { title: subject.slice(0, -1), text: (row) => titleOf(row, subject), widthMin: 20 },
    ...(subject === 'devices' ? [{ title: 'address', text: (row: TopRow) => row.key ?? '', widthMin: 15, spare: 1 }] : []),
    { title: 'sent', text: (row) => bytesText(row.bytesOut), isRight: true },
    { title: 'received', text: (row) => bytesText(row.bytesIn), isRight: true },
    { title: 'packets', text: (row) => String(row.packetsOut + row.packetsIn), isRight: true, spare: 2 },
    { title: 'flows', text: (row) => String(row.flows), isRight: true },
    { title: 'round trip', text: (row) => (row.rttMeanUs === null ? '' : spanText(row.rttMeanUs)), isRight: true, spare: 3 },
    { title: 'sent again', text: (row) => String(row.retransmits), isRight: true, spare: 4 },
    { title: 'failed', text: (row) => String(row.tcpRejected + row.tcpUnanswered), isRight: true, spare: 5 },
  ];
}

/** What the argument and the flags of `top` ask for. Throws `USAGE`. */
export function topInputOf(subject: string, flags: Flags, range: Range): TopInput {
  if (!(TOP_SUBJECTS as readonly string[]).includes(subject))
    throw new AppError('USAGE', `top ${subject}: it lists ${TOP_SUBJECTS.join(', ')}`);
  const { by, device } = flags;
  if (by !== undefined && !(TOP_ORDERS as readonly (string | boolean)[]).includes(by))
    throw new AppError('USAGE', `--by ${by}: it is one of ${TOP_ORDERS.join(', ')}`);
  const limit = numberOf(flags, 'limit');
  return {
    ...range,
    subject: subject as TopSubject,
    ...(by !== undefined && { order: by as TopOrder }),
    ...(limit !== undefined && { limit }),
    ...(typeof device === 'string' && { device }),
  };
}

/** `flowberry top`: devices, names, applications or peers with the most traffic. Throws `AppError`. */
export function runTop(path: string, input: TopInput, format: 'table' | 'json' | 'csv'): Promise<number> {
  return withDatabase(path, async (db) => {
    const { rows, ...facts } = top(db, input);
    await printRows(format, {
      list: 'rows',
      rows: rows.map((row) => (format === 'table' ? row : format === 'csv' ? flatRow(row) : snakeCased(row)) as TopRow),
      facts: snakeCased(facts) as Record<string, unknown>,
      columns: columnsOf(input.subject),
      note: noteOf(facts),
    });
    return 0;
  });
}

/** What people are told of an answer beside its rows. */
export function noteOf(
  answer: Range & { readonly reachesUs: number | null; readonly complete: boolean; readonly lostPackets: number },
): string {
  const { fromUs, toUs, reachesUs, complete, lostPackets } = answer;
  const until =
    reachesUs === null ? 'nothing is added up yet' : `flows that had ended by ${timeText(Math.min(reachesUs, toUs))} are in it`;
  const lost = lostPackets > 0 ? `${lostPackets} packets were lost` : 'nothing could be captured for a part of it';
  return `${timeText(fromUs)} to ${timeText(toUs)}; ${until}${complete ? '' : `; incomplete: ${lost}`}`;
}
