/** The command line against a real process, over HTTP and HTTPS. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { release, tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, before, test } from 'node:test';
import { freePort } from '../net/support.ts';
import { waitUntil } from '../../../lab/wait.ts';

const MAIN = join(import.meta.dirname, '../../../src/main.ts');
const CLI = join(import.meta.dirname, '../../../src/cli/main.ts');
const directory = mkdtempSync(join(tmpdir(), 'tombolo-cli-'));
const state = join(directory, 'state');
const at = (name: string) => join(directory, name);
let port = 0;
let appliance: ChildProcess;

const configuration = (hosts: object[] = []) => ({
  // With loopback only there would be no certificate.
  admin: { listen: ['0.0.0.0'], port, allow: ['127.0.0.1/32'] },
  // Nothing that needs root or a port below 1024.
  proxy: { listeners: [] },
  dns64: { enabled: false },
  nat64: { enabled: false },
  hosts,
});

async function start(): Promise<void> {
  appliance = spawn(process.execPath, [MAIN, '--config', at('config.json'), '--state', state]);
  let log = '';
  appliance.stdout?.on('data', (chunk: Buffer) => (log += chunk));
  appliance.stderr?.on('data', (chunk: Buffer) => (log += chunk));
  await waitUntil(
    'the start',
    () => {
      assert.equal(appliance.exitCode, null, log);
      return log.includes('"msg":"started"');
    },
    { timeoutMs: 60_000 },
  );
}

async function stop(): Promise<void> {
  appliance.kill();
  if (appliance.exitCode === null) await once(appliance, 'exit');
}

before(async () => {
  port = await freePort();
  writeFileSync(at('config.json'), JSON.stringify(configuration()));
  await start();
});
after(async () => {
  await stop();
  rmSync(directory, { recursive: true });
});

async function run(args: string[], { input = '', environment = {} as Record<string, string> } = {}) {
  const child = spawn(process.execPath, [CLI, ...args], {
    env: {
      PATH: process.env['PATH'],
      TOMBOLO_URL: `http://127.0.0.1:${port}`,
      TOMBOLO_STATE: state,
      ...environment,
    },
  });
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'exit'),
  ]);
  return { code: code as number, stdout, stderr };
}

const HOST = { name: 'web1', address: '2001:db8:1::10', services: [], ssh: false };

test('status, as text and as JSON, with the token of the state directory', async () => {
  const { code, stdout, stderr } = await run(['status']);
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^Tombolo [0-9.]+: ok, up .*\n(.*\n)*nat64 +disabled/);
  assert.match(stdout, /\nOperating system +.*Linux [0-9]/);
  const { status, hardware } = JSON.parse((await run(['status', '--json'])).stdout);
  assert.equal(status, 'ok');
  assert.equal(hardware.os.kernel, release());
});

test('the token comes from a file, the environment or standard input', async () => {
  const token = readFileSync(join(state, 'admin-token'), 'utf8');
  const none = { TOMBOLO_STATE: '/nonexistent' };
  assert.equal((await run(['config'], { environment: none })).code, 3);
  assert.equal(
    (await run(['config', '--token-file', join(state, 'admin-token')], { environment: none })).code,
    0,
  );
  assert.equal((await run(['config', '--token-stdin'], { environment: none, input: token })).code, 0);
  assert.equal((await run(['config'], { environment: { ...none, TOMBOLO_TOKEN: token.trim() } })).code, 0);
  const wrong = await run(['config'], { environment: { ...none, TOMBOLO_TOKEN: 'wrong' } });
  assert.equal(wrong.code, 3);
  assert.equal(wrong.stdout, '');
});

test('HTTPS with the pinned certificate; a server with another one gets no token', async () => {
  const url = `https://127.0.0.1:${port}`;
  const { code, stderr } = await run(['status', '--url', url]);
  assert.equal(code, 0, stderr);
  const other = Array(32).fill('AB').join(':');
  const refused = await run(['status', '--url', url, '--fingerprint', other]);
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /fingerprint .*, expected AB:AB/);
  const untrusted = await run(['status', '--url', url, '--state', '/nonexistent']);
  assert.equal(untrusted.code, 1);
  assert.match(untrusted.stderr, /self-signed|unable to verify|issuer/);
});

test('apply: differences, confirmation, revisions, and the rollback', async () => {
  writeFileSync(at('next.json'), JSON.stringify(configuration([HOST])));
  const dry = await run(['apply', at('next.json'), '--dry-run']);
  assert.equal(dry.code, 0, dry.stderr);
  assert.match(dry.stdout, /^\+ hosts.*web1/m);
  assert.deepEqual(JSON.parse((await run(['config', '--json'])).stdout).hosts, []);
  const applied = await run(['apply', '-'], { input: JSON.stringify(configuration([HOST])) });
  assert.equal(applied.code, 0, applied.stderr);
  assert.match(applied.stdout, /Applied and confirmed\.$/m);
  assert.match((await run(['hosts'])).stdout, /^web1 +2001:db8:1::10 .* 0 bytes in, 0 bytes out, 0 open/);
  const { rows } = JSON.parse((await run(['revisions', '--json'])).stdout);
  assert.ok(rows[0].isCurrent);
  assert.match((await run(['revisions', String(rows[0].id)])).stdout, /web1/);
  const reverted = await run(['revert', String(rows[1].id)]);
  assert.equal(reverted.code, 0, reverted.stderr);
  assert.match((await run(['hosts'])).stdout, /No server yet/);
});

test('an invalid configuration: exit code 4, and what is expected', async () => {
  const { code, stdout } = await run(['apply', '-'], { input: '{\n "dns64": {"prefixs": []}}' });
  assert.equal(code, 4);
  assert.match(stdout, /line 2: .*did you mean "prefixes"/);
});

test('backup and restore; a wrong passphrase', async () => {
  const environment = { TOMBOLO_PASSPHRASE: 'a long walk on the beach' };
  const made = await run(['backup', at('one.bin')], { environment });
  assert.equal(made.code, 0, made.stderr);
  assert.equal(statSync(at('one.bin')).mode & 0o777, 0o600);
  assert.notEqual((await run(['backup', at('one.bin')], { environment })).code, 0, 'no file is overwritten');
  const dry = await run(['restore', at('one.bin'), '--dry-run'], { input: 'a long walk on the beach\n' });
  assert.equal(dry.code, 0, dry.stderr);
  assert.match(dry.stdout, /Configuration +same/);
  assert.match(dry.stdout, /Nothing has been changed/);
  const wrong = await run(['restore', at('one.bin'), '--dry-run'], { input: 'another passphrase\n' });
  assert.equal(wrong.code, 3);
  assert.match(wrong.stderr, /passphrase is wrong/);
});

test('a restore takes effect at the next start, where no service manager restarts the process', async () => {
  const environment = { TOMBOLO_PASSPHRASE: 'a long walk on the beach' };
  await run(['apply', '-'], { input: JSON.stringify(configuration([HOST])) });
  assert.equal((await run(['backup', at('two.bin')], { environment })).code, 0);
  await run(['apply', '-'], { input: JSON.stringify(configuration()) });
  const restored = await run(['restore', at('two.bin')], { environment });
  assert.equal(restored.code, 0, restored.stderr);
  assert.match(restored.stdout, /^\+ hosts.*web1/m);
  assert.match(restored.stdout, /at the next start/);
  assert.match((await run(['hosts'])).stdout, /No server yet/);
  await stop();
  await start();
  assert.match((await run(['hosts'])).stdout, /^web1 /);
});

test('logs and events, also followed', async () => {
  assert.match((await run(['logs', '--level', 'info'])).stdout, /info +started/);
  const { stdout } = await run(['events', '--kind', 'service']);
  assert.match(stdout, /service nat64 disabled/);
  const { events } = JSON.parse((await run(['events', '--json', '--limit', '1'])).stdout);
  assert.equal(events.length, 1);
  const child = spawn(process.execPath, [CLI, 'events', '--follow'], {
    env: { PATH: process.env['PATH'], TOMBOLO_URL: `http://127.0.0.1:${port}`, TOMBOLO_STATE: state },
  });
  let followed = '';
  child.stdout.on('data', (chunk: Buffer) => (followed += chunk));
  // It does not show when it is connected: the test makes changes until one is reported.
  let isOn = true;
  const dnsPort = await freePort();
  await waitUntil(
    'an event',
    async () => {
      const dns64 = { enabled: (isOn = !isOn) };
      await run(['apply', '-'], {
        input: JSON.stringify({
          ...configuration(),
          dns64: { ...dns64, listen: ['127.0.0.1'], port: dnsPort },
        }),
      });
      return /service dns64 /.test(followed);
    },
    { timeoutMs: 30_000 },
  );
  child.kill('SIGINT');
  assert.deepEqual(await once(child, 'exit'), [0, null]);
});

for (const [args, code, said] of [
  [[], 2, 'the command is missing'],
  [['dance'], 2, 'unknown command "dance"'],
  [['status', '--loud'], 2, '--loud'],
  [['explain', '203.0.113.9'], 2, 'protocol'],
  [['status', '--url', 'gopher://x'], 2, 'expected a URL'],
  [['status', '--url', 'http://192.0.2.1:8064'], 2, 'readable on its way'],
  [['status', '--url', 'https://127.0.0.1:1'], 1, 'could not reach'],
  [['status', '--fingerprint', 'abc'], 2, '32 bytes'],
] as [string[], number, string][]) {
  test(`tombolo ${args.join(' ')}: exit code ${code}`, async () => {
    const result = await run(args);
    assert.equal(result.code, code, result.stderr);
    assert.ok(result.stderr.includes(said), result.stderr);
    assert.doesNotMatch(result.stderr, /\n\s+at /, 'no stack trace');
  });
}

test('--help and --version', async () => {
  assert.match((await run(['--help'])).stdout, /^Usage: tombolo COMMAND/);
  assert.match((await run(['--version'])).stdout, /^tombolo [0-9.]+\n$/);
});
