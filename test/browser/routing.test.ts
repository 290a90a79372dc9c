/** What a server's form says of its ways in, its access list and its maintenance arrives in the configuration, and is shown. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Page } from 'playwright-core';
import { waitUntil } from '../../lab/wait.ts';
import { type Claimed, startClaimed } from './claimed.ts';
import { axe, card, type Opened, person } from './support.ts';

describe('the settings of a server', () => {
  let appliance: Claimed;
  let opened: Opened;
  let page: Page;

  before(async () => {
    appliance = await startClaimed('routing');
    opened = await appliance.open();
    page = opened.page;
  });
  after(async () => {
    await opened?.[Symbol.asyncDispose]();
    await appliance?.[Symbol.asyncDispose]();
  });

  const title = (name: string) => page.getByRole('heading', { name, level: 1, exact: true }).waitFor();
  const documentInForce = () =>
    page.evaluate<{
      hosts: { name: string }[];
      proxy?: {
        defaultHost?: string;
        allowedPrefixes?: string[];
        accessLog?: string;
        workers?: number;
      };
    }>(`fetch('/api/config').then((answer) => answer.json()).then(({ document }) => document)`);
  const apply = async () => {
    const user = person(page);
    await user.click('Review and apply');
    await user.click('Apply without a countdown');
    await page.getByText('Applied.', { exact: true }).waitFor();
  };

  it('a new server with all of them is applied, and its page shows them', async () => {
    const user = person(page);
    await user.visit('/add-server');
    await title('Add a server');
    await user.fill('Name', 'web9');
    await user.fill('IPv6 address', '2001:db8:1::90');
    await user.fill('Host names', 'nine.example.com\n**.nine.example.com');
    await page.getByText('Another port, PROXY protocol or ALPN for one of them').click();
    await user.fill('http: port on the server (optional)', '99999');
    await page.getByLabel('https: the client’s address').selectOption('proxy-v2');
    await page.getByLabel('Plain HTTP').selectOption('308');
    await user.fill('Who may connect', 'lan 198.51.100.0/24');
    await page.getByLabel('Access log').selectOption('errors');
    await page.getByLabel('In maintenance').check();
    await user.click('Save');
    await page.getByText('99999 is not a port number from 1 to 65535').first().waitFor();
    assert.deepEqual(await axe(page), []);
    await user.fill('http: port on the server (optional)', '8080');
    await user.click('Save');
    await title('web9');
    await page.getByText('http → 8080').waitFor();
    await page.getByText('redirected to https (308)').waitFor();
    await page.getByText('those that failed').waitFor();
    await card(page, 'In maintenance').waitFor();
    assert.deepEqual(await axe(page), []);
    await apply();
    const { hosts } = await documentInForce();
    assert.deepEqual(
      hosts.find(({ name }) => name === 'web9'),
      {
        name: 'web9',
        address: '2001:db8:1::90',
        hostnames: ['nine.example.com', '**.nine.example.com'],
        maintenance: true,
        services: [
          { listener: 'http', targetPort: 8080 },
          { listener: 'https', clientAddress: 'proxy-v2' },
        ],
        allow: ['lan', '198.51.100.0/24'],
        redirectToHttps: 308,
        accessLog: 'errors',
      },
    );
  });

  it('the form shows what is configured, and keeps it; the maintenance is ended from the page', async () => {
    const user = person(page);
    await user.visit('/servers/web9?edit=1');
    await title('Edit web9');
    assert.equal(await page.getByLabel('http: port on the server (optional)').inputValue(), '8080');
    assert.equal(await page.getByLabel('Who may connect').inputValue(), 'lan\n198.51.100.0/24');
    assert.equal(await page.getByLabel('Access log').inputValue(), 'errors');
    await user.click('Save');
    await title('web9');
    assert.equal(await page.getByRole('button', { name: 'Review and apply' }).count(), 0, 'nothing changed');
    await user.click('End the maintenance');
    await apply();
    const { hosts } = await documentInForce();
    const { maintenance } = hosts.find(({ name }) => name === 'web9') as { maintenance?: boolean };
    assert.notEqual(maintenance, true);
  });

  it('the access log of all servers is chosen on the page of the proxy', async () => {
    const user = person(page);
    await user.visit('/proxy');
    const choice = page.getByLabel('Requests and connections that have a line');
    assert.equal(await choice.inputValue(), 'off');
    await choice.selectOption('all');
    await apply();
    assert.equal((await documentInForce()).proxy?.accessLog, 'all');
    await user.visit('/proxy');
    await choice.selectOption('off');
    await apply();
    assert.equal((await documentInForce()).proxy?.accessLog, undefined);
  });

  it('a default server is chosen on the page of the proxy, and follows a new name and a removal', async () => {
    const user = person(page);
    await user.visit('/proxy');
    await page.getByLabel('Server for unknown names').selectOption('web9');
    await apply();
    assert.equal((await documentInForce()).proxy?.defaultHost, 'web9');
    await user.visit('/servers/web9?edit=1');
    await user.fill('Name', 'web10');
    await page.getByLabel('Switched off').check();
    await user.click('Save');
    await title('web10');
    await card(page, 'Switched off').waitFor();
    await apply();
    assert.equal((await documentInForce()).proxy?.defaultHost, 'web10');
    await user.visit('/servers');
    await page.getByRole('row', { name: /web10/ }).getByText('switched off').waitFor();
    await user.visit('/servers/web10');
    await user.click('Remove');
    await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click();
    await title('Servers');
    await apply();
    assert.equal((await documentInForce()).proxy?.defaultHost, undefined);
  });

  it('limits are set on the pages of the proxy and of the forwarder, and taken away again', async () => {
    const user = person(page);
    const limits = async () => {
      const { proxy, forward } = (await documentInForce()) as Record<string, { limits?: object } | undefined>;
      return [proxy?.limits, forward?.limits];
    };
    await user.visit('/proxy');
    await card(page, 'Who has most').getByText('Nobody is connected.').waitFor();
    await user.fill('Connections of one client (optional)', 'many');
    await page.getByText('"many" is not a whole number from 1 to 32768').first().waitFor();
    assert.deepEqual(await axe(page), []);
    await user.fill('Connections of one client (optional)', '500');
    const seconds = 'Seconds until a half-closed connection ends (optional)';
    for (const wrong of ['0', 'soon']) {
      await user.fill(seconds, wrong);
      await page.getByText(`"${wrong}" is not a whole number of seconds from 1 to 86400`).waitFor();
    }
    await user.fill(seconds, '60');
    await user.visit('/forward');
    await user.fill('New connections of one client in a second (optional)', '20');
    await apply();
    assert.deepEqual(await limits(), [
      { connectionsPerClient: 500, halfClosedTimeoutMs: 60_000 },
      { newConnectionsPerSecondPerClient: 20 },
    ]);
    await user.fill('New connections of one client in a second (optional)', '');
    await user.visit('/proxy');
    await user.fill('Connections of one client (optional)', '');
    await user.fill('Seconds until a half-closed connection ends (optional)', '');
    await apply();
    assert.deepEqual(await limits(), [undefined, undefined]);
  });

  it('the number of worker threads is chosen on the page of the proxy, and runs at once', async () => {
    const user = person(page);
    await user.visit('/proxy');
    await page.getByLabel('Number of worker threads').selectOption('2');
    await apply();
    assert.equal((await documentInForce()).proxy?.workers, 2);
    await user.visit('/proxy');
    await card(page, 'Now')
      .getByText(/^Worker threads/)
      .waitFor();
    await page.getByLabel('Number of worker threads').selectOption('1');
    await apply();
    assert.equal((await documentInForce()).proxy?.workers, 1);
  });

  it('networks in which names without a server lead to their address in DNS', async () => {
    const user = person(page);
    const label = 'Networks of servers that need no entry here';
    await user.visit('/proxy');
    await title('Proxy');
    await user.fill(label, 'fe80::/64');
    await page.getByText('contains link-local addresses').first().waitFor();
    assert.deepEqual(await axe(page), []);
    await user.fill(label, '::/0');
    await page
      .getByText(/would let everybody use this appliance/)
      .first()
      .waitFor();
    await user.fill(label, '2001:db8:1::/64, 2001:db8:2::/64\n');
    await page.getByText('names in DNS only').first().waitFor({ state: 'detached' });
    await apply();
    assert.deepEqual((await documentInForce()).proxy?.allowedPrefixes, [
      '2001:db8:1::/64',
      '2001:db8:2::/64',
    ]);
    await page.getByText('names in DNS only').first().waitFor();
    await user.visit('/proxy');
    await page.getByText('names in DNS only').first().waitFor();
    await user.fill(label, '');
    await apply();
    assert.equal((await documentInForce()).proxy?.allowedPrefixes, undefined);
  });

  it('a server with two addresses: which goes first is asked only then', async () => {
    const user = person(page);
    await user.visit('/add-server');
    await user.fill('Name', 'web11');
    await user.fill('IPv6 address', '2001:db8:1::91');
    assert.equal(await page.getByLabel('Several addresses').count(), 0);
    await user.fill('IPv6 address', '2001:db8:1::91 fe80::1');
    await page.getByLabel('Several addresses').selectOption('round-robin');
    await user.click('Save');
    await page
      .getByText(/"fe80::1" is a link-local address/)
      .first()
      .waitFor();
    await user.fill('IPv6 address', '2001:db8:1::91, 2001:db8:1::92');
    await user.click('Save');
    await title('web11');
    await page.getByText('each in turn').waitFor();
    assert.deepEqual(await axe(page), []);
    await apply();
    const { hosts } = await documentInForce();
    assert.deepEqual(
      hosts.find(({ name }) => name === 'web11'),
      {
        name: 'web11',
        addresses: ['2001:db8:1::91', '2001:db8:1::92'],
        balance: 'round-robin',
        hostnames: [],
      },
    );
  });

  it('health checks: chosen in the form, refused without a name to ask for, shown while they fail, switched off again', async () => {
    const user = person(page);
    await user.visit('/servers/web11?edit=1');
    await page.getByLabel('What is checked at each address').selectOption('http');
    await user.fill('Path of the request', '/health');
    await user.fill('Status that shows that all is well', '200 3xx');
    await user.fill('Seconds from one check to the next', '1');
    await user.fill('Failures in a row that take it out', '99');
    await user.click('Save');
    await page
      .getByText(/99 is not a whole number from 1 to 10/)
      .first()
      .waitFor();
    await user.fill('Failures in a row that take it out', '1');
    await user.click('Save');
    await page
      .getByText(/the host name that health checks ask for/)
      .first()
      .waitFor();
    assert.deepEqual(await axe(page), []);
    await user.fill('Name that the check asks for (optional)', 'eleven.example.com');
    await user.click('Save');
    await title('web11');
    await apply();
    const inForce = async () =>
      (await documentInForce()).hosts.find(({ name }) => name === 'web11') as { health?: object };
    assert.deepEqual((await inForce()).health, {
      host: 'eleven.example.com',
      path: '/health',
      expect: ['200', '3xx'],
      intervalSeconds: 1,
      failures: 1,
    });
    // Nobody has these addresses.
    const checks = card(page, 'Health checks');
    await checks.getByText(/No address passes/).waitFor();
    await checks.getByText('1 failure so far').first().waitFor();
    assert.deepEqual(await axe(page), []);
    await user.visit('/servers/web11?edit=1');
    assert.equal(await page.getByLabel('Path of the request').inputValue(), '/health');
    await page.getByLabel('What is checked at each address').selectOption('none');
    await user.click('Save');
    await title('web11');
    await apply();
    assert.equal((await inForce()).health, undefined);
    await checks.waitFor({ state: 'detached' });
  });

  it('a way in by ALPN beside the usual one: added, refused with a space in it, applied, shown and removed', async () => {
    const user = person(page);
    await user.visit('/servers/web11?edit=1');
    await title('Edit web11');
    await page.getByText('Another port, PROXY protocol or ALPN for one of them').click();
    await user.click('https: another way in by ALPN');
    const ports = page.getByLabel('https: port on the server (optional)');
    const protocols = page.getByLabel('https: only for protocols (ALPN) (optional)');
    assert.deepEqual([await ports.count(), await protocols.count()], [2, 2]);
    assert.equal(await protocols.last().inputValue(), 'acme-tls/1');
    await ports.last().fill('5443');
    await protocols.last().fill('');
    await user.click('Save');
    await page
      .getByText(/"https" is already at/)
      .first()
      .waitFor();
    await protocols.last().fill('acme-tls/1, x');
    assert.deepEqual(await axe(page), []);
    await user.click('Save');
    await title('web11');
    await page.getByText('https → 5443 [acme-tls/1, x]').waitFor();
    await apply();
    const services = async () => {
      const { hosts } = await documentInForce();
      return (hosts.find(({ name }) => name === 'web11') as { services?: unknown }).services;
    };
    const rule = { listener: 'https', targetPort: 5443, alpn: ['acme-tls/1', 'x'] };
    assert.deepEqual(await services(), ['http', 'https', rule]);
    await user.visit('/servers/web11?edit=1');
    await page.getByRole('button', { name: 'Remove this way in' }).last().click();
    await user.click('Save');
    await title('web11');
    await apply();
    assert.equal(await services(), undefined);
  });

  it('trusted proxies are set on the page of the proxy; a wrong one is refused beside the field', async () => {
    const user = person(page);
    const trusted = async () =>
      ((await documentInForce()).proxy as { trustedProxies?: string[] })?.trustedProxies;
    await user.visit('/proxy');
    await user.fill('Trusted proxies', '198.51.100.7\n0.0.0.0/0');
    await page
      .getByText(/"0\.0\.0\.0\/0" has every address/)
      .first()
      .waitFor();
    assert.deepEqual(await axe(page), []);
    await user.fill('Trusted proxies', '198.51.100.7\n2001:db8:9::/64\n');
    await apply();
    assert.deepEqual(await trusted(), ['198.51.100.7', '2001:db8:9::/64']);
    await user.visit('/proxy');
    const shown = page.getByLabel('Trusted proxies');
    await waitUntil('the list', async () => (await shown.inputValue()) === '198.51.100.7\n2001:db8:9::/64');
    await user.fill('Trusted proxies', '');
    await apply();
    assert.equal(await trusted(), undefined);
  });

  it('nothing went wrong in the page', () => assert.deepEqual(opened.watch.troubles, []));
});
