import { h } from '../dom.js';

/** Spans of time that can be chosen, as the API takes them. */
export const RANGES = [
  ['1h', '1 hour'],
  ['24h', '24 hours'],
  ['7d', '7 days'],
  ['30d', '30 days'],
];

/** The span that the address names, or the first one given here. */
export const rangeOf = (query, fallback) =>
  RANGES.some(([value]) => value === query.get('since')) ? query.get('since') : fallback;

/** The span of time in words. */
export const rangeLabel = (since) => RANGES.find(([value]) => value === since)[1];

/** Buttons for the span of time; `onChange` is told the one that was chosen. */
export function rangeSwitch(current, onChange) {
  return h(
    'div',
    { class: 'switch', role: 'group', 'aria-label': 'Time' },
    RANGES.map(([value, label]) =>
      h('button', { type: 'button', 'aria-pressed': String(value === current), onclick: () => onChange(value) }, label),
    ),
  );
}

/** Says that an answer lacks packets; null for one that is complete. */
export function incompleteNote({ complete, lost_packets: lost }) {
  if (complete !== false) return null;
  const what = lost > 0 ? `${lost.toLocaleString('en-US')} packets were lost` : 'nothing was captured for a while';
  return h('p', { class: 'notice' }, `Not complete: ${what} in this time. `, h('a', { href: '#/health' }, 'Where and when'));
}
