import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { browserObstacle, NamespaceBrowser } from '../helpers/browser.js';
import { program, temporaryDirectory } from '../helpers/daemon.js';
import { udpFrame } from '../helpers/frames.js';
import { DEVICE, homeFrames, MARKUP, SHORT_DEVICE } from '../helpers/home-frames.js';
import { Daemon } from '../helpers/live-daemon.js';
import { FrameFlood, NetworkNamespace, namespaceObstacle } from '../helpers/network-namespace.js';
import { storedHome } from '../helpers/stored-home.js';

const obstacle = namespaceObstacle() ?? browserObstacle();

/** What the panel of the traffic now says. */
const WORDS = `document.querySelector('.chart .words')?.textContent`;
const IS_TRAFFIC = `/ [1-9][\\d,]* packets per second/.test(${WORDS})`;
const VIEWS = ['overview', 'flows', 'open', 'devices', 'dns', 'alerts', 'health'];

describe.skipIf(obstacle !== null)(`the dashboard in a browser (${obstacle ?? 'as root, with chromium'})`, () => {
  let namespace: NetworkNamespace;
  let browser: NamespaceBrowser;
  let directory: string;
  /** Where a daemon is that has the traffic of ten minutes ago. */
  let home: string;
  const stops: (() => void)[] = [];

  beforeAll(async () => {
    namespace = new NetworkNamespace();
    browser = await NamespaceBrowser.launch(namespace);
    directory = mkdtempSync(join(tmpdir(), 'flowberry-dashboard-'));
    const seconds = Math.floor(Date.now() / 1000) - 600;
    const frames = homeFrames().map((bytes, index) => ({ bytes, seconds, nanoseconds: index * 1_000_000 }));
    const database = await storedHome(directory, frames);
    ({ origin: home } = await start(database, '0', (stop) => stops.push(stop)));
  });

  afterAll(async () => {
    await browser?.close();
    for (const stop of stops) stop();
    namespace?.delete();
    if (directory) rmSync(directory, { recursive: true, force: true });
  });

  async function start(
    database: string,
    port = '0',
    atEnd: (stop: () => void) => void = onTestFinished,
  ): Promise<{ daemon: Daemon; origin: string }> {
    const args = ['--interface', 'capture0', '--db', database];
    const daemon = new Daemon(namespace, args, [program, 'run', '--api-port', port], atEnd);
    const { health } = await daemon.line('capturing');
    return { daemon, origin: new URL(String(health)).origin };
  }

  function startFlood(): FrameFlood {
    return namespace.run(() => new FrameFlood('peer0', [udpFrame({ srcPort: 1, dstPort: 53 })]));
  }

  it('loads, and draws the live traffic of a running capture', async () => {
    const { origin } = await start(join(temporaryDirectory(), 'flows.db'));
    const watched = await browser.open(`${origin}/`);
    const { page } = watched;
    await page.getByText('no sums yet').first().waitFor();

    const flood = startFlood();
    const picture = `document.querySelector('.plot canvas').toDataURL()`;
    await watched.until(IS_TRAFFIC);
    const [words, image] = await Promise.all([page.evaluate(WORDS), page.evaluate(picture)]);
    await watched.until(`${WORDS} !== ${JSON.stringify(words)}`);
    await watched.until(`${picture} !== ${JSON.stringify(image)}`);
    await flood.stop();
    await watched.until(`/ 0 packets per second/.test(${WORDS})`);
    watched.expectClean();
  });

  it('finds the flows of an address, and none of another', async () => {
    const watched = await browser.open(`${home}/#/flows`);
    await watched.settled();
    const search = async (text: string): Promise<string[]> => {
      await watched.page.getByLabel('Search').fill(text);
      await watched.renewed(() => watched.page.keyboard.press('Enter'));
      return watched.rows();
    };

    expect(await search('198.51.100.7')).toEqual([expect.stringContaining('www.example.org')]);
    expect(await search('198.51.100.8')).toEqual([]);
    await watched.page.getByText('No flow matches.').waitFor();
    expect(await search('name:*.example.org tls')).toEqual([expect.stringContaining('192.168.1.21')]);
    watched.expectClean();
  });

  it('saves the flows that were searched for as a file', async () => {
    const watched = await browser.open(`${home}/#/flows?q=198.51.100.7`);
    await watched.settled();
    const saving = watched.page.waitForEvent('download');
    await watched.page.getByRole('button', { name: 'Download CSV' }).click();
    const download = await saving;
    expect(download.suggestedFilename()).toBe('flows.csv');
    const [head, ...rows] = readFileSync(await download.path(), 'utf8')
      .trim()
      .split('\r\n');
    expect(head).toMatch(/^id,start_us,/);
    expect(rows).toEqual([expect.stringContaining('www.example.org')]);
    watched.expectClean();
  });

  it('shows a device, and the name that somebody gives it', async () => {
    const watched = await browser.open(`${home}/#/devices`);
    const { page } = watched;
    await page.locator('tr', { hasText: 'printer.local' }).click();
    await page.getByRole('heading', { name: 'printer.local' }).waitFor();
    await watched.settled();
    expect(await watched.rows()).toContainEqual(expect.stringContaining('www.example.org'));

    // Only what was changed is saved: the name that the device gives itself stays its own.
    await page.getByText('Name and note').click();
    await page.getByLabel('Note', { exact: true }).fill('by the window');
    const [saved] = await Promise.all([
      page.waitForRequest((request) => request.method() === 'PATCH'),
      page.getByRole('button', { name: 'Save' }).click(),
    ]);
    expect(saved.postDataJSON()).toEqual({ note: 'by the window' });
    await page.locator('p.note', { hasText: 'by the window' }).waitFor();

    await page.getByText('Name and note').click();
    await page.getByLabel('Name', { exact: true }).fill(`Anne's ${MARKUP}`);
    await page.getByRole('button', { name: 'Save' }).click();
    const heading = page.getByRole('heading', { name: `Anne's ${MARKUP}` });
    await heading.waitFor();
    await page.reload();
    await heading.waitFor();
    await watched.view('#/devices');
    expect(await watched.rows()).toContainEqual(expect.stringContaining(`Anne's ${MARKUP}`));
    watched.expectClean();
  });

  it('shows no device in place of another whose address its own begins with', async () => {
    const watched = await browser.open(`${home}/`);
    const { page } = watched;
    const { ip } = SHORT_DEVICE;
    await watched.view(`#/devices/${ip}?since=1h`);
    await page.locator('main h2').first().waitFor();
    expect(await watched.rows()).toContainEqual(expect.stringContaining('short.example.net'));
    const text = await page.locator('main').innerText();
    for (const other of [DEVICE.mac, DEVICE.ip, 'printer.local']) expect(text).not.toContain(other);
    await watched.renewed(() => page.getByRole('link', { name: 'Its flows' }).click());
    const rows = await watched.rows();
    expect(rows).toHaveLength(1);
    expect(rows[0]).toContain('short.example.net');
    watched.expectClean();
  });

  it('sorts what is all there by the headings, and nothing that comes in pages', async () => {
    const watched = await browser.open(`${home}/#/alerts`);
    const { page } = watched;
    await watched.settled();
    let answered: { ip: string; more: string | null }[] = [];
    await page.route('**/api/v1/devices?*', async (route) => {
      const devices = answered.map(({ ip }, id) => {
        const addresses = [{ value: ip, first_seen_us: 1, last_seen_us: 1 }];
        return {
          id,
          mac: ['02:00:00:00:00:0a', '02:00:00:00:00:01', null][id],
          vendor: null,
          name: ip,
          addresses,
          names: [],
          first_seen_us: 1,
          last_seen_us: 9 - id,
        };
      });
      await route.fulfill({ json: { devices, next_cursor: answered.at(-1)?.more ?? null } });
    });
    const order = (): Promise<string[]> => page.locator('td.name').allInnerTexts();
    const press = (name: string): Promise<void> => page.getByRole('button', { name }).press('Enter');
    const heading = (name: string): Promise<string | null> => page.getByRole('columnheader', { name }).getAttribute('aria-sort');

    answered = ['10.0.0.9', '10.0.0.20', '10.0.0.3'].map((ip) => ({ ip, more: null }));
    await watched.view('#/devices');
    expect([await order(), await heading('Last seen')]).toEqual([['10.0.0.9', '10.0.0.20', '10.0.0.3'], 'descending']);
    await press('Name');
    expect([await order(), await heading('Name')]).toEqual([['10.0.0.3', '10.0.0.9', '10.0.0.20'], 'ascending']);
    // The heading was drawn anew, and has the focus.
    await page.keyboard.press('Enter');
    expect([await order(), await heading('Name')]).toEqual([['10.0.0.20', '10.0.0.9', '10.0.0.3'], 'descending']);
    await page.keyboard.press('Enter');
    expect([await order(), await heading('Name')]).toEqual([['10.0.0.9', '10.0.0.20', '10.0.0.3'], null]);
    // What is not known stands last, whichever way the rest goes.
    await press('Hardware address');
    expect(await order()).toEqual(['10.0.0.20', '10.0.0.9', '10.0.0.3']);
    await press('Hardware address');
    expect(await order()).toEqual(['10.0.0.9', '10.0.0.20', '10.0.0.3']);

    answered = answered.map((device) => ({ ...device, more: 'next' }));
    await watched.view('#/alerts');
    for (const hash of ['#/devices', '#/flows']) {
      await watched.view(hash);
      expect(await page.locator('th').count(), hash).toBeGreaterThan(0);
      expect(await page.locator('th button').count(), hash).toBe(0);
    }
    watched.expectClean();
  });

  it('keeps the order of a table when its rows are told anew', async () => {
    const { page } = await browser.open(`${home}/#/alerts`);
    const texts = await page.evaluate(`import('/dashboard/sorted.js').then(({ sortedTable }) => {
      const list = sortedTable('Numbers', [{ head: 'Number', cell: (row) => row.number, sort: (row) => row.number }]);
      const set = (...numbers) => list.set(numbers.map((number) => ({ number })));
      set(1, 3, 2);
      list.element.querySelector('button').click();
      set(5, 30, 4);
      return [...list.element.querySelectorAll('th, td')].map((cell) => cell.getAttribute('aria-sort') ?? cell.textContent);
    })`);
    expect(texts).toEqual(['descending', '30', '5', '4']);
  });

  it('takes a free time in the zone of the browser, and keeps it in the address', async () => {
    const timezoneId = 'Asia/Kabul';
    const watched = await browser.open(`${home}/#/flows?q=198.51.100.7&since=7d`, { timezoneId });
    const { page } = watched;
    const [from, to] = [page.getByLabel('From', { exact: true }), page.getByLabel('To', { exact: true })];
    /** As the fields have it, four and a half hours ahead of UTC. */
    const local = (minutesAgo: number): string => new Date(Date.now() + (270 - minutesAgo) * 60_000).toISOString().slice(0, 16);
    const show = (): Promise<void> => watched.renewed(() => page.getByRole('button', { name: 'Show' }).click());
    await page.getByText('From, to').click();
    await page.getByText(timezoneId).waitFor();

    const [early, late] = [local(60), local(30)];
    await from.fill(early);
    await to.fill(late);
    await show();
    expect(await watched.rows()).toEqual([]);
    expect([await from.inputValue(), await to.inputValue()]).toEqual([early, late]);
    expect(await page.getByRole('button', { name: 'Follow live' }).count()).toBe(0);

    await to.fill('');
    await show();
    expect(await watched.rows()).toEqual([expect.stringContaining('www.example.org')]);
    expect(page.url()).not.toContain('until');

    await watched.renewed(() => page.goBack());
    expect(await watched.rows()).toEqual([]);
    await watched.renewed(() => page.goBack());
    expect(await watched.rows()).toHaveLength(1);
    await page.getByRole('button', { name: '7 days', pressed: true }).waitFor();
    watched.expectClean();
  });

  it.each(['overview', 'flows', 'dns', `devices/${DEVICE.ip}`])('asks for the time that is chosen, in %s', async (view) => {
    const watched = await browser.open(`${home}/#/alerts`, { timezoneId: 'UTC' });
    const { page } = watched;
    await watched.settled();
    const asked: (string | null)[][] = [];
    page.on('request', (request) => {
      const { pathname, searchParams } = new URL(request.url());
      // These know no time: who a device is, and how many alerts are open.
      if (!pathname.startsWith('/api/v1/') || /\/(alerts|search|devices)\b/.test(pathname)) return;
      asked.push(['since', 'until'].map((name) => searchParams.get(name)));
    });
    const [since, until] = [60, 5].map(
      (minutesAgo) => `${new Date(Date.now() - minutesAgo * 60_000).toISOString().slice(0, 16)}Z`,
    );
    await watched.view(`#/${view}?since=${since}&until=${until}`);
    expect(asked.length).toBeGreaterThan(0);
    expect(asked.filter((times) => times[0] !== since || times[1] !== until)).toEqual([]);

    // The wrong way round in the address, and then in the fields: it is told, and nothing is asked.
    await watched.view(`#/${view}?since=${until}&until=${since}`);
    const to = page.getByLabel('To', { exact: true });
    await to.and(page.locator('[aria-invalid]')).waitFor();
    await page.getByText('This is not later than From.').waitFor();
    const url = page.url();
    await to.fill('2100-01-01T00:00');
    await page.keyboard.press('Enter');
    await page.getByText('This is in the future. Leave it empty for now.').waitFor();
    await page.getByLabel('From', { exact: true }).fill('');
    await page.keyboard.press('Enter');
    await page.getByText('Give a date and a time, 1970 or later.').waitFor();
    expect(page.url()).toBe(url);
    expect(asked.filter((times) => times[0] !== since)).toEqual([]);
    watched.expectClean();
  });

  it('goes to a view whose address is not encoded as it should be', async () => {
    const watched = await browser.open(`${home}/`);
    await watched.view('#/flows/100%');
    await watched.page.getByRole('heading', { name: 'Flows', exact: true }).waitFor();
    watched.expectClean();
  });

  it('shows markup in names as text', async () => {
    const watched = await browser.open(`${home}/`);
    const device = `#/devices/${DEVICE.ip}`;
    for (const hash of ['#/overview?since=1h', '#/flows', '#/dns?since=1h', `${device}?since=1h`]) {
      await watched.view(hash);
      await watched.page.locator('main').getByText(MARKUP).first().waitFor();
      expect(await watched.page.locator('main img').count(), hash).toBe(0);
    }
    await watched.view('#/flows');
    await watched.page.locator('tr', { hasText: MARKUP }).first().click();
    await watched.page.locator('dialog[open]').getByText(MARKUP).waitFor();
    expect(await watched.page.locator('dialog img').count()).toBe(0);
    watched.expectClean();
  });

  it('shows the machine', async () => {
    const watched = await browser.open(`${home}/`);
    await watched.view('#/health');
    const caption = watched.page.locator('figcaption', { hasText: 'CPU, all cores together' });
    await caption.getByText(/^Now \d+\.\d %\.$/).waitFor();
    await watched.page.locator('.plot canvas').nth(1).waitFor();
    // What was lost, by where: flows that the database did not take, in the last column.
    await watched.page.getByRole('columnheader', { name: 'Disk' }).waitFor();
    expect(await watched.rows()).toContainEqual(expect.stringMatching(/\b4,321$/));
    watched.expectClean();
  });

  it('goes on by itself after a restart of the daemon', async () => {
    const database = join(temporaryDirectory(), 'flows.db');
    const { daemon, origin } = await start(database);
    const watched = await browser.open(`${origin}/`);
    daemon.signal('SIGTERM');
    await watched.state('reconnecting');
    await daemon.exitCode();
    await start(database, new URL(origin).port);
    await watched.state('live');
    const flood = startFlood();
    await watched.until(IS_TRAFFIC);
    await flood.stop();
    // That nobody answered meanwhile is what the browser itself says.
    expect(watched.complaints.filter((text) => !/net::ERR_(CONNECTION|SOCKET)_/.test(text))).toEqual([]);
    expect(watched.strayRequests).toEqual([]);
  });

  it('fits a telephone in every view', async () => {
    const watched = await browser.open(`${home}/`, { viewport: { width: 360, height: 740 }, hasTouch: true });
    const device = `devices/${DEVICE.ip}`;
    // With an invalid free time, its fields and what is wrong with them are there as well.
    const views = [...VIEWS, device].map((view) => `${view}?since=24h`);
    for (const view of [...views, 'overview?since=2100-01-01T00:00Z']) {
      await watched.view(`#/${view}`);
      expect(await watched.page.evaluate('document.documentElement.scrollWidth'), view).toBeLessThanOrEqual(360);
      const links = await watched.page.locator('nav a').all();
      for (const link of links) {
        const { x, width } = (await link.boundingBox()) ?? { x: -1, width: 0 };
        expect(x >= 0 && x + width <= 360, `${await link.innerText()} is in sight`).toBe(true);
      }
    }
    watched.expectClean();
  });

  it('can be used with the keyboard alone', async () => {
    const watched = await browser.open(`${home}/`);
    const { page } = watched;
    await watched.settled();
    await watched.tabTo('.skip', 1);
    await watched.tabTo('nav a[href="#/flows"]');
    await watched.renewed(() => page.keyboard.press('Enter'));
    await watched.tabTo('input[type=search]');
    await page.keyboard.type('www.example.org');
    await watched.renewed(() => page.keyboard.press('Enter'));
    await watched.tabTo('tr.open');
    await page.keyboard.press('Enter');
    await page.locator('dialog[open]').getByText('198.51.100.7', { exact: true }).waitFor();
    await page.keyboard.press('Escape');
    await page.locator('dialog[aria-label="Flow"]').waitFor({ state: 'detached' });

    await watched.view('#/devices');
    await watched.tabTo('tr.open');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Device', exact: true }).waitFor();

    // The view is drawn anew every few seconds: what has the focus then is the new thing in the old place.
    await watched.view('#/health');
    await watched.tabTo('main section *');
    await page.evaluate(`document.activeElement.dataset.old = 'yes'`);
    const tag = await page.evaluate('document.activeElement.tagName');
    await watched.until(`document.activeElement.tagName === '${tag}' && !document.activeElement.dataset.old`);
    watched.expectClean();
  });
});
