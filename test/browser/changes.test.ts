/** Changing the configuration: collect, review, apply with a countdown, keep or roll back; also with the keyboard. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, beforeEach, describe, it } from 'node:test';
import type { Page } from 'playwright-core';
import { type Claimed, startClaimed } from './claimed.ts';
import { axe, hostsInForce, type Opened, ORIGIN, person, SCREENSHOTS, startProcess } from './support.ts';

describe('changes', () => {
  let appliance: Claimed;
  let opened: Opened;
  let page: Page;

  before(async () => {
    appliance = await startClaimed('changes');
  });
  beforeEach(async () => {
    await opened?.[Symbol.asyncDispose]();
    opened = await appliance.open();
    page = opened.page;
  });
  after(() => appliance?.[Symbol.asyncDispose]());

  const title = (name: string) => page.getByRole('heading', { name, level: 1, exact: true }).waitFor();
  const inForce = async (name: string) => (await hostsInForce(page)).includes(name);

  it('a server is added with the keyboard alone, applied and kept', async (t) => {
    const user = person(page);
    await user.visit('/');
    await title('Dashboard');
    await user.press('Control+k');
    await user.type('add server');
    await page.getByRole('option', { name: 'Servers' }).waitFor();
    await user.press('Enter');
    await title('Servers');
    await user.tabTo('Add a server');
    await user.press('Enter');
    await title('Add a server');
    await user.type('web4');
    await user.press('Tab');
    await user.type('2001:db8:1::40');
    await user.press('Tab');
    await user.type('new.example.com');
    await user.tabTo('Save');
    await user.press('Enter');
    await title('web4');
    assert.equal(await inForce('web4'), false, 'a draft is not active');
    await user.tabTo('Review and apply');
    await user.press('Enter');
    await page.getByText('hosts[web4]').waitFor();
    await page.screenshot({ path: join(SCREENSHOTS, 'review.png') });
    assert.deepEqual(await axe(page), []);
    await user.tabTo('Apply, with a countdown');
    await user.press('Enter');
    await page.getByText('Rolls back by itself in').waitFor();
    await page.screenshot({ path: join(SCREENSHOTS, 'countdown.png') });
    assert.deepEqual(await axe(page), []);
    assert.equal(await inForce('web4'), true);
    await user.tabTo('Keep the change');
    await user.press('Enter');
    await page.getByText('The change is kept.').waitFor();
    assert.deepEqual(opened.watch.troubles, []);
    t.diagnostic(`${user.actions} key strokes and texts`);
  });

  it('a change that is not kept is rolled back', async () => {
    const user = person(page);
    await user.visit('/servers/web3');
    await title('web3');
    await user.click('Remove');
    await page.getByText('From IPv4, shop.example.org will lead nowhere.').waitFor();
    await page.screenshot({ path: join(SCREENSHOTS, 'remove.png') });
    await page.getByRole('dialog').getByRole('button', { name: 'Remove', exact: true }).click();
    await title('Servers');
    await user.click('Review and apply');
    await user.click('Apply, with a countdown');
    await page.getByText('Rolls back by itself in').waitFor();
    assert.equal(await inForce('web3'), false);
    await user.click('Roll back now');
    await page.getByText('The previous configuration is active again.').waitFor();
    assert.equal(await inForce('web3'), true);
  });

  it('a kill in the countdown does not confirm the change: the page shows the old configuration, and reports the rollback', async () => {
    const user = person(page);
    await user.visit('/servers/web3');
    await user.click('Remove');
    await page.getByRole('dialog').getByRole('button', { name: 'Remove', exact: true }).click();
    await user.click('Review and apply');
    await user.click('Apply, with a countdown');
    await page.getByText('Rolls back by itself in').waitFor();
    assert.equal(await inForce('web3'), false);
    await appliance.process.stop('SIGKILL');
    appliance.process = await startProcess(appliance.world, undefined, 'changes');
    await page.getByText('The last change was rolled back').waitFor({ timeout: 30_000 });
    await page.screenshot({ path: join(SCREENSHOTS, 'rolled-back.png') });
    assert.equal(await inForce('web3'), true);
    await user.click('Understood');
    await page.getByText('The last change was rolled back').waitFor({ state: 'detached' });
  });

  it("a change of the page's own address is confirmed at the new one", async () => {
    const user = person(page);
    const moveTo = async (port: number) => {
      await page.getByRole('link', { name: 'Configuration' }).first().click();
      await page.getByRole('link', { name: 'JSON' }).click();
      const text = page.getByLabel('The document');
      const { admin, ...document } = JSON.parse(await text.inputValue()) as { admin: object };
      await text.fill(JSON.stringify({ ...document, admin: { ...admin, port } }));
      await user.click('Use as the draft');
      await user.click('Review and apply');
      await page.getByText('admin.port').first().waitFor();
      await user.click('Apply, with a countdown');
      // The page follows by itself.
      await page.waitForURL(`**:${port}/**`);
      await page.getByText('Rolls back by itself in').waitFor();
      await user.click('Keep the change');
      await page.getByText('The change is kept.').waitFor();
    };
    await user.visit('/');
    await moveTo(8065);
    await moveTo(8064);
    await title('Configuration');
  });

  it('an error is shown beside its field, with the expected value', async () => {
    const user = person(page);
    await user.visit('/add-server');
    await title('Add a server');
    await user.fill('Name', 'Web 9');
    await user.fill('IPv6 address', '192.0.2.7');
    await user.press('Tab');
    await page.getByText('"192.0.2.7" is not an IPv6 address such as 2001:db8:1::10').waitFor();
    await page.getByText(/"Web 9" is not a label of lower-case letters/).waitFor();
    await user.click('Save');
    await title('Add a server');
    assert.equal(await page.getByLabel('Name', { exact: true }).getAttribute('aria-invalid'), 'true');
    await page.screenshot({ path: join(SCREENSHOTS, 'wrong-input.png') });
    assert.deepEqual(await axe(page), []);
  });

  it('several servers are pasted; the draft survives a reload and is discarded', async () => {
    const user = person(page);
    await user.visit('/servers');
    await user.click('Paste several');
    await page
      .getByRole('dialog')
      .getByLabel('Servers')
      .fill('web5 2001:db8:1::50 five.example.com\nweb6 nonsense');
    await user.click('Read');
    await page.getByText(/^Line 2:/).waitFor();
    await page.getByText('"nonsense" is not').waitFor();
    assert.deepEqual(await axe(page), []);
    await page.screenshot({ path: join(SCREENSHOTS, 'paste.png') });
    await user.click('Import 1 server');
    await page.reload();
    await page.getByRole('link', { name: 'web5' }).waitFor();
    await user.click('Discard');
    await page.getByRole('link', { name: 'web5' }).waitFor({ state: 'detached' });
  });

  it('servers from a table and from JSON are applied; existing ones are replaced', async () => {
    const user = person(page);
    for (const text of [
      'name,address,hostnames\nweb7,2001:db8:1::70,seven.example.com\nweb8,2001:db8:1::80,eight.example.com',
      '[{"name":"web8","address":"2001:db8:1::81","hostnames":["eight.example.com"]}]',
    ]) {
      await user.visit('/servers');
      await user.click('Paste several');
      await page.getByRole('dialog').getByLabel('Servers').fill(text);
      await user.click('Read');
      await user.click(/^Import [12] servers?$/);
      await user.click('Review and apply');
      await user.click('Apply without a countdown');
      await page.getByText('Applied.', { exact: true }).waitFor();
    }
    assert.equal(await inForce('web7'), true);
    await page.getByText('2001:db8:1::81').first().waitFor();
  });

  it('the history shows each change, and can bring one back', async () => {
    const user = person(page);
    await user.visit('/configuration?view=history');
    await page.getByText('active', { exact: true }).waitFor();
    await page.getByRole('button', { name: /^Show: Revision 1$/ }).click();
    await page.getByRole('heading', { name: 'What bringing it back would change now' }).waitFor();
    await page.screenshot({ path: join(SCREENSHOTS, 'revision.png') });
    assert.deepEqual(await axe(page), []);
    await user.click('Bring it back');
    await page.getByRole('dialog').getByRole('button', { name: 'Bring it back' }).click();
    await page.getByText('Rolls back by itself in').waitFor();
    assert.equal(await inForce('web4'), false);
    await user.click('Keep the change');
    await page.getByText('The change is kept.').waitFor();
    // Then back again: to the newest revision before this one.
    await user.visit('/configuration?view=history');
    await page.getByText('brought back').first().waitFor();
    await page
      .getByRole('button', { name: /^Show: Revision / })
      .nth(1)
      .click();
    await user.click('Bring it back');
    await page.getByRole('dialog').getByRole('button', { name: 'Bring it back' }).click();
    await page.getByText('Rolls back by itself in').waitFor();
    await user.click('Keep the change');
    await page.getByText('The change is kept.').waitFor();
    assert.equal(await inForce('web4'), true);
  });

  it('an answer is saved as an assertion, and a change that breaks it is refused', async () => {
    const user = person(page);
    await user.visit('/explain?from=203.0.113.10&protocol=tcp&to=example.org&port=443');
    await page.getByRole('link', { name: 'web2' }).first().waitFor();
    await user.click('Keep as an assertion');
    await page.getByRole('dialog').getByRole('button', { name: 'Save' }).click();
    await user.click('Review and apply');
    await user.click('Apply without a countdown');
    await page.getByText('Applied.', { exact: true }).waitFor();
    await page.goto(`${ORIGIN}/servers/web2`);
    await user.click('Remove');
    await page.getByRole('dialog').getByRole('button', { name: 'Remove', exact: true }).click();
    await user.click('Review and apply');
    await page.getByText('These assertions would no longer hold').waitFor();
    assert.ok(await page.getByRole('button', { name: 'Apply without a countdown' }).isDisabled());
  });
});
