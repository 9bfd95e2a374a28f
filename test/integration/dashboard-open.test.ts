import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { browserObstacle, NamespaceBrowser } from '../helpers/browser.js';
import { program, temporaryDirectory } from '../helpers/daemon.js';
import { homeFrames, MARKUP } from '../helpers/home-frames.js';
import { Daemon } from '../helpers/live-daemon.js';
import { FrameSender, NetworkNamespace, namespaceObstacle } from '../helpers/network-namespace.js';

const obstacle = namespaceObstacle() ?? browserObstacle();

describe.skipIf(obstacle !== null)(`open flows in a browser (${obstacle ?? 'as root, with chromium'})`, () => {
  let namespace: NetworkNamespace;
  let browser: NamespaceBrowser;

  beforeAll(async () => {
    namespace = new NetworkNamespace();
    browser = await NamespaceBrowser.launch(namespace);
  });

  afterAll(async () => {
    await browser?.close();
    namespace?.delete();
  });

  it('come and are filtered by their name or device', async () => {
    const database = join(temporaryDirectory(), 'flows.db');
    const args = ['--interface', 'capture0', '--db', database];
    const daemon = new Daemon(namespace, args, [program, 'run', '--api-port', '0']);
    const { health } = await daemon.line('capturing');
    const watched = await browser.open(`${new URL(String(health)).origin}/#/open`);
    const { page } = watched;
    await page.getByText('No flow is open.').waitFor();

    // Those that are opened now come by themselves.
    const sender = namespace.run(() => new FrameSender('peer0'));
    for (const frame of homeFrames()) sender.send(frame);
    const row = page.locator('tbody tr', { hasText: 'www.example.org' });
    await row.waitFor();
    const flow = ['192.168.1.21:40000', 'www.example.org', 'tls', '230 B', '1.28 kB'];
    expect((await row.innerText()).split('\t')).toEqual([
      expect.stringMatching(/\d\d:\d\d:\d\d$/),
      ...flow,
      expect.stringMatching(/^\d.* m?s ago$/),
    ]);
    await page.getByRole('table', { name: /^(\d) of \1 open flows, those with the most bytes first$/ }).waitFor();
    await page.getByText('A long flow counts from its last segment on.').waitFor();
    expect(await page.locator('main').innerText()).toContain(MARKUP);

    // A row opens all of its flow, a link in it leads to the stored ones.
    await row.locator('td').first().click();
    await page.locator('dialog[open]').getByText('198.51.100.7', { exact: true }).waitFor();
    await page.keyboard.press('Escape');
    const search = page.getByLabel('Search');
    for (const [text, filter] of [
      ['www.example.org', 'name:www.example.org'],
      ['192.168.1.21:40000', 'ip:192.168.1.21'],
    ] as const) {
      await watched.renewed(() => row.getByRole('link', { name: text }).click());
      expect(await search.inputValue()).toBe(filter);
      expect(await page.locator('dialog[aria-label="Flow"]').count()).toBe(0);
      await watched.renewed(() => page.goBack());
    }

    // The API picks which they are; the choice is a part of the address.
    const [request] = await Promise.all([
      page.waitForRequest((asked) => asked.url().includes('/api/v1/active')),
      watched.renewed(() => page.getByRole('button', { name: 'Newest' }).click()),
    ]);
    expect(new URL(request.url()).search).toBe('?sort=newest&limit=100');
    await page.getByRole('table', { name: /open flows, the newest first$/ }).waitFor();
    expect(page.url()).toContain('sort=newest');
    expect(await page.getByRole('button', { name: 'Newest', pressed: true }).count()).toBe(1);
    watched.expectClean();
  });
});
