/** The System page: backup and restore, accounts and sign-in, restart and reset. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { Secret, TOTP } from 'otpauth';
import type { Browser, Page } from 'playwright-core';
import { CONFIGURATION } from '../../lab/appliance.ts';
import type { Child } from '../../lab/host.ts';
import { waitUntil } from '../../lab/wait.ts';
import { buildWorld, type World } from '../../lab/world.ts';
import {
  axe,
  card,
  claim,
  FRESH,
  hostsInForce,
  openPage,
  ORIGIN,
  PASSWORD,
  person,
  SCREENSHOTS,
  startBrowser,
  startProcess,
  stateDirectoryOf,
} from './support.ts';

const PASSPHRASE = 'a walk along the bar of sand';
const SSH_KEY =
  'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpa me@example.com';
const PHONE = { width: 390, height: 844 };
const CODE_MS = 30_000;

describe('the system page', () => {
  let world: World;
  let browser: Browser;
  let process_: Child;
  let systemd: Child;
  let environment: Record<'TOMBOLO_ACTIONS' | 'TOMBOLO_SSH_HOST_KEY' | 'NOTIFY_SOCKET', string>;
  let backup: string;

  before(async () => {
    world = await buildWorld();
    environment = {
      TOMBOLO_ACTIONS: join(world.directory, 'actions'),
      TOMBOLO_SSH_HOST_KEY: join(world.directory, 'ssh-host-key.pub'),
      NOTIFY_SOCKET: join(world.directory, 'notify'),
    };
    backup = join(world.directory, 'tombolo.backup');
    mkdirSync(environment.TOMBOLO_ACTIONS);
    // The socket of the service manager. After a restore it would restart the process; the tests do that themselves.
    systemd = world.hosts.appliance.spawn('socat', [
      '-u',
      `UNIX-RECV:${environment.NOTIFY_SOCKET}`,
      'OPEN:/dev/null',
    ]);
    await waitUntil('the socket of the service manager', () => existsSync(environment.NOTIFY_SOCKET));
    process_ = await startProcess(world, { ...CONFIGURATION, ...FRESH }, 'system', environment);
    browser = await startBrowser(world);
    await using first = await openPage(browser);
    await claim(first.page);
  });
  after(async () => {
    await browser?.close();
    await process_?.stop();
    await systemd?.stop();
    await world?.[Symbol.asyncDispose]();
  });

  const heading = (page: Page, name: string) =>
    page.getByRole('heading', { name, level: 1, exact: true }).waitFor();
  const dialog = (page: Page) => page.getByRole('dialog');
  const look = async (page: Page, name: string) => {
    await page.screenshot({ path: join(SCREENSHOTS, `${name}.png`) });
    assert.deepEqual(await axe(page), [], name);
    const wider = await page.evaluate<number>('document.documentElement.scrollWidth - innerWidth');
    assert.ok(wider <= 0, `${name}: ${wider} px wider than the screen`);
  };

  async function signIn(page: Page, path = '/', code?: string): Promise<void> {
    const user = person(page);
    await user.visit(path);
    await user.fill('Password', PASSWORD);
    if (code !== undefined) await user.fill('Code of your authenticator app', code);
    await user.click('Sign in');
    await page.getByRole('heading', { name: 'Sign in' }).waitFor({ state: 'detached' });
  }

  /** The process ends by itself with success, and its service manager restarts it. */
  async function restarted(name: string): Promise<void> {
    assert.equal(await process_.exited, 0);
    process_ = await startProcess(world, undefined, name, environment);
  }

  /** Chooses a backup, which is shown if the passphrase is correct. */
  async function restore(page: Page, password = PASSWORD): Promise<void> {
    const form = page.locator('form').filter({ has: page.getByLabel('Backup file') });
    await form.getByLabel('Backup file').setInputFiles(backup);
    await form.getByLabel('Passphrase').fill('another walk entirely');
    await form.getByLabel('Present password').fill(password);
    await form.getByRole('button', { name: 'Show what would change' }).click();
    await page.getByText('The passphrase is wrong').waitFor();
    await form.getByLabel('Passphrase').fill(PASSPHRASE);
    await form.getByRole('button', { name: 'Show what would change' }).click();
    await page.getByRole('heading', { name: 'What would change' }).waitFor();
    await page.locator('.diff').getByText('web3').first().waitFor();
  }
  async function reallyRestore(page: Page): Promise<void> {
    await person(page).click('Restore');
    await dialog(page).getByText('connections through the appliance end').waitFor();
    await dialog(page).getByRole('button', { name: 'Restore', exact: true }).click();
  }

  it('a backup is made; a restore shows its changes, then makes them', async () => {
    await using opened = await openPage(browser, { viewport: PHONE });
    const { page } = opened;
    await signIn(page, '/system?view=backup');
    const make = card(page, 'Make a backup');
    await make.getByLabel('Passphrase').fill('short');
    await make.getByLabel('Present password').fill('a guess of mine');
    await make.getByRole('button').click();
    await make.getByText(/"?passphrase"? .*8/).waitFor();
    await make.getByLabel('Passphrase').fill(PASSPHRASE);
    await make.getByRole('button').click();
    await make.getByText('is not the present password').first().waitFor();
    await make.getByLabel('Present password').fill(PASSWORD);
    const [download] = await Promise.all([page.waitForEvent('download'), make.getByRole('button').click()]);
    assert.match(download.suggestedFilename(), /^tombolo-backup-.*\.age$/);
    await download.saveAs(backup);
    assert.ok(statSync(backup).size > 200);

    const user = person(page);
    await user.visit('/servers/web3');
    await user.click('Remove');
    await dialog(page).getByRole('button', { name: 'Remove', exact: true }).click();
    await user.click('Review and apply');
    await user.click('Apply without a countdown');
    await page.getByText('Applied.', { exact: true }).waitFor();
    assert.deepEqual(await hostsInForce(page), ['web1', 'web2']);

    await user.visit('/system?view=backup');
    await restore(page);
    await look(page, 'restore-390');
    assert.deepEqual(await hostsInForce(page), ['web1', 'web2'], 'a dry run changes nothing');
    await reallyRestore(page);
    await restarted('system');
    // The page notices by itself that the session has ended.
    await page.getByRole('heading', { name: 'Sign in' }).waitFor({ timeout: 20_000 });
    await signIn(page, '/system');
    await heading(page, 'System');
    assert.deepEqual(await hostsInForce(page), ['web1', 'web2', 'web3']);
  });

  it('an authenticator app is enrolled, required at sign-in, and switched off', async () => {
    await using opened = await openPage(browser);
    const { page, watch } = opened;
    await signIn(page, '/system?view=access');
    const user = person(page);
    await user.click('Set up a second factor');
    await dialog(page).getByRole('img', { name: 'QR code of Second factor' }).waitFor();
    const secret = Secret.fromBase32((await dialog(page).locator('code').textContent()) ?? '');
    const codeIn = (ms: number) => new TOTP({ secret }).generate({ timestamp: Date.now() + ms });
    await look(page, 'totp');
    const password = dialog(page).getByLabel('Present password');
    await password.fill(PASSWORD);
    await user.fill('Code', codeIn(3_600_000));
    await user.press('Enter');
    await dialog(page).getByText("the appliance's clock says").first().waitFor();
    // Somebody who has found the page signed in, and tries their own authenticator app.
    await password.fill('a guess of mine');
    await user.fill('Code', codeIn(0));
    await user.press('Enter');
    await dialog(page).getByText('is not the present password').first().waitFor();
    await password.fill(PASSWORD);
    watch.troubles.length = 0; // Chromium writes each refusal to its console.
    await user.fill('Code', codeIn(0));
    await user.press('Enter');
    await page.getByText('Signing in needs a code of your authenticator app.').waitFor();
    await user.click('Sign out');
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
    await look(page, 'sign-in-code');
    // Each code is valid once: this is the next one, which a fast clock would show.
    await signIn(page, '/system?view=access', codeIn(CODE_MS));
    await user.click('Switch it off');
    await dialog(page).getByText('the password alone signs in').waitFor();
    await dialog(page).getByLabel('Present password').fill(PASSWORD);
    await user.press('Enter');
    await page.getByText('Off: the password alone signs in.').waitFor();
    assert.deepEqual(watch.troubles, []);
  });

  it('an API token is made, shown once, used, and revoked', async () => {
    await using opened = await openPage(browser, { viewport: PHONE });
    const { page, watch } = opened;
    await signIn(page, '/system?view=access');
    const user = person(page);
    const tokens = card(page, 'API tokens');
    await user.fill('What it is for', 'Prometheus');
    await tokens.getByLabel('Present password').fill('a guess of mine');
    await user.click('Make a token');
    await tokens.getByText('is not the present password').first().waitFor();
    await page.getByText('No tokens yet').waitFor();
    watch.troubles.length = 0; // Chromium writes each refusal to its console.
    await tokens.getByLabel('Present password').fill(PASSWORD);
    await user.click('Make a token');
    const shown = page.getByRole('status').filter({ hasText: 'It is shown only once.' });
    const secret = (await shown.locator('pre').textContent())?.trim() ?? '';
    assert.match(secret, /^tombolo_[\w-]{43}$/);
    await look(page, 'token-390');
    const status = async () => {
      const header = `Authorization: Bearer ${secret}`;
      const written = ['-sk', '-o', '/dev/null', '-w', '%{http_code}', '-H', header];
      const { stdout } = await world.hosts.web3.run('curl', [...written, `${ORIGIN}/metrics`]);
      return stdout;
    };
    assert.equal(await status(), '200');
    await page.reload();
    const row = page.getByRole('row').filter({ hasText: 'Prometheus' });
    await row.getByText('ago').or(row.getByText('now')).first().waitFor();
    assert.equal(await page.getByText(secret).count(), 0, 'never again');
    await user.click('Revoke: Prometheus');
    await dialog(page).getByText('Programs that use it are refused at once.').waitFor();
    await dialog(page).getByRole('button', { name: 'Revoke', exact: true }).click();
    await page.getByText('No tokens yet').waitFor();
    assert.equal(await status(), '401');
    assert.deepEqual(watch.troubles, []);
  });

  it('sessions: the session of another browser is ended, then all of them', async () => {
    await using here = await openPage(browser);
    await using there = await openPage(browser);
    await signIn(there.page);
    await signIn(here.page, '/system?view=access');
    await card(here.page, 'Sessions').getByText('this one').waitFor();
    const ends = card(here.page, 'Sessions').getByRole('button', { name: /^End: / });
    for (let others = await ends.count(); others > 0; others--) {
      await ends.first().click();
      await dialog(here.page).getByText('Whoever uses it must sign in again.').waitFor();
      await dialog(here.page).getByRole('button', { name: 'End', exact: true }).click();
      await waitUntil('one session less', async () => (await ends.count()) < others);
    }
    // It learns this from its live stream.
    await there.page.getByRole('heading', { name: 'Sign in' }).waitFor();
    await person(here.page).click('End all sessions');
    await dialog(here.page).getByRole('button', { name: 'End all sessions' }).click();
    await here.page.getByRole('heading', { name: 'Sign in' }).waitFor();
  });

  it('the actions are in the audit log', async () => {
    await using opened = await openPage(browser);
    const { page } = opened;
    await signIn(page, '/system?view=audit');
    for (const text of ['Makes a backup', 'Makes an API token', 'Prometheus (read)'])
      await page.getByText(text).first().waitFor();
  });

  it('SSH to the appliance: off, on with a key and the password, off again', async () => {
    await using opened = await openPage(browser);
    const { page, watch } = opened;
    await signIn(page, '/system?view=access');
    const user = person(page);
    const ssh = card(page, 'SSH to this appliance');
    await ssh.getByText('Off: there is no key.').waitFor();
    const add = ssh.getByRole('button', { name: 'Add this key' });
    const field = ssh.getByLabel('Public key');
    const password = ssh.getByLabel('Present password');

    await field.fill('-----BEGIN OPENSSH PRIVATE KEY----- b3BlbnNzaC1rZXk=');
    await password.fill(PASSWORD);
    await add.click();
    await ssh.getByText('the private half of a key').waitFor();
    await field.fill(SSH_KEY);
    await add.click();
    await page.getByText('The key may log in.').waitFor();
    await ssh.getByText(SSH_KEY.split(' ')[2]).waitFor();
    await ssh.getByText(/^ssh root@/).waitFor();
    assert.equal(await field.inputValue(), '');
    const list = join(stateDirectoryOf(world, 'system'), 'authorized_keys');
    assert.equal(readFileSync(list, 'utf8'), `${SSH_KEY}\n`);
    assert.ok(existsSync(join(environment.TOMBOLO_ACTIONS, 'ssh-keys')));
    await look(page, 'ssh-1440');
    await page.setViewportSize(PHONE);
    await ssh.scrollIntoViewIfNeeded();
    await look(page, 'ssh-390');

    await user.click(`Remove: ${SSH_KEY.split(' ')[2]}`);
    await dialog(page).getByText('SSH is switched off').waitFor();
    await dialog(page).getByRole('button', { name: 'Remove', exact: true }).click();
    await ssh.getByText('Off: there is no key.').waitFor();
    assert.equal(readFileSync(list, 'utf8'), '');
    // From the request that was refused.
    assert.deepEqual(
      watch.troubles.filter((trouble) => !trouble.includes('400')),
      [],
    );
  });

  it('reboot and factory reset need a confirmation, the latter with the name of the appliance', async () => {
    await using opened = await openPage(browser, { viewport: PHONE });
    const { page, watch } = opened;
    await signIn(page, '/system');
    await page.getByRole('heading', { name: 'Hardware' }).waitFor();
    await page.getByText('Operating system').waitFor();
    const user = person(page);
    const asked = join(environment.TOMBOLO_ACTIONS, 'reboot');
    const reset = join(stateDirectoryOf(world, 'system'), 'factory-reset');
    await user.click('Reboot');
    await dialog(page).getByText('Every connection through it ends.').waitFor();
    await user.press('Escape');
    await dialog(page).waitFor({ state: 'detached' });
    assert.equal(existsSync(asked), false);
    await user.click('Reboot');
    await dialog(page).getByRole('button', { name: 'Reboot', exact: true }).click();
    await page.getByText('The appliance reboots.', { exact: true }).waitFor();
    assert.ok(existsSync(asked));

    await user.click('Factory reset');
    const confirm = dialog(page).getByRole('button', { name: 'Factory reset' });
    await dialog(page).getByText('make one first').waitFor();
    await look(page, 'factory-reset-390');
    assert.ok(await confirm.isDisabled());
    await dialog(page).getByLabel('Type the host name').fill(`${hostname()}x`);
    await user.press('Enter');
    assert.ok(await confirm.isDisabled());
    assert.equal(existsSync(reset), false);
    await dialog(page).getByLabel('Type the host name').fill(hostname());
    await dialog(page).getByLabel('Present password').fill(PASSWORD);
    await user.press('Enter');
    await page.getByText('The appliance is being reset.').waitFor();
    assert.ok(existsSync(reset));
    assert.deepEqual(watch.troubles, []);
  });

  it('the first run offers a restore: another appliance takes over', async () => {
    await process_.stop();
    process_ = await startProcess(world, FRESH, 'successor', environment);
    await using opened = await openPage(browser, { viewport: PHONE });
    const { page } = opened;
    const user = person(page);
    await user.visit('/');
    await user.fill('Password', 'only for a minute or two');
    await user.fill('The same password again', 'only for a minute or two');
    await page.getByLabel('Then restore a backup of another appliance').check();
    await user.click('Claim this appliance');
    await heading(page, 'Restore');
    await restore(page, 'only for a minute or two');
    await look(page, 'first-run-restore-390');
    await reallyRestore(page);
    await restarted('successor');
    await page.getByRole('heading', { name: 'Sign in' }).waitFor({ timeout: 20_000 });
    await signIn(page, '/servers');
    await heading(page, 'Servers');
    assert.deepEqual(await hostsInForce(page), ['web1', 'web2', 'web3']);
  });
});
