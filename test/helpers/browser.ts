import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { expect, onTestFinished } from 'vitest';
import type { NetworkNamespace } from './network-namespace.js';

const WAIT_MS_MAX = 20_000;

/** Why there is no browser here, or null. */
export function browserObstacle(): string | null {
  try {
    execFileSync('chromium', ['--version'], { stdio: 'ignore' });
    return null;
  } catch {
    return 'needs chromium';
  }
}

/** A browser that lives in the namespace, and so reaches what listens there and nothing else. */
export class NamespaceBrowser {
  private constructor(
    private readonly browser: Browser,
    private readonly directory: string,
  ) {}

  static async launch(namespace: NetworkNamespace): Promise<NamespaceBrowser> {
    const directory = mkdtempSync(join(tmpdir(), 'flowberry-browser-'));
    const executablePath = join(directory, 'chromium');
    writeFileSync(executablePath, `#!/bin/sh\nexec ip netns exec ${namespace.name} chromium "$@"\n`);
    chmodSync(executablePath, 0o700);
    // The sandbox of chromium does not work for root, and root is needed for the namespace.
    const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'] });
    return new NamespaceBrowser(browser, directory);
  }

  /** A page with nothing remembered, open at `url` and connected to the live stream. */
  async open(url: string, options: BrowserContextOptions = {}): Promise<WatchedPage> {
    const watched = await this.begin(url, options);
    await watched.state('live');
    return watched;
  }

  /** As `open`, and not yet connected. */
  async begin(url: string, options: BrowserContextOptions = {}): Promise<WatchedPage> {
    const context = await this.browser.newContext(options);
    onTestFinished(() => context.close());
    // Shorter than a test may take, so that the error says what was waited for.
    context.setDefaultTimeout(WAIT_MS_MAX);
    const watched = new WatchedPage(await context.newPage(), new URL(url).origin);
    await watched.page.goto(url);
    return watched;
  }

  async close(): Promise<void> {
    await this.browser.close();
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** A page, and whatever went wrong on it. */
export class WatchedPage {
  /** What the console told: errors, warnings and violations of the policy, and exceptions that nobody caught. */
  readonly complaints: string[] = [];
  /** Requests that left for other hosts. */
  readonly strayRequests: string[] = [];

  constructor(
    readonly page: Page,
    origin: string,
  ) {
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') this.complaints.push(message.text());
    });
    page.on('pageerror', ({ message }) => this.complaints.push(message));
    page.on('request', (request) => {
      const url = request.url();
      if (!url.startsWith(`${origin}/`) && !url.startsWith('data:')) this.strayRequests.push(url);
    });
  }

  /** Waits until the page says this of its live stream. */
  async state(state: string): Promise<void> {
    await this.page.locator(`#live-state[data-state="${state}"]`).waitFor();
  }

  /** Goes to a view of the page, and waits until it shows what it asked for. */
  async view(hash: string): Promise<void> {
    await this.renewed(() => this.page.evaluate(`location.hash = ${JSON.stringify(hash)}`));
  }

  /** Does what leads to another view, and waits until that one shows what it asked for. */
  async renewed(work: () => Promise<unknown>): Promise<void> {
    await this.page.evaluate(`document.querySelector('main .view').classList.add('old')`);
    await work();
    await this.until(`!document.querySelector('main .old')`);
    await this.settled();
  }

  /** Waits until no part of the view is on its way. */
  async settled(): Promise<void> {
    await this.page.waitForLoadState('networkidle');
    await this.until(`document.querySelector('main .view') && !document.querySelector('[aria-busy="true"]')`);
  }

  /** Asks the page until the expression holds. The page's own policy forbids to have it evaluated over and over inside. */
  async until(expression: string): Promise<void> {
    while (!(await this.page.evaluate(`Boolean(${expression})`))) await sleep(50);
  }

  /** The texts of the rows of the tables in the view. */
  rows(): Promise<string[]> {
    return this.page.locator('main tbody tr').allInnerTexts();
  }

  /** The rows of the table with this caption, with their cells apart. */
  async cells(caption: string): Promise<string[][]> {
    const rows = await this.page.getByRole('table', { name: caption, exact: true }).locator('tbody tr').allInnerTexts();
    return rows.map((row) => row.split('\t'));
  }

  /** Fails if anything went wrong on the page. */
  expectClean(): void {
    expect([this.complaints, this.strayRequests]).toEqual([[], []]);
  }

  /** Presses Tab until the element that `selector` names has the focus; fails if the focus comes round without. */
  async tabTo(selector: string, pressesMax = 60): Promise<void> {
    for (let presses = 0; presses < pressesMax; presses++) {
      await this.page.keyboard.press('Tab');
      if (await this.page.evaluate(`document.activeElement.matches(${JSON.stringify(selector)})`)) return;
    }
    throw new Error(`Tab does not reach ${selector}`);
  }
}
