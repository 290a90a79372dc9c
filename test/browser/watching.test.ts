/** Finding information: the timeline, explanations, and the palette that leads to every page. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, beforeEach, describe, it } from 'node:test';
import type { Page } from 'playwright-core';
import { waitUntil } from '../../lab/wait.ts';
import { type Claimed, startClaimed } from './claimed.ts';
import { axe, type Opened, person, SCREENSHOTS } from './support.ts';

describe('watching', () => {
  let appliance: Claimed;
  let opened: Opened;
  let page: Page;

  before(async () => {
    appliance = await startClaimed('watching');
  });
  beforeEach(async () => {
    await opened?.[Symbol.asyncDispose]();
    opened = await appliance.open();
    page = opened.page;
  });
  after(() => appliance?.[Symbol.asyncDispose]());

  const title = (name: string) => page.getByRole('heading', { name, level: 1, exact: true }).waitFor();
  const parameters = () => Object.fromEntries(new URL(page.url()).searchParams);
  /** A visitor from the Internet who requests a name. */
  const visit = (name: string, path = '') =>
    appliance.world.hosts.client.run(
      'curl',
      ['-sS', '-m', '30', '-o', '/dev/null', `https://${name}/${path}`],
      {
        env: { CURL_CA_BUNDLE: appliance.world.caCertificate },
      },
    );
  const rows = (text: string) => page.locator('.timeline li').filter({ hasText: text });

  it('the timeline continues by itself, and stops while it is paused', async () => {
    const user = person(page);
    await user.visit('/live');
    await title('Live');
    await page.getByRole('button', { name: 'Pause' }).waitFor();
    await visit('example.com');
    await rows('connected to example.com, routed to web1').first().waitFor();
    await user.click('Pause');
    await page.getByText('Paused.').waitFor();
    await visit('example.org');
    await page.getByText(/^Paused; \d+ new events? (is|are) waiting\.$/).waitFor();
    assert.equal(await rows('example.org').count(), 0);
    await page.screenshot({ path: join(SCREENSHOTS, 'live-paused.png') });
    await user.click('Go on');
    await rows('connected to example.org, routed to web2').first().waitFor();
    assert.deepEqual(opened.watch.troubles, []);
  });

  it("a change of a server's health has its own kind, shows the reason and links to the server", async () => {
    const user = person(page);
    // Opening the page triggers the measurement of the servers. The lab's certificates are from an unknown authority.
    await user.visit('/servers');
    await title('Servers');
    await user.visit('/live?kind=health&server=web2');
    await rows('web2: problem with https, port 443').first().click();
    await page.getByText('The certificate is not from an authority').first().waitFor();
    assert.equal(await page.locator('.timeline > li').filter({ hasNotText: 'web2' }).count(), 0);
    await user.click('To the server web2', 'link');
    await title('web2');
    assert.deepEqual(opened.watch.troubles, []);
  });

  it('the detail of recorded DNS queries is chosen on the page of DNS64', async () => {
    const user = person(page);
    await user.visit('/dns64');
    await page.getByLabel('Queries in the timeline').selectOption({ label: 'names, not who asked' });
    await user.click('Review and apply');
    await page.getByRole('dialog').getByText('names').first().waitFor();
    assert.deepEqual(opened.watch.troubles, []);
  });

  it('the traffic of a server: now, since the start, over an hour and over 30 days', async () => {
    const user = person(page);
    await visit('www.example.com', 'large');
    await user.visit('/servers/web1');
    const card = page.locator('.card', { has: page.getByRole('heading', { name: 'Traffic' }) });
    await card
      .getByText(/^[0-9.]+\s(Ki)?B up, 1[0-9]\sMiB down; connections: [0-9]+, open now: 0$/)
      .waitFor();
    await card.getByRole('group', { name: 'Throughput' }).locator('canvas').waitFor();
    const asked = page.waitForRequest((request) => /history\?series=host.*&host=web1/.test(request.url()));
    await card.getByLabel('30 days').check();
    assert.match((await asked).url(), /hostUpBytesPerSecond/);
    await user.visit('/servers');
    await page.getByRole('columnheader', { name: 'Now, up / down' }).waitFor();
    // A rate needs two samples of the stream.
    const row = page.getByRole('row', { name: /web1/ });
    await row.filter({ hasText: /bit\/s \/ [0-9.]+.*bit\/s/ }).waitFor();
    assert.deepEqual(opened.watch.troubles, []);
  });

  it('filters are in the address: they can be shared, reloaded and removed', async () => {
    const user = person(page);
    await visit('example.com');
    await visit('shop.example.org');
    await user.visit('/live');
    await page.getByLabel('Server', { exact: true }).selectOption('web3');
    await rows('shop.example.org').first().waitFor();
    await waitUntil('other servers to be gone', async () => (await rows('web1').count()) === 0);
    await page.getByLabel('DNS', { exact: true }).uncheck();
    await user.fill('Client', '203.0.113.10');
    await user.fill('Contains', 'shop');
    await user.press('Enter');
    const wanted = {
      kind: 'connection,nat64,service,health,notice',
      server: 'web3',
      client: '203.0.113.10',
      text: 'shop',
    };
    await waitUntil('the address', () => Object.keys(parameters()).length === 4);
    assert.deepEqual(parameters(), wanted);
    await page.reload();
    await rows('shop.example.org').first().waitFor();
    assert.equal(await page.getByLabel('Contains').inputValue(), 'shop');
    assert.equal(await page.getByLabel('DNS', { exact: true }).isChecked(), false);
    // New events appear too.
    const before = await rows('shop.example.org').count();
    await visit('shop.example.org');
    await waitUntil('the new row', async () => (await rows('shop.example.org').count()) > before);
    await user.fill('Contains', 'nothing-has-this');
    await user.click('Filter');
    await page.getByText('No event matches the filters').waitFor();
    await user.click('Show everything');
    await waitUntil('no parameters', () => Object.keys(parameters()).length === 0);
    await rows('example.com').first().waitFor();
    assert.deepEqual(opened.watch.troubles, []);
  });

  it('an invalid filter shows the value, and what is expected', async () => {
    const user = person(page);
    await user.visit('/live');
    await user.fill('Client', '203.0.113.999');
    await user.click('Filter');
    await page.getByText(/"203\.0\.113\.999" is not/).waitFor();
    assert.equal(await page.getByLabel('Client').getAttribute('aria-invalid'), 'true');
    assert.deepEqual(await axe(page), []);
  });

  it('a row links to its server, to its rule, and to the other rows of its client', async () => {
    const user = person(page);
    await visit('example.com');
    const place = '/live?kind=connection&server=web1';
    await user.visit(place);
    await rows('to example.com at web1 ended').first().click();
    await user.click('To the server web1', 'link');
    await title('web1');
    await page.goBack();
    await rows('to example.com at web1 ended').first().click();
    await user.click('Everything of this client', 'link');
    await waitUntil('the client in the address', () => parameters()['client'] === '203.0.113.10');
    await user.visit(place);
    await rows('to example.com at web1 ended').first().click();
    await user.click('Explain this connection', 'link');
    await title('Explain');
    await page.getByText('example.com leads to web1').first().waitFor();
    // The rule of the listener is in the document; that of the name is on the page of its server.
    await page.getByRole('link', { name: 'the rule: /hosts/0' }).first().click();
    await title('web1');
    assert.deepEqual(opened.watch.troubles, []);
  });

  it('explain: where a connection would lead, why it is refused, and an invalid question', async () => {
    const user = person(page);
    await user.visit('/explain');
    await page.getByText('Nothing is sent: the answer comes').waitFor();
    for (const [from, to, port, outcome] of [
      ['203.0.113.9', 'shop.example.org', '443', /leads to web3/],
      ['203.0.113.9', 'nobody.example.net', '443', /nobody\.example\.net/],
      ['2001:db8:1::10', '198.51.100.80', '443', /NAT64/],
    ] as const) {
      await user.fill('From', from);
      await user.fill('To', to);
      await user.fill('Port', port);
      await user.press('Enter');
      await waitUntil(`the answer for ${to}`, async () => parameters()['to'] === to);
      await page
        .locator('.outcome')
        .filter({ hasText: outcome })
        .or(page.locator('.steps'))
        .first()
        .waitFor();
    }
    assert.deepEqual(await axe(page), []);
    await user.fill('From', 'somebody');
    await user.fill('Port', '70000');
    await user.press('Enter');
    await page.getByText(/"somebody" is not/).waitFor();
    await page.getByText(/70000 is not/).waitFor();
    assert.equal(await page.getByLabel('Port').getAttribute('aria-invalid'), 'true');
    await page.screenshot({ path: join(SCREENSHOTS, 'explain-wrong.png') });
  });

  it('the palette finds pages, servers and actions by typing', async () => {
    const user = person(page);
    const results = page.getByRole('option');
    await user.visit('/');
    await title('Dashboard');
    await user.press('Control+k');
    await page.screenshot({ path: join(SCREENSHOTS, 'palette.png') });
    assert.deepEqual(await axe(page), []);
    await user.type('shop.example');
    await waitUntil('one result', async () => (await results.count()) === 1);
    await user.press('Enter');
    await title('web3');

    await user.press('Control+k');
    await user.type('tokens');
    await user.press('Enter');
    await page.getByRole('heading', { name: 'API tokens' }).waitFor();

    await user.press('Control+k');
    await user.type('no such thing');
    await page.getByText('No match.').first().waitFor();
    await user.press('Enter');
    await user.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });

    await user.press('Control+k');
    await user.type('dark');
    await page.getByRole('option', { name: 'Appearance: Dark' }).waitFor();
    await user.press('Enter');
    await waitUntil('the dark', () =>
      page.evaluate<boolean>("getComputedStyle(document.documentElement).colorScheme === 'dark'"),
    );
    await user.press('Control+k');
    await user.type('deutsch');
    await page.getByRole('option', { name: 'Deutsch' }).waitFor();
    await user.press('Enter');
    await page.getByRole('link', { name: 'Übersicht' }).first().waitFor();
    await user.press('Control+k');
    // The arrow keys wrap around: the last entry comes before the first.
    await user.press('ArrowUp');
    await page.getByRole('option', { name: 'Abmelden', selected: true }).waitFor();
    await user.press('Enter');
    await page.getByRole('heading', { name: 'Anmelden' }).waitFor();
    assert.deepEqual(opened.watch.troubles, []);
  });
});
