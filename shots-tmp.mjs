import { chromium } from 'playwright-core';
import { mkdirSync } from 'node:fs';
const out = process.argv[2] ?? '/tmp/dashboard-shots'; const only = process.argv[3]?.split(',');
mkdirSync(out, { recursive: true });
const browser = await chromium.launch({ executablePath: '/tmp/dashb/chromium-ns.sh', args: ['--no-sandbox', '--disable-gpu'] });
const base = 'http://127.0.0.1:8417/';
const views = { overview: '#/overview', overview7d: '#/overview?since=7d', overview30d: '#/overview?since=30d', flows: '#/flows?since=24h', 'flows-tls': '#/flows?q=app%3Atls%20192.168.1.20&since=7d', devices: '#/devices', device: '#/devices/dc%3Aa6%3A32%3A01%3A02%3A03?since=7d', dns: '#/dns?since=7d', alerts: '#/alerts', health: '#/health', nothing: '#/flows?q=10.99.99.99&since=1h' };
const looks = { light: { viewport: { width: 1280, height: 800 }, colorScheme: 'light' }, dark: { viewport: { width: 1280, height: 800 }, colorScheme: 'dark' }, phone: { viewport: { width: 360, height: 740 }, colorScheme: 'light', deviceScaleFactor: 2, hasTouch: true } };
for (const [look, options] of Object.entries(looks)) {
  const context = await browser.newContext(options); const page = await context.newPage();
  page.on('console', (m) => console.log(look, m.type(), m.text())); page.on('pageerror', (e) => console.log(look, e.message));
  for (const [name, hash] of Object.entries(views)) {
    if (only && !only.includes(name) && !only.includes(look)) continue;
    await page.goto(base + hash); await page.waitForTimeout(name === 'overview' ? 4000 : 1500);
    const wide = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
    if (wide[0] > wide[1]) console.log('WIDE', look, name, wide);
    await page.screenshot({ path: `${out}/${name}-${look}.png`, fullPage: true });
  }
  await context.close();
}
await browser.close();
