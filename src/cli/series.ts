import { AppError } from '../errors.js';
import type { Range } from '../store/reader/analytics/answer.js';
import { type SeriesInput, type SeriesPoint, series } from '../store/reader/analytics/series.js';
import { DIRECTION_NAMES, type DirectionName } from '../store/reader/analytics/summary.js';
import { flatRow, snakeCased } from './answer-json.js';
import { bytesText, spanText, timeText } from './human.js';
import type { Flags } from './options.js';
import type { PeopleColumn } from './people-table.js';
import { printRows, withDatabase } from './print-page.js';
import { numberOf } from './time-range.js';
import { noteOf } from './top.js';

/** Widest bar, characters. */
const BAR_MAX = 24;

function columnsOf(points: readonly SeriesPoint[], stepUs: number): readonly PeopleColumn<SeriesPoint>[] {
  const bytes = ({ bytesOut, bytesIn }: SeriesPoint): number => bytesOut + bytesIn;
  const most = Math.max(1, ...points.map(bytes));
  const rate = (value: number): string => `${bytesText(Math.round((value * 8e6) / stepUs)).replace('B', 'bit')}/s`;
  return [
    { title: 'from', text: ({ startUs }) => timeText(startUs) },
    { title: 'sent', text: ({ bytesOut }) => rate(bytesOut), isRight: true },
    { title: 'received', text: ({ bytesIn }) => rate(bytesIn), isRight: true },
    { title: '', text: (point) => '#'.repeat(Math.ceil((BAR_MAX * bytes(point)) / most)), spare: 6 },
    { title: 'flows', text: ({ flows }) => String(flows), isRight: true, spare: 3 },
    { title: 'round trip', text: ({ p50Us, rttMeanUs }) => spanOrNone(p50Us ?? rttMeanUs), isRight: true, spare: 2 },
    { title: '95 %', text: ({ p95Us }) => spanOrNone(p95Us), isRight: true, spare: 4 },
    { title: 'sent again', text: ({ retransmits }) => String(retransmits), isRight: true, spare: 5 },
    {
      title: '',
      text: ({ complete, lostPackets }) => (complete ? '' : `incomplete${lostPackets > 0 ? `, ${lostPackets} lost` : ''}`),
    },
  ];
}

function spanOrNone(us: number | null): string {
  return us === null ? '' : spanText(us);
}

/** What the flags of `series` ask for. Throws `USAGE`. */
export function seriesInputOf(flags: Flags, range: Range): SeriesInput {
  const { direction, device, application } = flags;
  if (direction !== undefined && !(DIRECTION_NAMES as readonly (string | boolean)[]).includes(direction))
    throw new AppError('USAGE', `--direction ${direction}: it is one of ${DIRECTION_NAMES.join(', ')}`);
  const stepS = numberOf(flags, 'step');
  return {
    ...range,
    ...(stepS !== undefined && { stepS }),
    ...(direction !== undefined && { direction: direction as DirectionName }),
    ...(typeof device === 'string' && { device }),
    ...(typeof application === 'string' && { application }),
  };
}

/** `flowberry series`: traffic over time. Throws `AppError`. */
export function runSeries(path: string, input: SeriesInput, format: 'table' | 'json' | 'csv'): Promise<number> {
  return withDatabase(path, async (db) => {
    const { points, ...facts } = series(db, input);
    await printRows(format, {
      list: 'points',
      rows: points.map(
        (point) => (format === 'table' ? point : format === 'csv' ? flatRow(point) : snakeCased(point)) as SeriesPoint,
      ),
      facts: snakeCased(facts) as Record<string, unknown>,
      columns: columnsOf(points, facts.stepUs),
      note: noteOf(facts),
    });
    return 0;
  });
}
