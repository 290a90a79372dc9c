/**
 * Every page with traffic, on a large screen and on a phone, light and dark: nothing overflows, axe finds nothing, the console
 * stays empty, and nothing is requested from other hosts. The pictures are kept in build/screenshots.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Page } from 'playwright-core';
import { waitUntil } from '../../lab/wait.ts';
import type { World } from '../../lab/world.ts';
import { IPV4_ONLY } from '../../lab/zone.ts';
import { type Claimed, startClaimed } from './claimed.ts';
import { axe, openPage, ORIGIN, PASSWORD, person, SCREENSHOTS } from './support.ts';

/** A page, and the text that shows that it is loaded. */
const PAGES: readonly (readonly [name: string, path: string, heading: string])[] = [
  ['dashboard', '/', 'Dashboard'],
  ['servers', '/servers', 'Servers'],
  ['server', '/servers/web1', 'web1'],
  ['server-edit', '/servers/web2?edit=1', 'Edit web2'],
  ['server-add', '/add-server', 'Add a server'],
  ['checks', '/checks', 'Checks'],
  ['live', '/live', 'Live'],
  ['live-filtered', '/live?kind=connection&server=web1', 'Live'],
  ['live-charts', '/live?view=charts', 'Live'],
  ['proxy', '/proxy', 'Proxy'],
  ['forward', '/forward', 'SSH and ports'],
  ['dns64', '/dns64', 'DNS64'],
  ['nat64', '/nat64', 'NAT64'],
  ['nat64-sessions', '/nat64?view=sessions', 'NAT64'],
  ['nat64-bib', '/nat64?view=bib', 'NAT64'],
  ['nat64-packet', '/nat64?view=packet', 'NAT64'],
  ['explain', '/explain?from=203.0.113.10&protocol=tcp&to=example.com&port=443', 'Explain'],
  ['configuration', '/configuration', 'Configuration'],
  ['configuration-history', '/configuration?view=history', 'Configuration'],
  ['configuration-json', '/configuration?view=json', 'Configuration'],
  ['system', '/system', 'System'],
  ['system-backup', '/system?view=backup', 'System'],
  ['system-access', '/system?view=access', 'System'],
  ['system-logs', '/system?view=logs', 'System'],
  ['system-audit', '/system?view=audit', 'System'],
  ['missing', '/no-such-page', 'This page does not exist'],
];

const DESK = { width: 1280, height: 800 };
const PHONE = { width: 390, height: 844 };

describe('the pages', () => {
  let appliance: Claimed;

  before(async () => {
    appliance = await startClaimed('pages');
    await makeTraffic(appliance.world);
  });
  after(() => appliance?.[Symbol.asyncDispose]());

  for (const [device, viewport] of [
    ['desk', DESK],
    ['phone', PHONE],
  ] as const) {
    it(`on a ${device}, light and dark`, async () => {
      await using opened = await appliance.open({ viewport, reducedMotion: 'reduce' });
      const { page, watch } = opened;
      const found: string[] = [];
      for (const [name, path, heading] of PAGES) {
        await page.emulateMedia({ colorScheme: 'light' });
        await show(page, path, heading);
        const wider = await page.evaluate<number>('document.documentElement.scrollWidth - innerWidth');
        if (wider > 0) found.push(`${name}: ${wider} px wider than the screen`);
        for (const colorScheme of ['light', 'dark'] as const) {
          await page.emulateMedia({ colorScheme });
          const file = `${name}-${viewport.width}-${colorScheme}.png`;
          await page.screenshot({ path: join(SCREENSHOTS, file), fullPage: true });
          found.push(...(await axe(page)).map((line) => `${name}, ${colorScheme}: ${line}`));
        }
      }
      assert.deepEqual([...found, ...watch.troubles], []);
    });
  }

  it('in German, on a phone', async () => {
    await using opened = await appliance.open({ viewport: PHONE, locale: 'de-DE' });
    const { page, watch } = opened;
    const found: string[] = [];
    for (const [name, path] of PAGES) {
      await show(page, path);
      assert.equal(await page.locator('html').getAttribute('lang'), 'de');
      const wider = await page.evaluate<number>('document.documentElement.scrollWidth - innerWidth');
      if (wider > 0) found.push(`${name}: ${wider} px wider than the screen`);
    }
    await show(page, '/');
    await page.screenshot({ path: join(SCREENSHOTS, 'dashboard-390-german.png') });
    assert.deepEqual([...found, ...watch.troubles], []);
  });

  it('a wrong sign-in, then a correct one; signing out', async () => {
    await using opened = await openPage(appliance.browser);
    const { page } = opened;
    const user = person(page);
    await user.visit('/servers');
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
    assert.deepEqual(await axe(page), []);
    await page.screenshot({ path: join(SCREENSHOTS, 'sign-in.png') });
    await user.fill('Password', 'not this one');
    await user.press('Enter');
    await page.getByRole('alert').waitFor();
    await user.fill('Password', PASSWORD);
    await user.press('Enter');
    // After signing in, the page that was requested before appears.
    await page.getByRole('heading', { name: 'Servers', level: 1 }).waitFor();
    await user.click('Sign out');
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
  });
});

/** Opens a path, and waits until everything is loaded. */
async function show(page: Page, path: string, heading?: string): Promise<void> {
  await page.goto(ORIGIN + path);
  await page
    .getByRole('heading', { level: 1, ...(heading !== undefined && { name: heading, exact: true }) })
    .waitFor();
  await waitUntil(`${path} to be loaded`, async () => {
    return (await page.locator('.loading, main [aria-busy]').count()) === 0;
  });
  if (path.includes('charts')) await page.locator('canvas').first().waitFor();
}

/** Some traffic of every kind, in and out, some of it refused. */
async function makeTraffic({ hosts, caCertificate }: World): Promise<void> {
  const env = { CURL_CA_BUNDLE: caCertificate };
  const commands = [
    ['client', 'curl -sS -m 5 -o /dev/null https://example.com/ https://www.example.com/large'],
    ['client', 'curl -sS -m 5 -o /dev/null http://example.org/ https://shop.example.org/'],
    [
      'client',
      'curl -sSk -m 5 -o /dev/null --resolve nobody.example.net:443:192.0.2.1 https://nobody.example.net/',
    ],
    ['web1', `dig +short AAAA ${IPV4_ONLY}`],
    ['web2', `curl -sS -m 5 -o /dev/null https://${IPV4_ONLY}/large`],
    ['web1', `ping -c 1 ${IPV4_ONLY}`],
  ] as const;
  for (const [host, command] of commands) await hosts[host].attempt('sh', ['-c', command], { env });
}
