/** HTTPS and HTTP on one port, the certificate, and the content of the screen. Real sockets: loopback only. */
import assert from 'node:assert/strict';
import { english } from '../../../src/texts/text.ts';
import { X509Certificate } from 'node:crypto';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { request as httpsRequest } from 'node:https';
import { type Socket, connect } from 'node:net';
import { join } from 'node:path';
import { type TestContext, mock, test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { pageUrls } from '../../../src/admin/console-file.ts';
import { keepCertificate } from '../../../src/admin/certificate/keep.ts';
import { serveCertificate } from '../../../src/admin/certificate/serve.ts';
import { CSRF_HEADER } from '../../../src/admin/contract/auth.ts';
import { startAdmin } from '../../../src/admin/server.ts';
import { fillDefaults } from '../../../src/config/load.ts';
import type { AdminConfig } from '../../../src/config/schema.ts';
import { createConditions } from '../../../src/runtime/conditions.ts';
import { silentLog } from '../../../src/runtime/log.ts';
import { openStorage } from '../../../src/runtime/storage.ts';
import { loaded } from '../config/loaded.ts';
import { freePort } from '../net/support.ts';
import { PASSWORD } from './browser.ts';
import { assertError, temporaryDirectory, testAdmin, testDeps } from './fixture.ts';
import { waitUntil } from '../../../lab/wait.ts';

async function start(t: TestContext, changes: Partial<AdminConfig> = {}) {
  const stateDirectory = await temporaryDirectory(t);
  const port = await freePort();
  const config = (more: Partial<AdminConfig> = {}) => ({
    admin: {
      ...fillDefaults({}).admin,
      listen: ['0.0.0.0'],
      allow: ['127.0.0.0/8'],
      port,
      ...changes,
      ...more,
    },
  });
  const admin = await startAdmin(config(), await testDeps(t), { log: silentLog, stateDirectory });
  t.after(() => admin[Symbol.asyncDispose]());
  return { admin, port, stateDirectory, config };
}

/** A request over TLS, whoever signed the certificate; returns the fingerprint of the certificate, too. */
function askTls(port: number, method: string, path: string, headers: object = {}, body?: object) {
  return new Promise<{ status: number; headers: NodeJS.Dict<unknown>; body: string; fingerprint: string }>(
    (resolve, reject) => {
      const request = httpsRequest(
        {
          host: '127.0.0.1',
          port,
          method,
          path,
          agent: false,
          // Self-signed: the fingerprint is compared instead.
          rejectUnauthorized: false,
          headers: {
            host: `localhost:${port}`,
            ...(body && { 'content-type': 'application/json' }),
            ...headers,
          },
        },
        async (response) => {
          const socket = response.socket as import('node:tls').TLSSocket;
          const { fingerprint256 } = socket.getPeerCertificate();
          let text = '';
          for await (const chunk of response.setEncoding('utf8')) text += chunk;
          const { statusCode = 0 } = response;
          resolve({ status: statusCode, headers: response.headers, body: text, fingerprint: fingerprint256 });
        },
      );
      request.on('error', reject);
      request.end(body && JSON.stringify(body));
    },
  );
}

test('one port speaks HTTPS, with Secure cookies, and HTTP for this machine', async (t) => {
  const { port, stateDirectory } = await start(t);
  const session = await askTls(port, 'GET', '/api/session');
  assert.equal(session.status, 200);
  const { isEncrypted, certificateFingerprint } = JSON.parse(session.body);
  assert.equal(isEncrypted, true);
  assert.equal(certificateFingerprint, session.fingerprint);

  const origin = `https://localhost:${port}`;
  const claimed = await askTls(port, 'POST', '/api/first-run', { origin }, { password: PASSWORD });
  assert.equal(claimed.status, 200, claimed.body);
  const cookies = claimed.headers['set-cookie'] as string[];
  for (const cookie of cookies) assert.match(cookie, /^__Host-tombolo_.*; Secure/);
  const cookie = cookies.map((line) => line.split(';')[0]).join('; ');
  const headers = { cookie, [CSRF_HEADER]: JSON.parse(claimed.body).csrfToken };
  const foreign = await askTls(port, 'DELETE', '/api/session', {
    ...headers,
    origin: `http://localhost:${port}`,
  });
  assert.equal(foreign.status, 403, 'the same host over HTTP is another origin');
  assert.equal((await askTls(port, 'DELETE', '/api/session', { ...headers, origin })).status, 200);

  const plain = await fetch(`http://127.0.0.1:${port}/api/session`, { headers: { connection: 'close' } });
  assert.equal(((await plain.json()) as { isEncrypted: boolean }).isEncrypted, false);

  const file = join(stateDirectory, 'admin-certificate.pem');
  assert.equal((await stat(file)).mode & 0o777, 0o600);
  const certificate = new X509Certificate(await readFile(file));
  assert.equal(certificate.fingerprint256, session.fingerprint);
  assert.match(
    certificate.subjectAltName ?? '',
    /DNS:tombolo\.local.*DNS:localhost.*IP Address:127\.0\.0\.1/,
  );
  assert.equal(certificate.publicKey.asymmetricKeyDetails?.namedCurve, 'prime256v1');
  assert.equal(certificate.ca, false);
  assert.ok(certificate.verify(certificate.publicKey));
});

test('over plain HTTP other machines are redirected to HTTPS, and can change nothing', async (t) => {
  const { app } = await testAdmin(t);
  const ask = (method: 'GET' | 'POST', url: string, remoteAddress: string) =>
    app.inject({ method, url, remoteAddress, headers: { host: 'tombolo.local:8064' } });
  const moved = await ask('GET', '/api/session?x=1', '192.0.2.50');
  assert.equal(moved.statusCode, 307); // a browser would cache 308 for ever
  assert.equal(moved.headers['location'], 'https://tombolo.local:8064/api/session?x=1');
  const { statusCode: status, body } = await ask('POST', '/api/session', '2001:db8::1');
  assertError({ status, body, json: () => JSON.parse(body) }, 403, 'https-required');
  for (const own of ['127.0.0.1', '127.9.9.9', '::1', '::ffff:127.0.0.1']) {
    assert.equal((await ask('GET', '/api/session', own)).statusCode, 200, own);
  }
});

test('admin.tls off: plain HTTP for all, no certificate', async (t) => {
  const { port, stateDirectory } = await start(t, { tls: 'off' });
  await assert.rejects(askTls(port, 'GET', '/api/session'));
  await assert.rejects(stat(join(stateDirectory, 'admin-certificate.pem')), { code: 'ENOENT' });
  const { app, deps } = await testAdmin(t);
  assert.equal(deps.store.current.admin.tls, 'self-signed');
  await deps.store.replace(loaded('{"admin":{"tls":"off"}}'));
  const answer = await app.inject({
    url: '/api/session',
    remoteAddress: '192.0.2.50',
    headers: { host: 'tombolo.local' },
  });
  assert.equal(answer.statusCode, 200);
});

test('a page that only this machine can reach needs no certificate', async (t) => {
  const { stateDirectory } = await start(t, { listen: ['127.0.0.1'] });
  await assert.rejects(stat(join(stateDirectory, 'admin-certificate.pem')), { code: 'ENOENT' });
});

test('other host names: a new certificate, at once, on the open listeners', async (t) => {
  const { admin, port, config } = await start(t);
  const before = await askTls(port, 'GET', '/api/health');
  await admin.reconfigure(config({ hostnames: ['gate.example.net'] }));
  const after = await askTls(port, 'GET', '/api/health', { host: `gate.example.net:${port}` });
  assert.equal(after.status, 200);
  assert.notEqual(after.fingerprint, before.fingerprint);
});

test('peers that send nothing, half a handshake or nonsense block neither the others nor the stop', async (t) => {
  const { admin, port } = await start(t);
  const sockets: Socket[] = [];
  t.after(() => sockets.forEach((socket) => socket.destroy()));
  const ended: Promise<unknown>[] = [];
  for (const bytes of [
    '',
    '\x16\x03\x01',
    '\x16\x03\x01\x00\x05hello',
    'GET / HTTP/1.1\r\n',
    '\x00\x01\x02',
    '\n',
  ]) {
    const socket = connect(port, '127.0.0.1').on('error', () => {});
    sockets.push(socket);
    ended.push(new Promise((resolve) => socket.once('close', resolve)));
    await new Promise<void>((resolve) =>
      socket.once('connect', () => socket.write(bytes, 'latin1', () => resolve())),
    );
  }
  const old = connectTls({
    port,
    host: '127.0.0.1',
    rejectUnauthorized: false,
    maxVersion: 'TLSv1.1',
    minVersion: 'TLSv1',
  });
  await new Promise((resolve) => old.once('error', resolve));
  assert.equal((await askTls(port, 'GET', '/api/health')).status, 200);
  sockets.forEach((socket) => socket.resume());
  await admin[Symbol.asyncDispose]();
  await Promise.all(ended);
});

test('a certificate is stored, and renewed before it expires, when names are missing, or when it is damaged', async (t) => {
  const directory = await temporaryDirectory(t);
  const path = join(directory, 'admin-certificate.pem');
  let nowMs = Date.parse('2026-01-02T03:04:05Z');
  let isTimeKnown = true;
  const keeper = () =>
    keepCertificate(
      openStorage(directory),
      () => nowMs,
      silentLog,
      () => isTimeKnown,
    );
  const refreshed = async (names: string[]) => {
    const each = keeper();
    await each.refresh(names);
    return each.current()!.fingerprint;
  };
  const first = await refreshed(['tombolo.local']);
  assert.equal(await refreshed(['tombolo.local']), first);
  assert.equal(await refreshed([]), first);
  assert.equal(await refreshed(['Tombolo.Local']), first);
  const { validToDate } = new X509Certificate(await readFile(path));
  assert.equal(validToDate.toISOString(), '2028-04-04T03:04:05.000Z');
  nowMs = validToDate.getTime() - 31 * 86_400_000;
  assert.equal(await refreshed(['tombolo.local']), first);
  nowMs += 2 * 86_400_000;
  const second = await refreshed(['tombolo.local']);
  assert.notEqual(second, first);
  nowMs -= 400 * 86_400_000; // a clock that was wrong
  assert.notEqual(await refreshed(['tombolo.local']), second);
  const third = await refreshed(['tombolo.local', 'gate.example.net']);
  // A start without the correct time: the certificate whose fingerprint people know stays, whatever the clock says.
  const rightMs = nowMs;
  isTimeKnown = false;
  for (const wrong of ['1970-01-01', '2000-01-01', '2100-01-01', '2106-02-07']) {
    nowMs = Date.parse(wrong);
    assert.equal(await refreshed(['tombolo.local']), third, wrong);
  }
  [nowMs, isTimeKnown] = [rightMs, true];
  assert.equal(await refreshed(['tombolo.local']), third);
  assert.equal(await refreshed(['gate.example.net']), third);
  for (const text of ['', 'x', (await readFile(path, 'utf8')).slice(0, 300)]) {
    await writeFile(path, text);
    assert.notEqual(await refreshed(['gate.example.net']), third);
  }
});

test('a certificate that cannot be stored is used nevertheless, and the fault is reported', async () => {
  const conditions = createConditions();
  const storage = openStorage('/proc/nonexistent', { conditions });
  const keeper = keepCertificate(storage, Date.now, silentLog);
  assert.equal(await keeper.refresh(['tombolo.local']), true);
  assert.match(keeper.current()?.pem ?? '', /BEGIN CERTIFICATE/);
  assert.equal(await keeper.refresh(['tombolo.local']), false, 'the same certificate');
  const [, { status }] = conditions.reports();
  assert.match(english(status.problem ?? ''), /admin-certificate\.pem/);
});

test('console.json: addresses, the claim while it is open, the fingerprint; no secret', async (t) => {
  const { port, stateDirectory } = await start(t);
  const read = async () => JSON.parse(await readFile(join(stateDirectory, 'console.json'), 'utf8'));
  await waitUntil('the file', () =>
    read().then(
      () => true,
      () => false,
    ),
  );
  const before = await read();
  assert.deepEqual(Object.keys(before).sort(), [
    'certificateFingerprint',
    'claim',
    'problem',
    'processId',
    'services',
    'status',
    'urls',
  ]);
  assert.equal(before.claim.isOpen, true);
  const leftMs = Date.parse(before.claim.until) - Date.now();
  assert.ok(leftMs > 29 * 60_000 && leftMs <= 30 * 60_000, `${leftMs}`);
  assert.equal(before.certificateFingerprint, (await askTls(port, 'GET', '/api/health')).fingerprint);
  assert.equal(before.problem, null);
  assert.equal((await askTls(port, 'POST', '/api/first-run', {}, { password: PASSWORD })).status, 200);
  await waitUntil('claimed', async () => (await read()).claim === null);
});

test('URLs of the page: none for a page on loopback only', () => {
  assert.deepEqual(pageUrls(['127.0.0.1', '::1'], 8064, ['tombolo.local'], true, new Set()), []);
});

test('a certificate that could not be made is tried again soon', async (t) => {
  const stateDirectory = await temporaryDirectory(t);
  const { execPath } = process;
  process.execPath = '/nonexistent/node';
  t.after(() => Object.assign(process, { execPath }));
  const { admin } = fillDefaults({ admin: { listen: ['0.0.0.0'] } });
  mock.timers.enable({ apis: ['setTimeout'] });
  t.after(() => mock.timers.reset());
  using certificate = serveCertificate(() => admin, openStorage(stateDirectory), silentLog);
  await certificate.refresh();
  assert.match(english(certificate.problem() ?? ''), /^no certificate for HTTPS: /);
  process.execPath = execPath;
  mock.timers.tick(5000);
  while (certificate.pem() === undefined) await new Promise((resolve) => setImmediate(resolve));
  assert.equal(certificate.problem(), undefined);
  assert.match(certificate.pem() ?? '', /BEGIN CERTIFICATE/);
});
