/** The server on real sockets: loopback only. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { type AdminService, startAdmin } from '../../../src/admin/server.ts';
import { loadOrCreateToken } from '../../../src/admin/auth/bootstrap-token.ts';
import { fillDefaults } from '../../../src/config/load.ts';
import type { AdminConfig } from '../../../src/config/schema.ts';
import { silentLog } from '../../../src/runtime/log.ts';
import { openStorage } from '../../../src/runtime/storage.ts';
import { freePort } from '../net/support.ts';
import { temporaryDirectory, testDeps } from './fixture.ts';
import { english } from '../../../src/texts/text.ts';

const config = (changes: Partial<AdminConfig>): { admin: AdminConfig } => ({
  admin: { ...fillDefaults({}).admin, allow: ['127.0.0.0/8', '::1/128'], ...changes },
});

async function start(t: TestContext, changes: Partial<AdminConfig>) {
  const stateDirectory = await temporaryDirectory(t);
  const admin = await startAdmin(config(changes), await testDeps(t), { log: silentLog, stateDirectory });
  t.after(() => admin[Symbol.asyncDispose]());
  return { admin, token: await loadOrCreateToken(openStorage(stateDirectory)) };
}

const health = async (where: string) =>
  (await fetch(`http://${where}/api/health`, { headers: { connection: 'close' } })).status;

const isRefused = (where: string) => assert.rejects(health(where), `${where} should refuse the connection`);

test('serves on every address, with its own token, and ends', async (t) => {
  const port = await freePort();
  const { admin, token } = await start(t, { listen: ['127.0.0.1', '127.0.0.2'], port });
  assert.deepEqual(admin.addresses, [`127.0.0.1:${port}`, `127.0.0.2:${port}`]);
  for (const where of admin.addresses) assert.equal(await health(where), 200);
  const response = await fetch(`http://127.0.0.1:${port}/api/status`, {
    headers: { authorization: `Bearer ${token}` },
  });
  const { services } = (await response.json()) as { services: { name: string }[] };
  assert.deepEqual(
    services.map(({ name }) => name),
    ['proxy', 'nat64'],
  );
  assert.equal(admin.status().state, 'running');
  await admin[Symbol.asyncDispose]();
  await isRefused(`127.0.0.1:${port}`);
});

test('a connection from a source that is not allowed is reset before its data is read, and counted; a change takes effect at once', async (t) => {
  const port = await freePort();
  const { admin } = await start(t, { listen: ['127.0.0.1'], port, allow: ['192.0.2.0/24'] });
  await isRefused(`127.0.0.1:${port}`);
  assert.equal(admin.counters()['refused-source'], 1);
  assert.equal(admin.counters()['requests'], 0);
  await admin.reconfigure(config({ listen: ['127.0.0.1'], port }));
  assert.equal(await health(`127.0.0.1:${port}`), 200);
});

test('an address that cannot be bound: degraded at the start, refused in a change', async (t) => {
  const port = await freePort();
  const { admin } = await start(t, { listen: ['127.0.0.1', '192.0.2.1'], port });
  assert.equal(admin.status().state, 'degraded');
  assert.match(english(admin.status().problem ?? ''), /could not listen on 192\.0\.2\.1/);
  await assert.rejects(
    admin.reconfigure(config({ listen: ['127.0.0.2', '198.51.100.1'], port })),
    /could not listen on 198\.51\.100\.1/,
  );
  assert.equal(await health(`127.0.0.1:${port}`), 200);
  await isRefused(`127.0.0.2:${port}`);
});

test('moves to another port and between one and all addresses while a request is in flight', async (t) => {
  const [first, second] = [await freePort(), await freePort()];
  const { admin } = await start(t, { listen: ['127.0.0.1'], port: first });
  const moved: Partial<AdminConfig>[] = [
    { listen: ['0.0.0.0'], port: first },
    { listen: ['127.0.0.1'], port: first },
    { listen: ['127.0.0.1'], port: second },
  ];
  for (const changes of moved) {
    await admin.reconfigure(config(changes));
    assert.equal(await health(`127.0.0.1:${changes.port}`), 200);
  }
  await isRefused(`127.0.0.1:${first}`);
});

test('a change of its own address through the API is still answered on the old address', async (t) => {
  const [first, second] = [await freePort(), await freePort()];
  const stateDirectory = await temporaryDirectory(t);
  const deps = await testDeps(t);
  const admin: AdminService = await startAdmin(config({ listen: ['127.0.0.1'], port: first }), deps, {
    log: silentLog,
    stateDirectory,
  });
  t.after(() => admin[Symbol.asyncDispose]());
  deps.store.onChange((next) => admin.reconfigure(next));
  const authorization = `Bearer ${await loadOrCreateToken(openStorage(stateDirectory))}`;
  const document = { admin: { listen: ['127.0.0.1'], port: second } };
  const response = await fetch(`http://127.0.0.1:${first}/api/config/apply`, {
    method: 'POST',
    headers: { authorization, 'content-type': 'application/json' },
    body: JSON.stringify({ document, revision: deps.store.revision }),
  });
  assert.equal(response.status, 200, await response.text());
  assert.equal(await health(`127.0.0.1:${second}`), 200);
  await isRefused(`127.0.0.1:${first}`);
});
