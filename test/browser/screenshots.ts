/**
 * Makes the pictures of docs/screenshots from the lab, while it has traffic:
 *
 *   sh tools/node.sh test/browser/screenshots.ts
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { CONFIGURATION } from '../../lab/appliance.ts';
import { buildWorld, type World } from '../../lab/world.ts';
import { ADDRESSES, IPV4_ONLY } from '../../lab/zone.ts';
import { ensureWeb } from '../../tools/build-web.ts';
import { FRESH, openPage, ORIGIN, PASSWORD, person, startBrowser, startProcess } from './support.ts';

const FOLDER = join(import.meta.dirname, '../../docs/screenshots');
const DESK = { width: 1160, height: 760 };
const QUALITY = 75;

mkdirSync(FOLDER, { recursive: true });
await ensureWeb(console.log);
await using world = await buildWorld();
await using _first = await startProcess(world, { ...FRESH, admin: { ...FRESH.admin } }, 'first');
const browser = await startBrowser(world);
try {
  await using opened = await openPage(browser, { viewport: DESK });
  await firstRun(opened.page);
  const signedIn = await opened.page.context().storageState();
  await applyAll(opened.page);
  const stop = startTraffic(world);
  await using phone = await openPage(browser, {
    storageState: signedIn,
    viewport: { width: 390, height: 800 },
    deviceScaleFactor: 2,
    colorScheme: 'dark',
  });
  await opened.page.goto(`${ORIGIN}/checks`);
  await opened.page.getByRole('button', { name: 'Check everything again' }).click();
  await opened.page.getByText('Checked again.').waitFor({ timeout: 60_000 });
  await opened.page.getByText('Checked again.').waitFor({ state: 'detached' });
  await save(opened.page, 'checks');
  await opened.page.goto(ORIGIN);
  await phone.page.goto(ORIGIN);
  for (const page of [opened.page, phone.page]) {
    // Waits until there is something to see: flows, and two points of the history.
    await flowing(page);
  }
  await new Promise((resolve) => setTimeout(resolve, 90_000));
  await opened.page.reload();
  await flowing(opened.page);
  await opened.page.locator('canvas').waitFor();
  await save(opened.page, 'dashboard');
  await save(phone.page, 'phone');
  await opened.page.goto(`${ORIGIN}/live`);
  await opened.page.locator('.timeline li').nth(12).waitFor();
  await save(opened.page, 'live');
  await opened.page.goto(`${ORIGIN}/servers/web2?edit=1`);
  const user = person(opened.page);
  await user.fill('Host names', 'example.org\nblog.example.org\nnews.example.org');
  await user.click('Save');
  await user.click('Review and apply');
  await opened.page.getByText('hosts[web2].hostnames').first().waitFor();
  await opened.page.locator('.toast').waitFor({ state: 'detached' });
  await save(opened.page, 'review');
  await stop();
} finally {
  await browser.close();
}

/** Waits until a line of the picture shows traffic. */
async function flowing(page: Page): Promise<void> {
  const amounts = page.locator('.flow-amount').filter({ hasText: 'Mbit', visible: true });
  await amounts.first().waitFor({ timeout: 60_000 });
}

/** As WebP, which Chromium itself writes. */
async function save(page: Page, name: string): Promise<void> {
  const session = await page.context().newCDPSession(page);
  const { data } = await session.send('Page.captureScreenshot', { format: 'webp', quality: QUALITY });
  writeFileSync(join(FOLDER, `${name}.webp`), Buffer.from(data, 'base64'));
  console.log(`${name}.webp, ${Math.round((data.length * 3) / 4 / 1024)} KiB`);
}

async function firstRun(page: Page): Promise<void> {
  const user = person(page);
  await user.visit('/');
  await user.fill('Password', PASSWORD);
  await user.fill('The same password again', PASSWORD);
  await user.click('Claim this appliance');
  await user.click('Continue');
  await page.getByRole('button', { name: `Use ${ADDRESSES.web1}` }).waitFor();
  await user.click(`Use ${ADDRESSES.web1}`);
  await user.fill('Host names', 'example.com');
  await save(page, 'first-run');
  await user.click('Add this server');
  await page.getByRole('heading', { name: 'Router and DNS' }).waitFor();
  await user.click('Continue');
  await user.click('To the dashboard');
}

/** The other servers of the lab, over the API. */
async function applyAll(page: Page): Promise<void> {
  const hosts = JSON.stringify(CONFIGURATION.hosts);
  const status = await page.evaluate<number>(`(async () => {
    const ask = (path) => fetch('/api/' + path).then((answer) => answer.json());
    const [{ csrfToken }, { revision, document }] = await Promise.all([ask('session'), ask('config')]);
    const answer = await fetch('/api/config/apply', {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-csrf-token': csrfToken },
      body: JSON.stringify({ document: { ...document, hosts: ${hosts} }, revision, confirmSeconds: 0 }),
    });
    return answer.status;
  })()`);
  if (status !== 200) throw new Error(`POST config/apply answered ${status}`);
}

/** Visitors and servers with traffic until they are stopped. */
function startTraffic({ hosts, caCertificate }: World): () => Promise<void> {
  const env = { CURL_CA_BUNDLE: caCertificate };
  const children = (
    [
      ['client', 'while :; do curl -s -o /dev/null --limit-rate 1500k https://example.com/large; done'],
      [
        'client',
        'while :; do curl -s -o /dev/null http://example.org/ https://shop.example.org/; sleep 0.4; done',
      ],
      ['web2', `while :; do curl -s -o /dev/null --limit-rate 400k https://${IPV4_ONLY}/large; done`],
      ['web1', `while :; do dig +short AAAA ${IPV4_ONLY} >/dev/null; sleep 0.3; done`],
    ] as const
  ).map(([host, script]) => hosts[host].spawn('sh', ['-c', script], { env }));
  return async () => {
    for (const child of children) await child.stop();
  };
}
