import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { browserObstacle, NamespaceBrowser, type WatchedPage } from '../helpers/browser.js';
import { program, temporaryDirectory } from '../helpers/daemon.js';
import { ethernet, frame, ipv4, tcp, tcpFrame, udp } from '../helpers/frames.js';
import { connection, OTHER, ROUTER, SHORT_DEVICE } from '../helpers/home-frames.js';
import { Daemon } from '../helpers/live-daemon.js';
import { FrameSender, NetworkNamespace, namespaceObstacle } from '../helpers/network-namespace.js';

const obstacle = namespaceObstacle() ?? browserObstacle();

const SCANNER = '192.168.1.66';
/** For tests that wait for what the page asks for every few seconds, on a machine that others use. */
const SLOW_MS = 120_000;
const TOKEN = 'nobody-else-would-say-these-seven-words';

describe.skipIf(obstacle !== null)(`what the dashboard tells by itself (${obstacle ?? 'as root, with chromium'})`, () => {
  let namespace: NetworkNamespace;
  let browser: NamespaceBrowser;
  let sender: FrameSender;

  beforeAll(async () => {
    namespace = new NetworkNamespace();
    browser = await NamespaceBrowser.launch(namespace);
    sender = namespace.run(() => new FrameSender('peer0'));
  });

  afterAll(async () => {
    sender?.close();
    await browser?.close();
    namespace?.delete();
  });

  /** A daemon with this configuration, whose flows end soon. */
  async function start(directory: string, toml = '', port = '0'): Promise<{ daemon: Daemon; origin: string }> {
    const file = join(directory, 'flowberry.toml');
    writeFileSync(file, `[flow]\nidle-tcp-s = 1\nidle-udp-s = 1\n[batch]\nage-ms-max = 100\n${toml}`);
    const args = ['--interface', 'capture0', '--db', join(directory, 'flows.db'), '--config', file];
    const daemon = new Daemon(namespace, args, [program, 'run', '--api-port', port]);
    const { health } = await daemon.line('capturing');
    return { daemon, origin: new URL(String(health)).origin };
  }

  function send(frames: readonly Uint8Array[]): void {
    for (const each of frames) sender.send(each);
  }

  it('tells alerts, and puts them away', async () => {
    const { origin } = await start(temporaryDirectory(), '[alerts]\nport-scan-targets = 40\n');
    const watched = await browser.open(`${origin}/#/alerts`);
    const { page } = watched;
    await page.getByText('No alerts. That is good news.').waitFor();
    const badge = page.locator('#alert-count');
    expect(await badge.isVisible()).toBe(false);

    // From another view, the link in the header tells that there is one.
    await watched.view('#/flows');
    send(Array.from({ length: 60 }, (_, port) => tcpFrame({ src: SCANNER, srcPort: 999, dstPort: port + 1, flags: 'S' })));
    await badge.getByText('1', { exact: true }).waitFor();
    await watched.view('#/alerts');
    const listed = (): Promise<string[][]> => watched.cells('Alerts, the latest first');
    const alert = [expect.stringMatching(/\d\d:\d\d:\d\d$/), 'Port scan', expect.stringContaining(SCANNER), '1'];
    expect(await listed()).toEqual([[...alert, 'Acknowledge']]);

    await page.getByRole('button', { name: 'Acknowledge' }).click();
    const again = page.getByRole('button', { name: 'Open again' });
    await again.waitFor();
    await badge.waitFor({ state: 'hidden' });
    await page.reload();
    await again.click();
    await badge.waitFor();
    expect(await listed()).toEqual([[...alert, 'Acknowledge']]);

    // Who looks at the list sees another one come.
    send(Array.from({ length: 60 }, (_, port) => tcpFrame({ src: '192.168.1.67', srcPort: 999, dstPort: port + 1, flags: 'S' })));
    await page.locator('tr', { hasText: '192.168.1.67' }).waitFor();
    await badge.getByText('2', { exact: true }).waitFor();
    watched.expectClean();
  });

  it('follows the flows that the search finds, until one has seen enough', async () => {
    const { origin } = await start(temporaryDirectory());
    const query = (srcPort: number, dstPort: number) => [
      frame(
        ethernet({ src: OTHER.mac, dst: ROUTER.mac }),
        ipv4({ src: OTHER.ip, dst: ROUTER.ip }),
        udp({ srcPort, dstPort }),
        '?',
      ),
    ];
    const hidden = [
      connection(SHORT_DEVICE, '198.51.100.7', 'www.example.org'),
      connection(OTHER, '198.51.100.9', 'www.example.net'),
      query(50_000, 5300),
      [frame(ethernet(), ipv4(), tcp({ srcPort: 50_001, dstPort: 5301, flags: 'S' }))],
    ].flat();
    const found = [...connection(OTHER, '198.51.100.7', 'www.example.org'), ...query(50_002, 5301)];
    const [all, name, exact, port] = (await Promise.all(
      ['', '192.168.1.21 *.example.org', 'tls www.example.org 192.168.1.21', 'udp port:5301'].map(async (text) => {
        const watched = await browser.open(`${origin}/#/flows?q=${encodeURIComponent(text)}`);
        await watched.settled();
        await watched.page.getByRole('button', { name: 'Follow live', pressed: false }).click();
        await watched.page.getByRole('button', { name: 'Follow live', pressed: true }).waitFor();
        return watched;
      }),
    )) as [WatchedPage, WatchedPage, WatchedPage, WatchedPage];
    const arrived = async (watched: WatchedPage): Promise<string[]> =>
      (await watched.cells('Arriving')).map((row) => row.slice(1, 4).join(' '));

    send(hidden);
    await all.page.locator('tbody tr').nth(3).waitFor();
    send(found);
    await all.page.locator('tbody tr').nth(5).waitFor();
    const row = '192.168.1.21:40000 www.example.org tls';
    for (const watched of [name, exact]) {
      await watched.page.locator('tbody tr').first().waitFor();
      expect(await arrived(watched)).toEqual([row]);
    }
    await port.page.locator('tbody tr').first().waitFor();
    expect(await arrived(port)).toEqual(['192.168.1.21:50002 192.168.1.1:5301 UDP']);
    await name.page.locator('tr.open').click();
    await name.page.locator('dialog[open]').getByText('198.51.100.7', { exact: true }).waitFor();

    await all.page.getByRole('button', { name: 'Follow live', pressed: true }).click();
    await all.page.getByRole('button', { name: 'Follow live', pressed: false }).waitFor();
    send(query(50_003, 5301));
    await port.page.locator('tbody tr').nth(1).waitFor();
    expect((await arrived(port))[0]).toContain('50003');
    expect((await arrived(all)).length).toBe(6);
  });

  it('asks for the token, and keeps it as long as the tab is open', async () => {
    const directory = temporaryDirectory();
    const file = join(directory, 'token');
    writeFileSync(file, TOKEN, { mode: 0o600 });
    const { origin } = await start(directory, `[api]\ntoken-file = ${JSON.stringify(file)}\n`);
    const watched = await browser.begin(`${origin}/#/devices`);
    const { page } = watched;
    const give = async (token: string): Promise<void> => {
      await page.getByRole('textbox', { name: 'Token' }).fill(token);
      await page.getByRole('button', { name: 'Use it' }).click();
    };
    const refused = page.getByText('That was not the token.');
    await page.getByRole('heading', { name: 'Token' }).waitFor();
    expect(await refused.isVisible()).toBe(false);
    await give('guessed');
    await refused.waitFor();
    await give(TOKEN);
    await page.getByText('No device has been seen yet.').waitFor();
    await watched.state('live');

    const reloaded = page.waitForResponse((response) => response.url().includes('/api/v1/devices'));
    await page.reload();
    expect((await reloaded).status()).toBe(200);
    await watched.state('live');
    expect(await page.locator('dialog[open]').count()).toBe(0);
  });

  it(
    'says what is wrong with flowberry itself, and when it is well again',
    async () => {
      const directory = temporaryDirectory();
      const { daemon: killed } = await start(directory);
      killed.signal('SIGKILL');
      await killed.exitCode();
      const { origin } = await start(directory);
      const watched = await browser.open(`${origin}/#/health`);
      const { page } = watched;
      await watched.settled();
      const header = page.locator('#health-state');
      const status = page.locator('p.status');
      await status.getByText('All is well.').waitFor();
      // That the run before did not end is worth knowing, and nothing wrong.
      await page.locator('li.note').waitFor();
      const runs = (await watched.cells('Runs, the latest first')).map((row) => row.slice(1));
      expect(runs).toEqual([
        ['it runs', 'live capture0'],
        ['killed, or the power failed', 'live capture0'],
      ]);
      await page.getByText('No gaps without capture.').waitFor();
      await page.getByText('No gap without capture.').waitFor();
      await page.getByText('No packet was lost.').waitFor();
      const temperature = page.locator('figcaption', { hasText: 'Temperature of the CPU' });
      await temperature.getByText(/^Now (not known|\d+\.\d °C)\.$/).waitFor();
      expect((await watched.cells('Threads')).map(([name, state, , restarts]) => [name, state, restarts])).toEqual(
        ['capture', 'parse-0', 'writer', 'api'].map((name) => [name, 'running', '0']),
      );
      expect((await watched.cells('Rings between the threads')).map(([name, , size]) => [name, size])).toEqual([
        ['frames-0', '67.1 MB'],
        ['flows-0', '8.39 MB'],
      ]);
      expect((await watched.cells('Packets lost')).map((row) => row.join())).toEqual([
        'network card,0,0',
        'buffer of the kernel,0,0',
        'ring of worker 0,0,0',
        'threads that died,0,0',
      ]);
      expect(await page.locator('.panel', { hasText: 'Written to the card' }).locator('dt').allInnerTexts()).toContain(
        'for each flow',
      );

      // One packet for a flow, one without.
      send([tcpFrame({ srcPort: 1, dstPort: 2 }), frame(ethernet({ etherType: 0x88b5 }), 'x'.repeat(60))]);
      const ledger = page.getByRole('table', { name: 'The ledger balances: every packet is in exactly one line.' });
      await ledger.getByRole('row', { name: 'no flow: not ip 1' }).waitFor();
      const sums = await ledger.getByRole('row').allInnerTexts();
      expect(sums.map((text) => text.replaceAll('\t', ' '))).toEqual([
        'received 2',
        'in flows 1',
        'no flow: not ip 1',
        'under way 0',
      ]);

      namespace.ip('link', 'set', 'capture0', 'down');
      await header.and(page.locator('[data-state="degraded"]')).getByText('degraded').waitFor();
      expect(await header.getAttribute('title')).toContain('capture0');
      await status.getByText('flowberry is degraded.').waitFor();
      await page.locator('li.degraded', { hasText: 'capture0' }).waitFor();
      const [link] = await watched.cells('Interfaces');
      expect(link).toEqual(['capture0', 'down', expect.stringMatching(/\d\d:\d\d:\d\d$/)]);
      namespace.up('capture0', 'peer0');
      await header.and(page.locator('[data-state="ok"]')).getByText('ok').waitFor();
      await page.getByText(/^1 gap without capture, /).waitFor();
      // It is stored with the next flow.
      send([tcpFrame({ srcPort: 1, dstPort: 3 })]);
      const gaps = page.getByRole('table', { name: 'Gaps without capture', exact: true });
      while ((await gaps.count()) === 0) {
        await watched.view('#/alerts');
        await watched.view('#/health');
      }
      expect((await watched.cells('Gaps without capture')).map((row) => row.slice(0, 2))).toEqual([
        ['capture0', 'interface down'],
      ]);
    },
    SLOW_MS,
  );

  it(
    'says once that flowberry does not answer, and no longer than it is so',
    async () => {
      const directory = temporaryDirectory();
      const { daemon, origin } = await start(directory);
      const watched = await browser.open(`${origin}/#/health`);
      const { page } = watched;
      await watched.settled();
      daemon.signal('SIGTERM');
      await daemon.exitCode();
      const silence = page.getByRole('alert').getByText('flowberry does not answer.');
      await silence.first().waitFor();
      for (const _ of [1, 2]) await page.waitForEvent('requestfailed', (request) => request.url().endsWith('/health'));
      expect(await silence.count()).toBe(1);
      await start(directory, '', new URL(origin).port);
      await silence.waitFor({ state: 'detached' });
      await page.getByText('All is well.').waitFor();
    },
    SLOW_MS,
  );
});
