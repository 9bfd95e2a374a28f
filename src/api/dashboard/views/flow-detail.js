import { facts, h } from '../dom.js';
import { bytes, count, duration, endpoint, moment, protocol } from '../format.js';

/** A member of a flow, with the unit that its name tells. */
function shown(name, value) {
  if (name === 'protocol') return protocol(value);
  if (name === 'end_reason') return value.replaceAll('_', ' ');
  if (typeof value !== 'number') return value;
  if (name.endsWith('_us')) return duration(value);
  if (name.endsWith('bytes')) return bytes(value);
  return name.endsWith('id') || name.endsWith('port') ? value : count(value);
}

/** All of a flow, in a dialog. */
export function showDetail(flow) {
  const close = h('button', { type: 'button', onclick: () => dialog.close() }, 'Close');
  const times = [
    ['Start', moment(flow.start_us)],
    ['Duration', duration(flow.end_us - flow.start_us)],
  ];
  const rest = Object.entries(flow)
    .filter(([name, value]) => value !== null && !['start_us', 'end_us'].includes(name))
    .map(([name, value]) => [name.replace(/_us$/, '').replaceAll('_', ' '), shown(name, value)]);
  const dialog = h(
    'dialog',
    { class: 'detail', 'aria-label': 'Flow', onclose: () => dialog.remove() },
    // Has the focus at first: a dialog begins at its top, and the button that ends it is at its bottom.
    h(
      'h2',
      { autofocus: true, tabIndex: -1 },
      `${endpoint(flow.src_ip, flow.src_port)} → ${endpoint(flow.dst_ip, flow.dst_port)}`,
    ),
    facts([...times, ...rest]),
    h('div', { class: 'actions' }, close),
  );
  document.body.append(dialog);
  dialog.showModal();
}
