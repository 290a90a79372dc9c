/**
 * HAProxy and nginx in front of the appliance, on the host "mainland", with real clients and servers: the servers see the clients
 * behind them. And ways in by ALPN, with openssl.
 */
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type Appliance, CONFIGURATION, WEB1_SSH_PORT, startAppliance } from '../../lab/appliance.ts';
import { startHaproxy } from '../../lab/servers/haproxy.ts';
import { waitUntil } from '../../lab/wait.ts';
import { type World, buildWorld } from '../../lab/world.ts';
import { ADDRESSES, HOSTNAMES } from '../../lab/zone.ts';

const { client: CLIENT, mainland: FRONT, appliance4: APPLIANCE } = ADDRESSES;
const PORTS = { v1: 8080, v2: 8081, tls: 8443, ssh: 2222, nginx: 9080 };
const ACME_PORT = 5443;
const CHECKED = 'check inter 200ms';
const V2 = `send-proxy-v2 proxy-v2-options unique-id,crc32c ${CHECKED}`;

const [web1, ...others] = CONFIGURATION.hosts;
const configuration = {
  ...CONFIGURATION,
  hosts: [
    { ...web1, allow: ['203.0.113.0/24'] },
    ...others,
    {
      name: 'acme',
      address: ADDRESSES.web2,
      hostnames: HOSTNAMES.web1,
      services: [{ listener: 'https', targetPort: ACME_PORT, alpn: ['acme-tls/1'] }],
      ssh: false,
    },
  ],
  proxy: { trustedProxies: ['198.51.100.80'] },
  nat64: { enabled: false },
};

interface Connection {
  readonly what: string;
  readonly client: string;
  readonly name: string | null;
  readonly reason: string | null;
  readonly uniqueId: string | null;
}

/** nginx as a TCP proxy that tells the client by version 1. */
const NGINX = (directory: string) => `daemon off;
load_module /usr/lib/nginx/modules/ngx_stream_module.so;
user root;
worker_processes 1;
pid ${join(directory, 'front.pid')};
error_log stderr notice;
events { worker_connections 256; }
stream {
  server {
    listen ${FRONT}:${PORTS.nginx};
    proxy_pass ${APPLIANCE}:80;
    proxy_protocol on;
  }
}
`;

describe('proxies in front of the appliance', { concurrency: false }, () => {
  let world: World;
  let appliance: Appliance;

  before(async () => {
    world = await buildWorld();
    appliance = await startAppliance(world, { configuration, await: ['proxy', 'admin', 'forward'] });
    const directory = join(world.directory, 'front');
    mkdirSync(directory);
    const { mainland, web2 } = world.hosts;
    const to = (port: number) => `${APPLIANCE}:${port}`;
    await startHaproxy(
      mainland,
      FRONT,
      [
        { port: PORTS.v1, to: to(80), options: `send-proxy ${CHECKED}` },
        { port: PORTS.v2, to: to(80), options: V2 },
        { port: PORTS.tls, to: to(443), options: V2 },
        { port: PORTS.ssh, to: to(WEB1_SSH_PORT), options: V2 },
      ],
      directory,
    );
    const file = join(directory, 'nginx.conf');
    writeFileSync(file, NGINX(directory));
    const nginx = mainland.spawn('nginx', ['-p', directory, '-c', file, '-e', 'stderr']);
    await nginx.waitForListener('tcp', PORTS.nginx);
    const { certificate, key } = await world.ca.issue('acme', [HOSTNAMES.web1[0]]);
    const server = web2.spawn('openssl', [
      ...['s_server', '-accept', `[${ADDRESSES.web2}]:${ACME_PORT}`, '-alpn', 'acme-tls/1', '-quiet'],
      ...['-cert', certificate, '-key', key],
    ]);
    await server.waitForListener('tcp', ACME_PORT);
  });
  after(async () => {
    await appliance?.stop();
    await world?.[Symbol.asyncDispose]();
  });

  const curl = (from: 'client' | 'mainland', url: string, ...args: string[]) =>
    world.hosts[from].attempt('curl', ['-sS', '-m', '9', '--cacert', world.caCertificate, ...args, url]);
  /** Through a port of the proxy in front. */
  const through = (port: number) => ['--connect-to', `::${FRONT}:${port}`];
  const field = (name: string, { stdout }: { stdout: string }) =>
    new RegExp(`^${name}: (.*)$`, 'm').exec(stdout)?.[1];
  const counter = async (service: string, name: string) => (await appliance.counters())[service]![name]!;
  const connections = async () =>
    ((await appliance.api('/api/events?kind=connection&limit=500')) as { events: Connection[] }).events;

  it('health checks of HAProxy succeed, and are no events', async () => {
    await waitUntil('checks', async () => (await counter('proxy', 'proxy-header-local')) >= 3);
    // Other load balancers only connect and close.
    const probe = `exec 3<>/dev/tcp/${APPLIANCE}/443; exec 3>&-`;
    for (let i = 0; i < 3; i++) await world.hosts.mainland.run('bash', ['-c', probe]);
    await waitUntil('the probes', async () => (await counter('proxy', 'proxy-probes')) === 3);
    await waitUntil(
      'checks of the SSH port',
      async () => (await counter('forward', 'proxy-header-local')) > 0,
    );
    assert.deepEqual(
      (await connections()).filter(({ client }) => client === FRONT),
      [],
    );
  });

  for (const [title, port] of [
    ['HAProxy, version 1', PORTS.v1],
    ['HAProxy, version 2', PORTS.v2],
    ['nginx, version 1', PORTS.nginx],
  ] as const) {
    it(`${title}: the access list admits the client, and the server is told its address`, async () => {
      const answer = await curl('client', 'http://example.com/', ...through(port));
      assert.equal(field('server', answer), 'web1', answer.stderr);
      assert.equal(field('x-forwarded-for', answer), CLIENT);
    });
  }

  it('over TLS a server with proxy-v2, and one with proxy-v1, see the client', async () => {
    for (const name of ['shop.example.org', 'example.org']) {
      const answer = await curl('client', `https://${name}/`, ...through(PORTS.tls));
      assert.equal(field('proxy-client', answer), CLIENT, answer.stderr);
    }
  });

  it('the unique id of HAProxy is in the timeline', async () => {
    const isFronts = ({ uniqueId, client, name }: Connection) =>
      uniqueId?.startsWith(`front-${CLIENT}-`) === true && client === CLIENT && name === 'shop.example.org';
    await waitUntil('the event', async () => (await connections()).some(isFronts));
  });

  it('SSH through HAProxy: the access list admits the client', async () => {
    const keys = await world.hosts.client.run('ssh-keyscan', ['-T', '9', '-p', String(PORTS.ssh), FRONT]);
    assert.match(keys.stdout, /ssh-ed25519/);
  });

  it('a trusted proxy without a header is reset, over HTTP, TLS and at the SSH port', async () => {
    for (const url of ['http://example.com/', 'https://example.com/']) {
      const { code } = await curl('mainland', url);
      assert.ok(code === 56 || code === 35, `${url}: ${code}`);
    }
    const ssh = `telnet://${APPLIANCE}:${WEB1_SSH_PORT}`;
    assert.notEqual(
      (await world.hosts.mainland.attempt('curl', ['-sS', '-m', '9', ssh], { input: 'x\n' })).code,
      0,
    );
    await waitUntil('the counters', async () => (await counter('proxy', 'refused-proxy-header')) === 2);
    await waitUntil('that of SSH', async () => (await counter('forward', 'refused-proxy-header')) === 1);
  });

  it('curl --haproxy-protocol: from the proxy it tells the client, from anybody else it is no header', async () => {
    const shop = ['http://shop.example.org/', '--haproxy-protocol'] as const;
    assert.equal(field('proxy-client', await curl('mainland', ...shop)), FRONT);
    const { stdout: help } = await curl('mainland', '--help', 'all');
    if (help.includes('--haproxy-clientip')) {
      const clientIp = ['--haproxy-clientip', '203.0.113.77'];
      assert.equal(
        field('proxy-client', await curl('mainland', 'http://shop.example.org/', ...clientIp)),
        '203.0.113.77',
      );
    }
    const status = ['-o', '/dev/null', '-w', '%{http_code}'];
    assert.equal((await curl('client', ...shop, ...status)).stdout, '400');
    const tls = await curl('client', 'https://shop.example.org/', '--haproxy-protocol');
    assert.notEqual(tls.code, 0);
    assert.ok((await counter('proxy', 'refused-tls-not-tls')) > 0);
  });

  it('openssl -alpn acme-tls/1 reaches the other server of the name; a browser does not', async () => {
    const hello = async (...args: string[]) => {
      const connect = ['s_client', '-connect', `${APPLIANCE}:443`, '-servername', 'example.com', ...args];
      return (await world.hosts.client.attempt('openssl', connect, { input: '' })).stdout;
    };
    assert.match(await hello('-alpn', 'acme-tls/1'), /ALPN protocol: acme-tls\/1/);
    assert.match(await hello('-alpn', 'x,acme-tls/1'), /ALPN protocol: acme-tls\/1/);
    assert.match(await hello('-alpn', 'http/1.1'), /ALPN protocol: http\/1\.1/);
    assert.match(await hello(), /No ALPN negotiated/);
    assert.equal(field('server', await curl('client', 'https://example.com/')), 'web1');
  });
});
