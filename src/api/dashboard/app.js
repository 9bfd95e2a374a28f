import { get } from './api.js';
import { fill, h } from './dom.js';
import { Live } from './live.js';

/**
 * A view is a function of `{ main, live, path, query, signal, go, fail, attempt }` that fills `main`, and may return what is to be done
 * when it is left. `fail` shows an error; `attempt` does with that of a promise, and takes what was shown away when the promise is kept.
 * A view's module is loaded when it is shown first, so that the first screen waits for no other.
 */
const TITLES = {
  overview: 'Overview',
  flows: 'Flows',
  open: 'Open flows',
  devices: 'Devices',
  device: 'Device',
  dns: 'DNS',
  alerts: 'Alerts',
  health: 'Health',
};

/** Views without a link of their own in the header are below another one. */
const ABOVE = { device: 'devices', open: 'flows' };

const main = document.getElementById('main');
const liveState = document.getElementById('live-state');
const healthState = document.getElementById('health-state');
const alertCount = document.getElementById('alert-count');
const live = new Live(`${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/api/v1/live`);

/** `#/devices/3?since=7d` is the view `device` with the path `['3']`. */
function route() {
  const [path, query = ''] = location.hash.replace(/^#\/?/, '').split('?');
  const parts = path.split('/').filter(Boolean).map(decoded);
  const name = parts[0] === 'devices' && parts.length > 1 ? 'device' : (parts[0] ?? 'overview');
  return { name: Object.hasOwn(TITLES, name) ? name : 'overview', path: parts.slice(1), query: new URLSearchParams(query) };
}

/** As it stands where it is not encoded as it should be. */
function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function go(hash) {
  location.hash = hash;
}

let leave = () => undefined;

function show(isFirst) {
  leave();
  const { name, path, query } = route();
  const abort = new AbortController();
  const place = h('div', { class: `view ${name}`, 'aria-busy': 'true' });
  fill(main, h('h1', {}, TITLES[name]), place);
  document.title = `${TITLES[name]} · flowberry`;
  for (const link of document.querySelectorAll('nav a')) {
    const isHere = link.hash.slice(2) === (ABOVE[name] ?? name);
    if (isHere) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
  const notice = h('p', { class: 'notice', role: 'alert' });
  const fail = (error) => {
    if (error.name === 'AbortError') return;
    // What fails again and again is said once.
    if (!notice.isConnected || notice.textContent !== error.message) {
      notice.textContent = error.message;
      place.prepend(notice);
    }
    // What did not come is not on its way any more: until then, nothing else of these parts would be read out.
    for (const part of [place, ...place.querySelectorAll('[aria-busy]')]) part.setAttribute('aria-busy', 'false');
  };
  const attempt = (work) => work.then(() => notice.remove(), fail);
  let close;
  leave = () => {
    abort.abort();
    close?.();
  };
  import(`./views/${name}.js`)
    .then((view) => {
      place.removeAttribute('aria-busy');
      if (!abort.signal.aborted) close = view[name]({ main: place, live, path, query, signal: abort.signal, go, fail, attempt });
    })
    .catch(fail);
  if (isFirst) return;
  // The header stays where it is and would cover what the focus scrolls to.
  main.focus({ preventScroll: true });
  scrollTo(0, 0);
}

live.on('state', ({ state }) => {
  liveState.textContent = state;
  liveState.dataset.state = state;
});

live.on('health', ({ status, reasons }) => {
  healthState.textContent = status;
  healthState.dataset.state = status;
  healthState.title = reasons.map(({ message, code }) => message ?? code).join('; ');
});
live.want('health');

/** Alerts that nobody has acknowledged; an API without alerts has none. */
async function countAlerts() {
  try {
    const { alerts: open } = await get('/api/v1/alerts', { acknowledged: false, limit: 100 });
    alertCount.textContent = String(open.length);
    alertCount.hidden = open.length === 0;
  } catch {
    alertCount.hidden = true;
  }
}
live.on('alert', countAlerts);
live.want('alerts');
document.addEventListener('alerts-changed', countAlerts);

addEventListener('hashchange', () => show(false));
show(true);
countAlerts();
