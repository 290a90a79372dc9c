/**
 * Faults of the state directory while the process runs: the disk fills up, has no room for another file, or becomes read-only,
 * and recovers; the owner of the directory changes; a second process starts. Acknowledged data is never lost, and data that is
 * not stored is reported.
 */
import assert from 'node:assert/strict';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { waitUntil } from '../../lab/wait.ts';
import { parseAuthData } from '../../src/admin/auth/state-file.ts';
import { openBackup } from '../../src/state/backup-seal.ts';
import { NOBODY } from './damage/files.ts';
import { GOOD, type Files, PASSWORD, type Running, type World, buildDamageWorld } from './damage/world.ts';

const ROOT = join(import.meta.dirname, '../..');
const PATIENCE = { timeoutMs: 60_000, intervalMs: 250 };
const NEXT = 'tide tables of the west';
const PASSPHRASE = 'a long walk on the beach';

/** In the mount namespace of the process: the state directory on its own file system. */
const ownDisk = (options: string) => `
mount -t tmpfs -o ${options},mode=700 tmpfs /mnt
cp -a "$STATE/." /mnt
mount --bind /mnt "$STATE"`;

interface Trouble {
  readonly title: string;
  readonly disk: string;
  readonly said: RegExp;
  begin(running: Running, files: Files): Promise<unknown>;
  end(running: Running, files: Files): Promise<unknown>;
}

/** A browser: cookies, and the token against forged requests (CSRF). */
function browser(world: World, name: string) {
  const jar = join(world.topology.directory, `jar-${name}`);
  let csrf = '';
  return async (method: string, path: string, body?: object) => {
    const { stdout } = await world.topology.hosts.appliance.run('curl', [
      ...['-sS', '-m', '20', '-X', method, '-b', jar, '-c', jar, '-w', '\n%{http_code}'],
      ...['-H', `x-csrf-token: ${csrf}`],
      ...(body === undefined ? [] : ['-H', 'content-type: application/json', '-d', JSON.stringify(body)]),
      `http://127.0.0.1:8064/api/${path}`,
    ]);
    const end = stdout.lastIndexOf('\n');
    const answer = JSON.parse(stdout.slice(0, end));
    csrf = answer.csrfToken ?? csrf;
    return { status: Number(stdout.slice(end + 1)), answer };
  };
}

describe('the state directory, while the process runs', { concurrency: false }, () => {
  let world: World;
  before(async () => {
    world = await buildDamageWorld();
  });
  after(() => world?.[Symbol.asyncDispose]());

  const inMountsOf = ({ child }: Running, ...command: string[]) =>
    world.topology.hosts.appliance.run('nsenter', ['--target', `${child.pid}`, '--mount', ...command]);
  const remount = (mode: string) => (running: Running, files: Files) =>
    inMountsOf(running, 'mount', '-o', `remount,${mode}`, files.state);

  const TROUBLES: readonly Trouble[] = [
    {
      title: 'full',
      disk: ownDisk('size=2m'),
      said: /ENOSPC.*Free some space/,
      begin: (running) =>
        inMountsOf(
          running,
          'sh',
          '-c',
          `dd if=/dev/zero of="${stateOf(running)}/filler" bs=4k 2>/dev/null || :`,
        ),
      end: async (running) => rmSync(running.path('filler')),
    },
    {
      title: 'without room for another file',
      disk: ownDisk('size=20m,nr_inodes=100'),
      said: /ENOSPC.*or remove files/,
      begin: async (running) => {
        mkdirSync(running.path('filler'));
        for (let i = 0; ; i++) {
          try {
            writeFileSync(running.path(`filler/${i}`), '');
          } catch {
            return;
          }
        }
      },
      end: async (running) => rmSync(running.path('filler'), { recursive: true }),
    },
    {
      title: 'read-only',
      disk: ownDisk('size=20m'),
      said: /EROFS/,
      begin: remount('ro'),
      end: remount('rw'),
    },
    {
      title: "another user's",
      disk: ':',
      said: /EACCES.*chown/,
      begin: async (_running, { state }) => own(state, NOBODY, 0o555),
      end: async (_running, { state }) => own(state, 0, 0o700),
    },
  ];

  for (const { title, disk, said, begin, end } of TROUBLES) {
    it(`${title}: each request to the panel is carried out, or refused with the reason; later all of it is stored`, async () => {
      const files = world.files('trouble');
      await using running = await world.start(files, { prepare: disk });
      const bootstrap = readFileSync(running.path('admin-token'), 'utf8').trim();
      const owner = browser(world, title.replaceAll(/[^a-z]/g, ''));
      const thief = browser(world, `${title.replaceAll(/[^a-z]/g, '')}-thief`);
      assert.equal((await thief('POST', 'session', { password: PASSWORD })).status, 200);
      await begin(running, files);
      assert.equal(
        (await owner('POST', 'session', { password: PASSWORD })).status,
        200,
        'the person who fixes it can sign in',
      );
      const token = { name: 'unkept', scope: 'read', expiresInDays: null, password: PASSWORD };
      const refused = await owner('POST', 'tokens', token);
      assert.deepEqual([refused.status, refused.answer.error], [503, 'not-kept']);
      const changed = await owner('PUT', 'password', { current: PASSWORD, next: NEXT });
      assert.deepEqual([changed.status, changed.answer.error], [503, 'not-kept']);
      assert.equal((await thief('GET', 'status')).status, 401, 'the other session has ended');
      await owner('GET', 'session');
      const { revision, document } = (await owner('GET', 'config')).answer;
      const change = { document: { ...document, shutdownSeconds: 33 }, revision, confirmSeconds: 0 };
      const { answer } = await owner('POST', 'config/apply', change);
      assert.match(answer.message, /E(NOSPC|ROFS|ACCES)/);
      // A backup contains the active state, and a restore leaves no files behind that take up room.
      const backup = join(world.topology.directory, 'backup');
      const body = join(world.topology.directory, 'body');
      writeFileSync(body, JSON.stringify({ passphrase: PASSPHRASE }));
      await post('backup', bootstrap, body, backup);
      const { entries } = await openBackup(readFileSync(backup), PASSPHRASE);
      const auth = entries.find(({ name }) => name === 'state/auth.json')!;
      const { password } = parseAuthData(Buffer.from(auth.content));
      writeFileSync(
        body,
        JSON.stringify({ passphrase: PASSPHRASE, file: readFileSync(backup).toString('base64') }),
      );
      assert.match(
        await post('restore', bootstrap, body),
        /The backup was not restored, and nothing was changed: E[A-Z]+/,
      );
      const names = () => inMountsOf(running, 'ls', files.state).then(({ stdout }) => stdout.split('\n'));
      assert.deepEqual(
        (await names()).filter((name) => name.startsWith('restore')),
        [],
      );
      assert.match((await running.agreed(bootstrap)).get('storage')?.problem ?? '', said);
      await running.serves();

      await end(running, files);
      assert.equal(
        (await owner('POST', 'config/apply', change)).status,
        200,
        'accepted when it is sent again',
      );
      await waitUntil(
        'storage to recover',
        async () => !said.test((await running.agreed(bootstrap)).get('storage')?.problem ?? ''),
        PATIENCE,
      );
      const kept = parseAuthData(readFileSync(running.path('auth.json')));
      assert.equal(kept.password, password);
      assert.deepEqual(
        kept.tokens.map(({ name }) => name),
        ['test'],
      );
      assert.equal(JSON.parse(readFileSync(running.path('config.json'), 'utf8')).shutdownSeconds, 33);
      const audit = readFileSync(running.path('audit.jsonl'), 'utf8').trim().split('\n').map(parseEntry);
      assert.deepEqual(
        audit.map(({ id }) => id),
        Array.from(audit, (_, i) => audit[0].id + i),
      );
      for (const [action, outcome] of [
        ['POST /api/tokens', 'failed'],
        ['PUT /api/password', 'failed'],
        ['POST /api/restore', 'failed'],
      ])
        assert.ok(
          audit.some((entry) => entry.action === action && entry.outcome === outcome),
          action,
        );
    });
  }

  it('a restore that finds the disk full at the start changes nothing, is reported, and is not tried again', async () => {
    const files = world.files('restore');
    const stage = join(files.state, 'restore');
    mkdirSync(stage);
    writeFileSync(join(stage, 'config.json'), JSON.stringify({ ...GOOD, shutdownSeconds: 44 }));
    writeFileSync(join(stage, 'state.ssh-ports.json'), Buffer.alloc(1 << 20, ' '));
    const prepare = `${ownDisk('size=2m')}\ndd if=/dev/zero of="$STATE/filler" bs=4k 2>/dev/null || :`;
    await using running = await world.start(files, { prepare });
    const problem = (await running.agreed()).get('storage')?.problem ?? '';
    assert.match(problem, /The backup was not restored; .*restore the backup again: ENOSPC.*Free some space/);
    assert.equal((await running.api('GET', '/api/config')).json().document.shutdownSeconds, undefined);
    assert.deepEqual(
      readdirSync(running.path('')).filter((name) => /restore/.test(name)),
      [],
    );
  });

  it('a second process on the directory writes nothing: neither an unconfirmed change nor data stored since is lost', async () => {
    const files = world.files('two');
    await using first = await world.start(files);
    const { revision, document } = (await first.api('GET', '/api/config')).json();
    const changed = { ...document, shutdownSeconds: 33 };
    const apply = { document: changed, revision, confirmSeconds: 600 };
    assert.equal((await first.api('POST', '/api/config/apply', apply)).status, 200);
    const second = world.topology.hosts.web1.spawn(
      process.execPath,
      [join(ROOT, 'src/main.ts'), '--config', files.config, '--state', files.state],
      {
        env: {
          NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'] ?? join(ROOT, 'node_modules/.cache/compile'),
        },
      },
    );
    await second.waitForLine(/Another process uses .*this one writes nothing there/, { timeoutMs: 60_000 });
    await second.waitForLine(/"msg":"started"/, { timeoutMs: 60_000 });
    assert.ok(existsSync(join(files.state, 'pending-change.json')), 'the file of the unconfirmed change');
    const bootstrap = readFileSync(join(files.state, 'admin-token'), 'utf8').trim();
    const token = { name: 'meanwhile', scope: 'read', expiresInDays: null };
    assert.equal((await first.api('POST', '/api/tokens', token, bootstrap)).status, 201);
    assert.equal(await second.stop('SIGTERM', 20_000), 0);
    const { tokens } = parseAuthData(readFileSync(join(files.state, 'auth.json')));
    assert.deepEqual(tokens.map(({ name }) => name).sort(), ['meanwhile', 'test']);
    assert.equal((await first.api('POST', '/api/config/confirm', {})).status, 200);
    assert.deepEqual(JSON.parse(readFileSync(files.config, 'utf8')), changed);
    assert.deepEqual(
      readdirSync(files.state).filter((name) => /damaged|\.tmp$/.test(name)),
      [],
    );
    assert.equal((await first.agreed()).get('storage')?.state, 'running');
  });

  it('temporary files of a killed process are gone after the next start', async () => {
    const files = world.files('killed');
    const left = join(files.state, 'auth.json.0123456789ab.tmp');
    writeFileSync(left, 'secrets');
    await using _running = await world.start(files, { wait: ['dns64'] });
    assert.ok(!existsSync(left));
  });

  /** Resolves with the answer, or writes it to a file. */
  async function post(path: string, token: string, body: string, output?: string): Promise<string> {
    const { stdout } = await world.topology.hosts.appliance.run('curl', [
      ...['-sS', '-m', '30', '-H', `authorization: Bearer ${token}`, '-H', 'content-type: application/json'],
      ...(output === undefined ? [] : ['-o', output]),
      ...['--data-binary', `@${body}`, `http://127.0.0.1:8064/api/${path}`],
    ]);
    return stdout;
  }
});

const parseEntry = (line: string) => JSON.parse(line) as { id: number; action: string; outcome: string };

const stateOf = (running: Running): string => running.path('').replace(/^\/proc\/\d+\/root/, '');

function own(directory: string, user: number, mode: number): void {
  chownSync(directory, user, user);
  chmodSync(directory, mode);
}
