/**
 * The control panel in Chromium, against the process in the lab. The browser runs on the island, from where only the lab can be
 * reached:
 *
 *   client ---- internet ---- appliance ---- web1 web2 web3
 *   (curl)                    :8064           (Chromium runs in web3's namespace)
 */
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import AxeBuilder from '@axe-core/playwright';
import { type Browser, type BrowserContextOptions, chromium, type Locator, type Page } from 'playwright-core';
import type { Child } from '../../lab/host.ts';
import { waitUntil } from '../../lab/wait.ts';
import type { World } from '../../lab/world.ts';
import { ADDRESSES } from '../../lab/zone.ts';

const ROOT = join(import.meta.dirname, '../..');
export const SCREENSHOTS = join(ROOT, 'build/screenshots');
export const ORIGIN = `https://[${ADDRESSES.appliance6}]:8064`;
export const PASSWORD = 'tide tables of the east';
/** Without what Chromium does by itself. */
export const CHROMIUM_FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
const FLAGS = [
  ...CHROMIUM_FLAGS,
  // Chromium's own services must not be contacted: the only names are those of the lab, and the page needs none.
  `--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE ${ADDRESSES.appliance6}`,
];

/** The configuration of a new appliance, with the differences that the lab needs. */
export const FRESH = {
  dns64: { upstreams: [`udp://${ADDRESSES.dns}`] },
  admin: { listen: ['::', '0.0.0.0'] },
};

/** Starts Chromium in the namespace of web3, through a pipe, so that no port is used. */
export async function startBrowser(world: World): Promise<Browser> {
  const script = join(world.directory, 'chromium.sh');
  writeFileSync(
    script,
    `#!/bin/sh\nexec ip netns exec ${world.hosts.web3.namespace} /usr/bin/chromium "$@"\n`,
  );
  chmodSync(script, 0o755);
  mkdirSync(SCREENSHOTS, { recursive: true });
  return chromium.launch({ executablePath: script, args: FLAGS });
}

export const stateDirectoryOf = (world: World, name: string): string =>
  join(world.directory, `state-${name}`);

/**
 * Starts the process with a configuration, on its own state directory, and waits until it serves the page. `configuration`
 * undefined: the existing file is used, as after a restart.
 */
export async function startProcess(
  world: World,
  configuration: object | undefined,
  name: string,
  env: Readonly<Record<string, string>> = {},
): Promise<Child> {
  const { appliance } = world.hosts;
  const stateDirectory = stateDirectoryOf(world, name);
  const configFile = join(world.directory, `${name}.json`);
  mkdirSync(stateDirectory, { recursive: true, mode: 0o700 });
  if (configuration !== undefined) writeFileSync(configFile, JSON.stringify(configuration));
  const cache = process.env['NODE_COMPILE_CACHE'] ?? join(ROOT, 'node_modules/.cache/compile');
  const child = appliance.spawn(
    process.execPath,
    [join(ROOT, 'src/main.ts'), '--config', configFile, '--state', stateDirectory],
    { env: { NODE_COMPILE_CACHE: cache, ...env } },
  );
  await waitUntil('the control panel', () => isServed(world), {
    explain: () => child.output(),
    timeoutMs: 20_000,
  });
  return child;
}

const isServed = async (world: World) =>
  (await world.hosts.web3.attempt('curl', ['-sSkf', '-m', '5', `${ORIGIN}/api/health`])).code === 0;

/** Faults that must not occur on any page. */
export interface Watch {
  /** Console errors, exceptions, requests to other hosts. */
  readonly troubles: string[];
}

export interface Opened extends AsyncDisposable {
  readonly page: Page;
  readonly watch: Watch;
}

/** A new browser: no cookies, nothing stored. */
export async function openPage(browser: Browser, options: BrowserContextOptions = {}): Promise<Opened> {
  const context = await browser.newContext({ ignoreHTTPSErrors: true, locale: 'en-GB', ...options });
  const page = await context.newPage();
  const troubles: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning')
      troubles.push(`console: ${message.text()}`);
  });
  page.on('pageerror', (error) => troubles.push(`exception: ${error.message}`));
  page.on('request', (request) => {
    const { origin, protocol } = new URL(request.url());
    if (origin !== ORIGIN && protocol !== 'blob:') troubles.push(`request: ${request.url()}`);
  });
  return { page, watch: { troubles }, [Symbol.asyncDispose]: () => context.close() };
}

/** The findings of axe with all its rules, one line each. */
export async function axe(page: Page): Promise<string[]> {
  // A page loads its content after its frame: before that there is nothing to check.
  await page.getByRole('heading', { level: 1 }).first().waitFor();
  const { violations } = await new AxeBuilder({ page }).analyze();
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(
      ({ target, failureSummary }) => `${id}: ${target.join(' ')}: ${failureSummary?.split('\n')[1]}`,
    ),
  );
}

/** Claims a new appliance over the API, and signs the page in. */
export async function claim(page: Page): Promise<void> {
  await page.goto(`${ORIGIN}/icon.svg`);
  const status = await page.evaluate(async (password) => {
    const answer = await fetch('/api/first-run', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ password }),
    });
    return answer.status;
  }, PASSWORD);
  if (status !== 200) throw new Error(`POST first-run answered ${status}`);
}

/** The active configuration, as the page requests it. */
export const hostsInForce = (page: Page): Promise<string[]> =>
  page.evaluate<string[]>(`fetch('/api/config').then((answer) => answer.json())
    .then(({ effective }) => effective.hosts.map(({ name }) => name))`);

/** A card of a page, by its title. */
export const card = (page: Page, title: string): Locator =>
  page.locator('section.card').filter({ has: page.getByRole('heading', { name: title, exact: true }) });

/** A person at the page. Every key stroke except the letters of a text, every click and every text counts as one action. */
export function person(page: Page) {
  let actions = 0;
  return {
    get actions() {
      return actions;
    },
    async visit(path: string) {
      actions++;
      await page.goto(ORIGIN + path);
    },
    async click(name: string | RegExp, role: 'button' | 'link' = 'button') {
      actions++;
      await page.getByRole(role, { name, exact: typeof name === 'string' }).click();
    },
    async fill(label: string, text: string) {
      actions++;
      await page.getByLabel(label, { exact: true }).fill(text);
    },
    async press(key: string) {
      actions++;
      await page.keyboard.press(key);
    },
    /** Types into the focused element. */
    async type(text: string) {
      actions++;
      await page.keyboard.type(text);
    },
    /** Presses Tab until the element with this accessible name has the focus. */
    async tabTo(name: string) {
      for (let tabs = 0; tabs < 60; tabs++) {
        if ((await focusName(page)).startsWith(name)) return;
        await this.press('Tab');
      }
      throw new Error(`60 times Tab never reached "${name}"; the focus is on "${await focusName(page)}"`);
    },
  };
}

/** Label or text of the focused element. */
const focusName = (page: Page): Promise<string> =>
  page.evaluate<string>(`(() => {
    const element = document.activeElement;
    const label = element.labels?.[0]?.textContent ?? element.getAttribute('aria-label') ?? element.textContent;
    return label.trim();
  })()`);
