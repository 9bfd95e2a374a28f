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

/** Asks again with the token that the person gives. */
async function answerOf(path, options) {
  let response = await send(path, options);
  while (response.status === 401) {
    await askForToken();
    response = await send(path, options);
  }
  return response;
}

async function request(path, options) {
  const response = await answerOf(path, options);
  const body = response.headers.get('content-type')?.includes('json') ? await response.json() : null;
  if (response.ok || (path === '/health' && body)) return body;
  throw new ApiError(response.status, body?.detail ?? `The API answered ${response.status}.`);
}

/** Parameters that are null, undefined or empty are left out. */
function pathOf(path, parameters) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters))
    if (value !== null && value !== undefined && value !== '') query.set(name, value);
  const text = query.toString();
  return text ? `${path}?${text}` : path;
}

export function get(path, parameters = {}, signal = undefined) {
  return request(pathOf(path, parameters), { signal });
}

/** Has the browser save an answer under this name. It is asked for here, since a link would not show the token. */
export async function download(path, parameters, fileName, signal) {
  const response = await answerOf(pathOf(path, parameters), { signal, headers: { accept: '*/*' } });
  if (!response.ok) throw new ApiError(response.status, `The API answered ${response.status}.`);
  const link = document.createElement('a');
  link.href = URL.createObjectURL(await response.blob());
  link.download = fileName;
  link.click();
  URL.revokeObjectURL(link.href);
}

export function patch(path, body) {
  return request(path, { method: 'PATCH', body: JSON.stringify(body), headers: { 'content-type': 'application/json' } });
}
