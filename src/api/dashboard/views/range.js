import { h } from '../dom.js';
import { minute } from '../format.js';

/** Spans of time up to now that can be chosen, as the API takes them, and their hours. */
const SPANS = [
  ['1h', '1 hour', 1],
  ['24h', '24 hours', 24],
  ['7d', '7 days', 168],
  ['30d', '30 days', 720],
];

const HOUR_MS = 3_600_000;

/**
 * The time that a view is about, as the address of the page names it: a span up to now (`since=24h`), or a free one (`since` and `until`
 * in UTC; without `until`, up to now). `times` are parameters of the API, `query` is for addresses of the page, `span` is null for a free
 * one. With a `problem` nothing is to be asked.
 */
export function rangeOf(query, fallback, nowMs = Date.now()) {
  const since = query.get('since') || fallback;
  const until = query.get('until') || null;
  const times = { since, until };
  const found = until === null ? SPANS.find(([value]) => value === since) : undefined;
  if (found) {
    const [span, label, hours] = found;
    return { span, times, query: queryOf(times), label, fromMs: nowMs - hours * HOUR_MS, toMs: null, problem: null };
  }
  const fromMs = readUtc(since);
  const toMs = until === null ? null : readUtc(until);
  const problem = problemOf(fromMs, toMs, nowMs);
  return { span: null, times, query: queryOf(times), label: 'chosen time', fromMs, toMs, problem };
}

const queryOf = ({ since, until }) => new URLSearchParams(until === null ? { since } : { since, until }).toString();

/** A minute in UTC, in ms since 1970; NaN for another text, and for a day that there is not. */
function readUtc(text) {
  const ms = /^\d{4}-\d\d-\d\dT\d\d:\d\dZ$/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(ms) || utcText(ms) !== text ? Number.NaN : ms;
}

const utcText = (ms) => new Date(ms).toISOString().replace(/:\d\d\.\d+Z$/, 'Z');

/** What is wrong with the ends of a free range, and beside which of them that is to be said. `toMs` is null for now. */
function problemOf(fromMs, toMs, nowMs) {
  if (!(fromMs >= 0)) return { end: 'from', text: 'Give a date and a time, 1970 or later.' };
  if (fromMs > nowMs) return { end: 'from', text: 'This is in the future.' };
  if (toMs === null) return null;
  if (!(toMs >= 0)) return { end: 'to', text: 'Give a date and a time, or leave it empty.' };
  if (toMs > nowMs) return { end: 'to', text: 'This is in the future. Leave it empty for now.' };
  return fromMs < toMs ? null : { end: 'to', text: 'This is not later than From.' };
}

/** Buttons for the spans, and fields for a free range; `onChange` is told what was chosen, as the address of the page has it. */
export function rangeSwitch(range, onChange) {
  return h(
    'div',
    { class: 'range' },
    h(
      'div',
      { class: 'switch', role: 'group', 'aria-label': 'Time' },
      SPANS.map(([value, label]) =>
        h(
          'button',
          { type: 'button', 'aria-pressed': String(value === range.span), onclick: () => onChange(`since=${value}`) },
          label,
        ),
      ),
    ),
    freeRange(range, onChange),
  );
}

function freeRange({ span, fromMs, toMs, problem }, onChange) {
  const ends = { from: endField('from', 'From', fromMs), to: endField('to', 'To', toMs) };
  const tell = (found) => {
    for (const [name, end] of Object.entries(ends)) end.tell(found?.end === name ? found.text : null);
  };
  const submit = (event) => {
    event.preventDefault();
    const [from, to] = [ends.from.ms(), ends.to.ms()];
    const found = problemOf(from ?? Number.NaN, to, Date.now());
    tell(found);
    if (found) ends[found.end].focus();
    else onChange(queryOf({ since: utcText(from), until: to === null ? null : utcText(to) }));
  };
  tell(problem);
  return h(
    'details',
    { open: span === null },
    h('summary', {}, 'From, to'),
    // What the browser would say of a field, it would not say beside it.
    h('form', { class: 'ends', noValidate: true, onsubmit: submit }, ends.from.element, ends.to.element, h('button', {}, 'Show')),
    h('p', { class: 'minor' }, `Local time, ${new Intl.DateTimeFormat().resolvedOptions().timeZone}. An empty To means now.`),
  );
}

/** A field for one end of a free range; `tell` says beside it what is wrong. */
function endField(name, label, ms) {
  const id = `range-${name}-problem`;
  const isKnown = ms !== null && !Number.isNaN(ms);
  const value = isKnown ? minute(ms).replace(' ', 'T') : '';
  const input = h('input', { type: 'datetime-local', name, value, 'aria-describedby': id });
  const problem = h('p', { id, class: 'wrong', role: 'alert' });
  return {
    element: h('div', {}, h('label', {}, `${label} `, input), problem),
    focus: () => input.focus(),
    /** Null for an empty field; one that is filled in halfway has no value either. */
    ms: () => (input.validity.badInput ? Number.NaN : input.value === '' ? null : new Date(input.value).getTime()),
    tell(text) {
      problem.textContent = text ?? '';
      if (text === null) input.removeAttribute('aria-invalid');
      else input.setAttribute('aria-invalid', 'true');
    },
  };
}

/** Says that an answer lacks packets; null for one that is complete. */
export function incompleteNote({ complete, lost_packets: lost }) {
  if (complete !== false) return null;
  const what = lost > 0 ? `${lost.toLocaleString('en-US')} packets were lost` : 'nothing was captured for a while';
  return h('p', { class: 'notice' }, `Not complete: ${what} in this time. `, h('a', { href: '#/health' }, 'Where and when'));
}
