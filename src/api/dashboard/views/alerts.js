import { get, patch } from '../api.js';
import { fill, h, table } from '../dom.js';
import { count, moment } from '../format.js';

const KINDS = {
  new_device: 'New device',
  new_destination: 'New destination',
  port_scan: 'Port scan',
  quota: 'Quota',
  capture_loss: 'Packets lost',
  disk: 'Disk',
  temperature: 'Temperature',
  clock: 'Clock',
};

/** What somebody should look at. */
export function alerts({ main, live, signal, fail }) {
  const list = h('div', { 'aria-busy': 'true', 'aria-live': 'polite' });
  fill(main, list);
  const acknowledge = async (id, acknowledged) => {
    try {
      await patch(`/api/v1/alerts/${id}`, { acknowledged });
      document.dispatchEvent(new Event('alerts-changed'));
      await load();
    } catch (error) {
      fail(error);
    }
  };
  const button = ({ id, acknowledged_us: us }) =>
    h('button', { type: 'button', onclick: () => acknowledge(id, us === null) }, us === null ? 'Acknowledge' : 'Open again');
  const columns = [
    { head: 'Last', cell: (alert) => moment(alert.last_us) },
    { head: 'Kind', cell: (alert) => KINDS[alert.kind] ?? alert.kind },
    { head: 'What', cell: (alert) => alert.detail, className: 'text' },
    { head: 'Times', isNumber: true, cell: (alert) => count(alert.count) },
    { head: '', cell: button },
  ];
  const load = async () => {
    const answer = await get('/api/v1/alerts', { limit: 200 }, signal);
    fill(list, table('Alerts, the latest first', columns, answer.alerts, { empty: 'No alerts. That is good news.' }));
    list.setAttribute('aria-busy', 'false');
  };
  load().catch(fail);
  return live.on('alert', () => load().catch(fail));
}
