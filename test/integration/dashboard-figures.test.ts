import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { browserObstacle, NamespaceBrowser, type WatchedPage } from '../helpers/browser.js';
import { program } from '../helpers/daemon.js';
import { ANSWER, dnsMessage, FIRST_NAME, pointer, question, record } from '../helpers/dns-bytes.js';
import { ethernet, frame, ipv4, type Layer, tcp, udp } from '../helpers/frames.js';
import { connection, DEVICE, homeFrames, OTHER, ROUTER, SHORT_DEVICE } from '../helpers/home-frames.js';
import { Daemon } from '../helpers/live-daemon.js';
import { NetworkNamespace, namespaceObstacle } from '../helpers/network-namespace.js';
import { storedHome } from '../helpers/stored-home.js';

const obstacle = namespaceObstacle() ?? browserObstacle();

const QUERIES = 101;
const NO_SUCH_NAME = ANSWER | 3;
const SITES = Array.from({ length: 6 }, (_, index) => `s${index}.example.com`);

/** A frame to the router or back. */
function between(device: typeof DEVICE, isOut: boolean, ...parts: readonly (Layer | Uint8Array)[]): Uint8Array {
  const [src, dst] = isOut ? [device, ROUTER] : [ROUTER, device];
  return frame(ethernet({ src: src.mac, dst: dst.mac }), ipv4({ src: src.ip, dst: dst.ip }), ...parts);
}

/** More than a page of names that there are not, one that nobody answers, one with addresses; a refused connection, and a ping. */
function moreFrames(): Uint8Array[] {
  const asked = (port: number, name: string) =>
    between(OTHER, true, udp({ srcPort: port, dstPort: 53 }), dnsMessage({ questions: [question(name)] }));
  const answered = (port: number, name: string, flags: number, ...addresses: number[]) =>
    between(
      OTHER,
      false,
      udp({ srcPort: 53, dstPort: port }),
      dnsMessage({
        flags,
        questions: [question(name)],
        answers: addresses.map((last) => record(pointer(FIRST_NAME), 1, Uint8Array.of(203, 0, 113, last))),
      }),
    );
  const missing = Array.from({ length: QUERIES }, (_, index) => {
    const name = `n${index}.example.invalid`;
    return [asked(20_000 + index, name), answered(20_000 + index, name, NO_SUCH_NAME)];
  });
  return [
    ...missing.flat(),
    asked(30_000, 'silent.example.net'),
    asked(30_001, 'four.example.net'),
    answered(30_001, 'four.example.net', ANSWER, 1, 2, 3, 4),
    between(OTHER, true, tcp({ srcPort: 40_001, dstPort: 23, seq: 1, flags: 'S' })),
    between(OTHER, false, tcp({ srcPort: 23, dstPort: 40_001, seq: 0, ack: 2, flags: 'R.' })),
    // What the client says is sent twice.
    ...SITES.flatMap((name, index) => {
      const frames = connection(SHORT_DEVICE, `198.51.100.${100 + index}`, name);
      return [...frames, frames[3] as Uint8Array];
    }),
  ];
}

describe.skipIf(obstacle !== null)(`what the dashboard says of known traffic (${obstacle ?? 'as root, with chromium'})`, () => {
  let namespace: NetworkNamespace;
  let browser: NamespaceBrowser;
  let directory: string;
  let origin: string;
  let seconds: number;
  const stops: (() => void)[] = [];

  beforeAll(async () => {
    namespace = new NetworkNamespace();
    browser = await NamespaceBrowser.launch(namespace);
    directory = mkdtempSync(join(tmpdir(), 'flowberry-figures-'));
    // In two minutes, since the last one has no rate before it is over.
    seconds = Math.floor(Date.now() / 60_000) * 60 - 600;
    const at = (minute: number) => (bytes: Uint8Array, index: number) => ({
      bytes,
      seconds: seconds + 60 * minute,
      nanoseconds: index * 1_000_000,
    });
    const database = await storedHome(directory, [...homeFrames().map(at(-1)), ...moreFrames().map(at(0))]);
    const args = ['--interface', 'capture0', '--db', database];
    const daemon = new Daemon(namespace, args, [program, 'run', '--api-port', '0'], (stop) => stops.push(stop));
    const { health } = await daemon.line('capturing');
    origin = new URL(String(health)).origin;
  });

  afterAll(async () => {
    await browser?.close();
    for (const stop of stops) stop();
    namespace?.delete();
    if (directory) rmSync(directory, { recursive: true, force: true });
  });

  /** Texts of pairs of a name and a value. */
  async function pairs(watched: WatchedPage, selector = 'main .facts'): Promise<Record<string, string>> {
    const texts = await watched.page.locator(`${selector} > div`).allInnerTexts();
    return Object.fromEntries(texts.map((text) => text.split('\n', 2)));
  }

  /** All that the legend of a chart says while a pointer goes across it. */
  async function values(watched: WatchedPage, title: RegExp): Promise<string[]> {
    const { page } = watched;
    const figure = page.locator('figure.chart').filter({ has: page.locator('figcaption', { hasText: title }) });
    const over = figure.locator('.u-over');
    await over.scrollIntoViewIfNeeded();
    const box = await over.boundingBox();
    const said = new Set<string>();
    for (let x = 1; box && x < box.width; x += box.width / 120) {
      await page.mouse.move(box.x + x, box.y + box.height / 2);
      said.add((await figure.locator('.u-legend .u-value').allInnerTexts()).slice(1).join(', '));
    }
    return [...said];
  }

  const clock = (minute = 0): string => new Date((seconds + 60 * minute) * 1000).toISOString().slice(11, 19);

  /** A page whose time is UTC, in a view. */
  async function open(hash: string): Promise<WatchedPage> {
    const watched = await browser.open(`${origin}/${hash}`, { timezoneId: 'UTC' });
    await watched.settled();
    return watched;
  }

  const INCOMPLETE = 'Not complete: 4,321 packets were lost in this time. Where and when';

  it('sums it up in the overview, with links to what it names', async () => {
    const watched = await open('#/overview?since=1h');
    const { page } = watched;
    const link = (name: string) => page.locator('.bars').getByRole('link', { name, exact: true });
    await link('www.example.org').waitFor();
    await page.getByText(' 0 packets per second').waitFor();
    expect.soft(await pairs(watched, 'main .figures')).toEqual({
      Now: '0 bit/s',
      'Packets/s': '0',
      'Open flows': '0',
      'Lost since start': '0',
      'Traffic, 1 hour': '28.2 kB',
      'Flows, 1 hour': '115',
    });
    expect
      .soft(await page.locator('figcaption').allInnerTexts())
      .toEqual([
        'Traffic now0 bit/s, 0 packets per second.',
        'Traffic9.87 kB sent and 18.3 kB received by local devices.',
        'TCP handshakes',
        'Segments sent again6 segments, 2.3 % of all packets.',
      ]);
    await page.getByText(INCOMPLETE).waitFor();
    expect.soft(await values(watched, /^Traffic(?! now)/)).toContain('117 bit/s, 526 bit/s');
    expect.soft(await values(watched, /^TCP handshakes/)).toContain('1.5 ms, 1.9 ms');
    expect.soft(await values(watched, /^Segments sent again/)).toContain('2.47 %');

    // Bars are as long as what stands behind them is much.
    const bars = (subject: string) => page.locator('.panel', { hasText: subject }).locator('.bars li');
    expect
      .soft(await bars('Applications').allInnerTexts())
      .toEqual(['tls\n14.5 kB', 'dns\n13.6 kB', 'telnet\n80 B', 'mdns\n69 B']);
    const lengths = await bars('Applications').evaluateAll((rows) => rows.map((row) => row.querySelector('meter')?.value));
    expect.soft(lengths).toEqual([14_507, 13_556, 80, 69]);
    await page.getByText('without a name').waitFor();

    for (const [name, hash] of [
      ['www.example.org', '#/flows?q=name%3Awww.example.org&since=1h'],
      ['telnet', '#/flows?q=app%3Atelnet&since=1h'],
      ['printer.local', `#/devices/${encodeURIComponent(OTHER.mac)}?since=1h`],
      [DEVICE.ip, `#/devices/${DEVICE.ip}?since=1h`],
    ] as const)
      expect.soft(await link(name).getAttribute('href')).toBe(hash);
    expect.soft(await page.getByRole('link', { name: 'Where and when' }).getAttribute('href')).toBe('#/health');
    await watched.renewed(() => page.getByRole('button', { name: '7 days' }).click());
    expect(Object.keys(await pairs(watched, 'main .figures'))).toContain('Flows, 7 days');
    await page.getByRole('button', { name: '7 days', pressed: true }).waitFor();
    await watched.renewed(() => page.getByRole('link', { name: 'Open flows' }).click());
    expect.soft(await page.title()).toBe('Open flows · flowberry');
    watched.expectClean();
  });

  it('lists flows page by page, and all of each', async () => {
    const watched = await open('#/flows?q=www.example.org&since=24h');
    const { page } = watched;
    await page.getByText(INCOMPLETE).waitFor();
    const caption = 'Flows, the one that ended last first';
    expect
      .soft(await watched.cells(caption))
      .toEqual([[clock(-1), '192.168.1.21:40000', 'www.example.org', 'tls', '230 B', '1.28 kB', '2.0 ms', 'established']]);
    await page.locator('tr.open').click();
    const detail = page.locator('dialog[open]');
    await detail.getByRole('heading', { name: '192.168.1.21:40000 → 198.51.100.7:443' }).and(page.locator(':focus')).waitFor();
    expect.soft(await pairs(watched, 'dialog .facts')).toMatchObject({
      Start: clock(-1),
      Duration: '4.0 ms',
      protocol: 'TCP',
      'src port': '40000',
      'src packets': '3',
      'dst wire bytes': '1.31 kB',
      'rtt server': '1.0 ms',
      'end reason': 'end of input',
      'tls version': 'TLS 1.2',
    });
    await detail.getByRole('button', { name: 'Close' }).click();
    await detail.waitFor({ state: 'detached' });

    // A search keeps the time that was chosen.
    const search = async (text: string): Promise<void> => {
      await page.getByLabel('Search').fill(text);
      await watched.renewed(() => page.getByRole('button', { name: 'Search' }).click());
    };
    await search('port:53');
    await page.getByRole('button', { name: '24 hours', pressed: true }).waitFor();
    expect((await watched.cells(caption)).length).toBe(100);
    await page.getByRole('button', { name: 'Older' }).click();
    await page.locator('tbody tr').nth(100).waitFor();
    const rows = await watched.cells(caption);
    expect(rows.length).toBe(QUERIES + 3);
    expect(new Set(rows.map((row) => row.join())).size).toBe(QUERIES + 3);
    expect.soft(await page.getByRole('button', { name: 'Older' }).isVisible()).toBe(false);

    const save = page.getByRole('button', { name: 'Download CSV' });
    expect.soft(await save.isVisible()).toBe(true);
    await search('198.51.100.99');
    expect.soft(await save.isVisible()).toBe(false);
    await search('tcp udp');
    await page.getByRole('alert').getByText('Only one protocol at a time.').waitFor();
    await watched.renewed(() => page.getByRole('link', { name: 'Open flows' }).click());
    await page.getByText('No flow is open.').waitFor();
    expect.soft(await page.locator('nav a[aria-current]').innerText()).toBe('Flows');
    await watched.renewed(() => page.getByRole('link', { name: 'Stored flows' }).click());
    watched.expectClean();
  });

  it('tells of a device what it did', async () => {
    const watched = await open('#/devices');
    const { page } = watched;
    expect
      .soft(await watched.cells('Devices that were seen'))
      .toEqual([['printer.local', '', OTHER.ip, OTHER.mac, clock(-1), expect.stringMatching(/^1\d min ago$/)]]);
    await watched.renewed(() => page.locator('tr.open').click());
    await watched.renewed(() => page.getByRole('button', { name: '1 hour' }).click());
    await page.getByRole('heading', { name: 'printer.local' }).waitFor();
    await page.getByText(INCOMPLETE).waitFor();
    expect.soft(await pairs(watched)).toEqual({
      Vendor: 'not registered',
      'Hardware address': OTHER.mac,
      Addresses: OTHER.ip,
      'First seen': clock(-1),
      'Last seen': expect.stringMatching(/^1\d min ago$/),
      Sent: '7.02 kB',
      Received: '8.00 kB',
      Flows: '106',
      'TCP handshake, median': '1.5 ms',
      'TCP handshake, 95th percentile': '1.9 ms',
      'Connections that failed': '50 %',
      'Segments sent again': '0.0 %',
      'DNS queries': '103',
      'DNS latency, median': '750 µs',
    });
    expect.soft(await values(watched, /^Traffic/)).toContain('40 bit/s, 171 bit/s');
    expect.soft(await watched.cells('Names of servers')).toEqual([
      ['–', '105', '6.79 kB', '6.72 kB'],
      ['www.example.org', '1', '230 B', '1.28 kB'],
    ]);
    expect.soft(await watched.cells('Applications')).toEqual([
      ['dns', '103', '6.68 kB', '6.68 kB'],
      ['tls', '1', '230 B', '1.28 kB'],
      ['telnet', '1', '40 B', '40 B'],
      ['mdns', '1', '69 B', '0 B'],
    ]);
    const flows = `#/flows?q=${encodeURIComponent(`device:${OTHER.mac}`)}&since=1h`;
    expect.soft(await page.getByRole('link', { name: 'Its flows' }).getAttribute('href')).toBe(flows);
    expect.soft(await page.locator('nav a[aria-current]').innerText()).toBe('Devices');
    await watched.renewed(() => page.getByRole('link', { name: 'All devices' }).click());
    watched.expectClean();
  });

  it('says that there is no such device, and waits for nothing more', async () => {
    const watched = await browser.open(`${origin}/#/alerts`);
    await watched.settled();
    await watched.view('#/devices/02:00:00:00:00:99');
    await watched.page.getByRole('alert').getByText('No device and no flow with this address is known.').waitFor();
  });

  it('tells how names are asked for', async () => {
    const watched = await open('#/dns?since=24h');
    const { page } = watched;
    await watched.renewed(() => page.getByRole('button', { name: '1 hour' }).click());
    await page.getByText(INCOMPLETE).waitFor();
    expect.soft(await pairs(watched)).toEqual({
      Queries: '104',
      Median: '750 µs',
      '95th percentile': '975 µs',
      'No such name': '97 %',
      Failed: '0.0 %',
      Unanswered: '1.0 %',
    });
    expect.soft(await values(watched, /^From a query/)).toContain('750 µs, 975 µs');
    expect.soft(await values(watched, /^In each step/)).toContain('103, 101, 1');
    expect.soft(await watched.cells('Devices by their queries')).toEqual([
      ['printer.local', OTHER.ip, '103', '98 %', '1.0 %', '750 µs'],
      [DEVICE.ip, DEVICE.ip, '1', '0.0 %', '0.0 %', '750 µs'],
    ]);
    const queries = (): Promise<string[][]> => watched.cells('DNS transactions, the latest first');
    const first = await queries();
    expect(first.slice(0, 3)).toEqual([
      [clock(), OTHER.ip, 'silent.example.net', 'A', 'none', '–'],
      [clock(), OTHER.ip, 'four.example.net', 'A', '203.0.113.1, 203.0.113.2, 203.0.113.3', '1.0 ms'],
      [clock(), OTHER.ip, `n${QUERIES - 1}.example.invalid`, 'A', 'NXDOMAIN', '1.0 ms'],
    ]);
    const older = page.getByRole('button', { name: 'Older' });
    for (const pages of [1, 2]) {
      await older.click();
      const table = page.getByRole('table', { name: 'DNS transactions' });
      await table
        .locator('tbody tr')
        .nth(50 * pages)
        .waitFor();
    }
    // With what the printer told without being asked.
    expect([first.length, (await queries()).length, await older.isVisible()]).toEqual([50, QUERIES + 4, false]);

    await page.getByLabel('Name').fill('*.example.net');
    await watched.renewed(() => page.getByRole('button', { name: 'Search' }).click());
    expect((await queries()).map((row) => row[2])).toEqual(['silent.example.net', 'four.example.net']);
    await watched.renewed(() => page.getByRole('button', { name: '7 days' }).click());
    expect((await queries()).length).toBe(2);
    await page.getByRole('button', { name: '7 days', pressed: true }).waitFor();
    watched.expectClean();
  });

  it.each([
    ['overview', 30, '/api/v1/series'],
    ['open', 5, '/api/v1/active'],
    ['health', 5, '/health'],
    ['health', 60, '/api/v1/completeness'],
    ['health', 60, '/api/v1/sessions'],
    ['health', 60, '/api/v1/system'],
  ])('asks anew in %s after %i s: %s', async (view, afterS, path) => {
    const watched = await open('#/alerts');
    const { page } = watched;
    await page.clock.install();
    const answered = () => page.waitForResponse((response) => new URL(response.url()).pathname === path);
    const [first] = await Promise.all([answered(), watched.view(`#/${view}`)]);
    const [again] = await Promise.all([answered(), page.clock.fastForward(afterS * 1000)]);
    expect([first.status(), again.status()]).toEqual([200, 200]);
    watched.expectClean();
  });

  it('draws what is incomplete otherwise, anew in other colours, and as wide as there is room', async () => {
    const watched = await open('#/overview?since=1h');
    const { page } = watched;
    await page.locator('figure.chart').nth(1).locator('canvas').waitFor();
    const width = `document.querySelectorAll('.plot canvas')[1].width`;
    const wide = await page.evaluate(width);
    await page.setViewportSize({ width: 700, height: 700 });
    await watched.until(`${width} < ${wide}`);

    // Two charts of the same figures, which nothing draws anew meanwhile.
    await page.evaluate(`import('/dashboard/chart.js').then(({ chart }) => {
      for (const spans of [[], [[1e9, 1e9 + 60]]]) {
        const { element, set } = chart('Some', [{ label: 'line', format: String }]);
        element.className = 'mine';
        document.body.append(element);
        set([1e9, 1e9 + 60, 1e9 + 120], [[1, 2, 3]], spans);
      }
      return new Promise(requestAnimationFrame);
    })`);
    const drawn = `[...document.querySelectorAll('.mine canvas')].map((canvas) => canvas.toDataURL())`;
    const pictures = (await page.evaluate(drawn)) as string[];
    await page.emulateMedia({ colorScheme: 'dark' });
    await watched.until(`${drawn}[0] !== ${JSON.stringify(pictures[0])}`);
    expect(pictures.length).toBe(2);
    expect(pictures[0]).not.toBe(pictures[1]);
    watched.expectClean();
  });
});
