/** Asks the API. A token that it asks for is kept as long as the tab is open. */

const TOKEN_KEY = 'flowberry-token';
const UNDER_WAY_MAX = 4;

export class ApiError extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

let underWay = 0;
const line = [];

async function place() {
  if (underWay < UNDER_WAY_MAX) underWay++;
  else await new Promise((resolve) => line.push(resolve));
}

function leave() {
  const next = line.shift();
  if (next) next();
  else underWay--;
}

export const token = () => sessionStorage.getItem(TOKEN_KEY);

let asking = null;

/** Asks the person for the token; all requests that need it wait for the same answer. */
function askForToken() {
  asking ??= new Promise((resolve) => {
    const dialog = document.getElementById('token-dialog');
    const input = document.getElementById('token-input');
    dialog.addEventListener(
      'close',
      () => {
        sessionStorage.setItem(TOKEN_KEY, input.value.trim());
        input.value = '';
        asking = null;
        resolve();
      },
      { once: true },
    );
    document.getElementById('token-refused').hidden = token() === null;
    dialog.showModal();
  });
  return asking;
}

async function send(path, options) {
  await place();
  try {
    const headers = { accept: 'application/json', ...options.headers };
    if (token()) headers.authorization = `Bearer ${token()}`;
    return await fetch(path, { ...options, headers });
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    throw new ApiError(0, 'flowberry does not answer.');
  } finally {
    leave();
  }
}

async function request(path, options) {
  let response = await send(path, options);
  while (response.status === 401) {
    await askForToken();
    response = await send(path, options);
  }
  const body = response.headers.get('content-type')?.includes('json') ? await response.json() : null;
  if (response.ok || (path === '/health' && body)) return body;
  throw new ApiError(response.status, body?.detail ?? `The API answered ${response.status}.`);
}

/** GET; parameters that are null, undefined or empty are left out. */
export function get(path, parameters = {}, signal = undefined) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters))
    if (value !== null && value !== undefined && value !== '') query.set(name, value);
  const text = query.toString();
  return request(text ? `${path}?${text}` : path, { signal });
}

export function patch(path, body) {
  return request(path, { method: 'PATCH', body: JSON.stringify(body), headers: { 'content-type': 'application/json' } });
}
