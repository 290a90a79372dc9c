/** From an unclaimed appliance to a site that can be reached from the Internet; then the same without a mouse. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import type { Child } from '../../lab/host.ts';
import { buildWorld, type World } from '../../lab/world.ts';
import { waitUntil } from '../../lab/wait.ts';
import { ADDRESSES } from '../../lab/zone.ts';
import {
  axe,
  FRESH,
  openPage,
  PASSWORD,
  person,
  SCREENSHOTS,
  startBrowser,
  startProcess,
} from './support.ts';

const MOST_ACTIONS = 25;

describe('the first run', () => {
  let world: World;
  let browser: Browser;
  let process_: Child | undefined;

  before(async () => {
    world = await buildWorld();
    browser = await startBrowser(world);
  });
  after(async () => {
    await browser?.close();
    await process_?.stop();
    await world?.[Symbol.asyncDispose]();
  });

  const startAnew = async (name: string) => {
    await process_?.stop();
    process_ = await startProcess(world, FRESH, name);
  };
  /** What the Internet gets under the name. */
  const site = () =>
    world.hosts.client.attempt('curl', ['-sS', '-m', '5', 'https://example.com/'], {
      env: { CURL_CA_BUNDLE: world.caCertificate },
    });
  const reached = async (actions: number) => {
    const { stdout } = await waitUntil('the site from the Internet', async () => {
      const answer = await site();
      return answer.code === 0 ? answer : undefined;
    });
    assert.match(stdout, /^server: web1$/m);
    assert.ok(actions < MOST_ACTIONS, `${actions} actions`);
  };
  const heading = (page: Page, name: string) =>
    page.getByRole('heading', { name, level: 1, exact: true }).waitFor();
  const look = async (page: Page, step: string) => {
    await page.screenshot({ path: join(SCREENSHOTS, `first-run-${step}.png`), fullPage: true });
    assert.deepEqual(await axe(page), [], step);
  };

  it(`reaches a site in less than ${MOST_ACTIONS} actions`, async (t) => {
    await startAnew('mouse');
    assert.notEqual((await site()).code, 0, 'the site cannot be reached yet');
    await using opened = await openPage(browser);
    const { page, watch } = opened;
    const user = person(page);
    await user.visit('/');
    await heading(page, 'Set up Tombolo');
    await look(page, '1-password');
    await user.fill('Password', PASSWORD);
    await user.fill('The same password again', PASSWORD);
    await user.click('Claim this appliance');

    await heading(page, 'Network');
    await page.getByText(ADDRESSES.appliance4).first().waitFor();
    await look(page, '2-network');
    await user.click('Continue');

    await heading(page, 'First server');
    await page.getByRole('button', { name: `Use ${ADDRESSES.web1}` }).waitFor();
    await look(page, '3-server');
    await user.click(`Use ${ADDRESSES.web1}`);
    await user.fill('Host names', 'example.com');
    await user.click('Add this server');

    await heading(page, 'Router and DNS');
    await page.getByRole('cell', { name: /^A example\.com$/ }).waitFor();
    await look(page, '4-outside');
    await user.click('Continue');

    await heading(page, 'It is set up');
    await look(page, '5-done');
    await user.click('To the dashboard');
    await heading(page, 'Dashboard');
    await reached(user.actions);
    assert.deepEqual(watch.troubles, []);
    t.diagnostic(`${user.actions} actions, the address of the page among them`);
  });

  it('works with the keyboard alone', async (t) => {
    await startAnew('keyboard');
    await using opened = await openPage(browser);
    const { page, watch } = opened;
    const user = person(page);
    await user.visit('/');
    await heading(page, 'Set up Tombolo');
    // The password field has the focus.
    await user.type(PASSWORD);
    await user.press('Tab');
    await user.type(PASSWORD);
    await user.press('Enter');
    await heading(page, 'Network');
    await page.getByText(ADDRESSES.appliance4).first().waitFor();
    await user.tabTo('Continue');
    await user.press('Enter');
    await heading(page, 'First server');
    await page.getByRole('button', { name: `Use ${ADDRESSES.web1}` }).waitFor();
    await user.tabTo(`Use ${ADDRESSES.web1}`);
    await user.press('Enter');
    // After the choice, the focus is on the host names, the only missing value.
    await user.type('example.com');
    await user.tabTo('Add this server');
    await user.press('Enter');
    await heading(page, 'Router and DNS');
    await page.getByRole('cell', { name: /^A example\.com$/ }).waitFor();
    await user.tabTo('Continue');
    await user.press('Enter');
    await heading(page, 'It is set up');
    await user.tabTo('To the dashboard');
    await user.press('Enter');
    await heading(page, 'Dashboard');
    await reached(0);
    assert.deepEqual(watch.troubles, []);
    t.diagnostic(`${user.actions} key strokes and texts`);
  });

  it('refuses a password that is too short, or two different ones, beside the field', async () => {
    await startAnew('refused');
    await using opened = await openPage(browser);
    const { page } = opened;
    const user = person(page);
    await user.visit('/');
    await user.fill('Password', 'short');
    await user.click('Claim this appliance');
    await page.getByText('Expected at least 10 characters.').waitFor();
    await page.getByText('The two passwords differ.').waitFor();
    assert.equal(await page.getByLabel('Password', { exact: true }).getAttribute('aria-invalid'), 'true');
  });
});
