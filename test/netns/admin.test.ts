/**
 * Who can reach the admin page, over which transport, and what survives the process: the real process, on a drawn network.
 *
 *   neighbour 2001:db8:1::10, 192.0.2.10 ──┐
 *                                          ├── appliance ::1, 192.0.2.1 (192.0.2.254 and ::fe: the router)
 *                             router ──────┘
 *                               │
 *              friend 198.51.100.10 (in admin.allow), stranger 203.0.113.10
 */
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Child } from '../../lab/host.ts';
import { ensurePackages, PACKAGES } from '../../lab/packages.ts';
import { requireTun } from '../../lab/preflight.ts';
import { type Topology, buildTopology } from '../../lab/topology.ts';
import { waitUntil } from '../../lab/wait.ts';

const PORT = 8064;
const PASSWORD = 'correct horse battery';
const ROOT = join(import.meta.dirname, '../..');

const SPEC = {
  hosts: {
    appliance: {
      interfaces: { lan: { segment: 'lan', addresses: ['192.0.2.1/24', '2001:db8:1::1/64'] } },
      routes: ['default via 192.0.2.254'],
    },
    neighbour: {
      interfaces: { eth0: { segment: 'lan', addresses: ['192.0.2.10/24', '2001:db8:1::10/64'] } },
    },
    router: {
      interfaces: {
        lan: { segment: 'lan', addresses: ['192.0.2.254/24'] },
        friends: { segment: 'friends', addresses: ['198.51.100.1/24'] },
        strangers: { segment: 'strangers', addresses: ['203.0.113.1/24'] },
      },
      router: true,
    },
    friend: {
      interfaces: { eth0: { segment: 'friends', addresses: ['198.51.100.10/24'] } },
      routes: ['default via 198.51.100.1'],
    },
    stranger: {
      interfaces: { eth0: { segment: 'strangers', addresses: ['203.0.113.10/24'] } },
      routes: ['default via 203.0.113.1'],
    },
  },
} as const;
type Name = keyof typeof SPEC.hosts;

const CONFIGURATION = {
  version: 1,
  // Only the admin page matters here.
  dns64: { enabled: false },
  nat64: { enabled: false },
  admin: { listen: ['::', '0.0.0.0'], allow: ['lan', '198.51.100.0/24'] },
};

describe('access to the admin page', { concurrency: false }, () => {
  let topology: Topology<Name>;
  let process_: Child;
  let stateDirectory: string;

  async function start(): Promise<void> {
    const configFile = join(topology.directory, 'tombolo.json');
    stateDirectory = join(topology.directory, 'state');
    mkdirSync(stateDirectory, { recursive: true, mode: 0o700 });
    writeFileSync(configFile, JSON.stringify(CONFIGURATION));
    process_ = topology.hosts.appliance.spawn(process.execPath, [
      join(ROOT, 'src/main.ts'),
      '--config',
      configFile,
      '--state',
      stateDirectory,
    ]);
    await waitUntil(
      'the page',
      async () => (await curl('appliance', 'http://127.0.0.1:8064/api/health')).status === 200,
      {
        timeoutMs: 20_000,
        explain: () => process_.output(),
      },
    );
  }

  /** The exit code of curl if it refused (7: cannot connect, 56: reset), else the status of the answer. */
  async function curl(from: Name, url: string, ...args: string[]) {
    const format = '\n%{http_code} %{redirect_url}';
    const { code, stdout } = await topology.hosts[from].attempt('curl', [
      '-sS',
      '-m',
      '5',
      '-w',
      format,
      ...args,
      url,
    ]);
    const end = stdout.lastIndexOf('\n');
    const [status, redirect] = stdout.slice(end + 1).split(' ');
    const body = stdout.slice(0, Math.max(end, 0));
    return { code, status: Number(status), redirect, body, json: () => JSON.parse(body) };
  }
  const json = (body: object) => ['-H', 'content-type: application/json', '-d', JSON.stringify(body)];
  const jar = (name: string) => join(topology.directory, `${name}.cookies`);

  before(async () => {
    ensurePackages(PACKAGES.test, console.log);
    requireTun();
    topology = await buildTopology(SPEC);
    await start();
  });
  after(() => topology?.[Symbol.asyncDispose]());

  for (const [from, host] of [
    ['neighbour', '192.0.2.1'],
    ['neighbour', '[2001:db8:1::1]'],
    ['friend', '192.0.2.1'],
  ] as const) {
    it(`${from} at ${host}: HTTP leads to HTTPS, which serves`, async () => {
      const plain = await curl(from, `http://${host}:${PORT}/api/session`);
      assert.equal(plain.status, 307);
      assert.equal(plain.redirect, `https://${host}:${PORT}/api/session`);
      const change = await curl(from, `http://${host}:${PORT}/api/session`, ...json({ password: 'x' }));
      assert.equal(change.json().error, 'https-required');
      assert.equal((await curl(from, `https://${host}:${PORT}/api/session`)).code, 60, 'unknown to curl');
      const session = await curl(from, `https://${host}:${PORT}/api/session`, '-k');
      assert.deepEqual(session.json().claim.isLocal, from === 'neighbour');
    });
  }

  it('a client that trusts the certificate file accepts every address and name of the appliance', async () => {
    const file = join(stateDirectory, 'admin-certificate.pem');
    const trusting = ['--cacert', file];
    for (const host of ['192.0.2.1', '[2001:db8:1::1]']) {
      assert.equal((await curl('neighbour', `https://${host}:${PORT}/api/health`, ...trusting)).status, 200);
    }
    const named = ['--resolve', `tombolo.local:${PORT}:192.0.2.1`];
    const answer = await curl('neighbour', `https://tombolo.local:${PORT}/api/health`, ...trusting, ...named);
    assert.equal(answer.status, 200);
    const screen = JSON.parse(readFileSync(join(stateDirectory, 'console.json'), 'utf8'));
    assert.equal(screen.certificateFingerprint, new X509Certificate(readFileSync(file)).fingerprint256);
    assert.deepEqual(screen.urls, [
      `https://tombolo.local:${PORT}/`,
      `https://192.0.2.1:${PORT}/`,
      `https://[2001:db8:1::1]:${PORT}/`,
    ]);
  });

  it('a client at an own address of the appliance is not local: it may be a relay for anybody', async () => {
    for (const host of ['192.0.2.1', '[2001:db8:1::1]']) {
      const session = await curl('appliance', `https://${host}:${PORT}/api/session`, '-k');
      assert.equal(session.json().claim.isLocal, false);
      const url = `https://${host}:${PORT}/api/first-run`;
      const refused = await curl('appliance', url, '-k', ...json({ password: PASSWORD }));
      assert.equal(refused.json().error, 'not-local');
    }
    assert.equal(
      (await curl('appliance', `http://127.0.0.1:${PORT}/api/session`)).json().claim.isLocal,
      true,
    );
  });

  it('a stranger gets no answer at all', async () => {
    for (const scheme of ['http', 'https']) {
      const { status, code } = await curl('stranger', `${scheme}://192.0.2.1:${PORT}/api/health`, '-k');
      assert.equal(status, 0);
      assert.notEqual(code, 0);
    }
  });

  it('the first password is set from the local network only', async () => {
    const url = `https://192.0.2.1:${PORT}/api/first-run`;
    const refused = await curl('friend', url, '-k', ...json({ password: PASSWORD }));
    assert.equal(refused.status, 403);
    assert.equal(refused.json().error, 'not-local');
    const done = await curl('neighbour', url, '-k', '-c', jar('neighbour'), ...json({ password: PASSWORD }));
    assert.equal(done.status, 200, done.body);
    const late = await curl('neighbour', url, '-k', ...json({ password: 'somebody else here' }));
    assert.equal(late.json().error, 'already-claimed');
  });

  it('password, session, certificate and audit log survive a kill; the claim window does not open again', async () => {
    const before = readFileSync(join(stateDirectory, 'admin-certificate.pem'), 'utf8');
    await process_.stop('SIGKILL');
    await start();
    const base = `https://192.0.2.1:${PORT}/api`;
    const session = await curl('neighbour', `${base}/session`, '-k', '-b', jar('neighbour'));
    assert.equal(session.json().state, 'signed-in');
    assert.equal(session.json().claim, undefined);
    assert.equal((await curl('friend', `${base}/session`, '-k')).json().state, 'signed-out');
    const signedIn = await curl('friend', `${base}/session`, '-k', ...json({ password: PASSWORD }));
    assert.equal(signedIn.status, 200, signedIn.body);
    assert.equal(readFileSync(join(stateDirectory, 'admin-certificate.pem'), 'utf8'), before);
    const { entries } = (await curl('neighbour', `${base}/audit`, '-k', '-b', jar('neighbour'))).json();
    assert.deepEqual(
      entries.map(({ source, action, outcome }: Record<string, string>) => [source, action, outcome]),
      [
        ['198.51.100.10', 'POST /api/session', 'done'],
        ['192.0.2.10', 'POST /api/first-run', 'done'],
        ['198.51.100.10', 'POST /api/first-run', 'refused'],
        ['2001:db8:1::1', 'POST /api/first-run', 'refused'],
        ['192.0.2.1', 'POST /api/first-run', 'refused'],
      ],
    );
  });

  it('recovery on the appliance itself: the bootstrap token sets a new password', async () => {
    const token = readFileSync(join(stateDirectory, 'admin-token'), 'utf8').trim();
    const next = 'found again at last';
    const base = `http://127.0.0.1:${PORT}/api`;
    const header = ['-H', `authorization: Bearer ${token}`];
    const done = await curl('appliance', `${base}/password`, '-X', 'PUT', ...header, ...json({ next }));
    assert.equal(done.status, 200, done.body);
    const old = await curl(
      'neighbour',
      `https://192.0.2.1:${PORT}/api/session`,
      '-k',
      ...json({ password: PASSWORD }),
    );
    assert.equal(old.status, 401);
    const again = await curl(
      'neighbour',
      `https://192.0.2.1:${PORT}/api/session`,
      '-k',
      ...json({ password: next }),
    );
    assert.equal(again.status, 200);
  });
});
