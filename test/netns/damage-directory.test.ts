/**
 * A state directory that is read-only, full, or cannot be made: all services run, at the start and later. Nothing on the disk
 * is lost, changes are refused with the reason, and data that could not be written is written as soon as possible.
 */
import assert from 'node:assert/strict';
import { appendFileSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, describe, it } from 'node:test';
import { waitUntil } from '../../lab/wait.ts';
import { GOOD, type Running, type World, buildDamageWorld } from './damage/world.ts';

/** In the mount namespace of the process: the state directory on its own file system. */
const OWN_DISK = `
mount -t tmpfs -o size=2m,mode=700 tmpfs /mnt
cp -a "$STATE/." /mnt
mount --bind /mnt "$STATE"`;
const FULL = `${OWN_DISK}\ndd if=/dev/zero of="$STATE/filler" bs=4k 2>/dev/null || :`;
const READ_ONLY = `${OWN_DISK}\nmount -o remount,ro,bind "$STATE"`;

const hoursIn = (path: string): number => {
  using database = new DatabaseSync(path);
  return (database.prepare('SELECT count(*) AS count FROM hours').get() as { count: number }).count;
};

/** Writes 30 days of hours; returns how many there are. */
function fillHistory(path: string): number {
  using database = new DatabaseSync(path);
  const now = Math.floor(Date.now() / 3_600_000) * 3600;
  const put = database.prepare(
    'INSERT OR REPLACE INTO hours (time, seconds, figures) SELECT ?, seconds, figures FROM minutes LIMIT 1',
  );
  for (let hour = 1; hour <= 720; hour++) put.run(now - hour * 3600);
  return hoursIn(path);
}

describe('the state directory', { concurrency: false }, () => {
  let world: World;
  before(async () => {
    world = await buildDamageWorld();
  });
  after(() => world?.[Symbol.asyncDispose]());

  /** A change is refused with the reason, and the old configuration stays active. */
  async function refusesChanges(running: Running, reason: RegExp): Promise<void> {
    const { revision } = (await running.api('GET', '/api/config')).json();
    for (const confirmSeconds of [0, 60]) {
      const document = { ...GOOD, hosts: [] };
      const reply = await running.api('POST', '/api/config/apply', { document, revision, confirmSeconds });
      assert.equal(reply.status, 422, reply.body);
      assert.match(reply.json().message, reason);
    }
    assert.equal((await running.api('GET', '/api/config')).json().revision, revision);
    await running.serves();
  }

  /** Uses up the room that the start has left, then fills the audit log with entries that change nothing. */
  async function writeUntilFull(running: Running): Promise<void> {
    fill(running.path('filler'));
    const { revision, document } = (await running.api('GET', '/api/config')).json();
    await waitUntil(
      'a write that finds no room',
      async () => {
        await running.api('POST', '/api/config/apply', { document, revision, confirmSeconds: 0 });
        return /audit\.jsonl[^(]*\(ENOSPC/.test((await running.api('GET', '/api/status')).body);
      },
      { timeoutMs: 60_000 },
    );
  }

  for (const [title, prepare, reason] of [
    ['read-only', READ_ONLY, /EROFS/],
    ['full', FULL, /ENOSPC/],
  ] as const) {
    it(`${title}: all services run, the device is made again, and nothing is lost`, async () => {
      const files = world.files(title);
      const before = fillHistory(join(files.state, 'history.sqlite'));
      await using running = await world.start(files, { prepare });
      if (title === 'full') await writeUntilFull(running);
      const problem = (await running.agreed()).get('storage')?.problem ?? '';
      assert.match(problem, title === 'full' ? /ENOSPC.*Free some space/ : /EROFS.*read-only/);
      await refusesChanges(running, reason);
      await world.topology.hosts.appliance.run('ip', ['link', 'del', 'nat64']);
      await running.serves();
      // Whether the history was read or not, the file stays as it is.
      const span = `from=${new Date(Date.now() - 86_400_000).toISOString()}&to=${new Date().toISOString()}`;
      assert.equal((await running.api('GET', `/api/history?series=proxyConnections&${span}`)).status, 200);
      assert.equal(hoursIn(running.path('history.sqlite')), before);
      assert.ok(!existsSync(running.path('history.sqlite.damaged-1')));
      assert.equal(await running.child.stop('SIGTERM', 20_000), 0, 'ends in order');
    });
  }

  it('full, then with room again: waiting data is written, and no problem is reported any longer', async () => {
    const files = world.files('freed');
    await using running = await world.start(files, { prepare: FULL });
    await writeUntilFull(running);
    assert.equal((await running.agreed()).get('storage')?.state, 'degraded');
    rmSync(running.path('filler'));
    await waitUntil(
      'storage to recover',
      async () => (await running.agreed()).get('storage')?.state === 'running',
      { timeoutMs: 60_000, intervalMs: 500 },
    );
    const audit = readFileSync(running.path('audit.jsonl'), 'utf8');
    assert.ok(audit.endsWith('\n'));
  });

  it('cannot be made: everything runs from memory; nobody can become the owner, because the password could not be stored', async () => {
    const { state } = world.files('nowhere');
    const files = { state, config: `${state}.json` };
    writeFileSync(files.config, JSON.stringify(GOOD));
    rmSync(state, { recursive: true });
    writeFileSync(files.state, 'a file in its place');
    {
      await using running = await world.start(files);
      const claim = await running.api('POST', '/api/first-run', { password: 'tide tables again' }, '');
      assert.equal(claim.status, 503, claim.body);
      assert.match(claim.json().message, /Nobody owns this appliance yet/);
      assert.equal((await running.api('GET', '/api/session', undefined, '')).json().state, 'unclaimed');
      const health = (await running.api('GET', '/api/health', undefined, '')).json();
      assert.equal(health.status, 'degraded');
      assert.equal(await running.child.stop('SIGTERM', 20_000), 0, 'ends in order');
    }
    assert.equal(readFileSync(files.state, 'utf8'), 'a file in its place');
  });

  it('full in the countdown of a change: it is rolled back nevertheless, and so it is by the next start', async () => {
    const files = world.files('countdown');
    await using running = await world.start(files, { prepare: OWN_DISK });
    const { revision, document } = (await running.api('GET', '/api/config')).json();
    const changed = { ...document, forward: { sshPorts: '22001-22500' } };
    const applied = await running.api('POST', '/api/config/apply', {
      document: changed,
      revision,
      confirmSeconds: 5,
    });
    assert.equal(applied.status, 200, applied.body);
    fill(running.path('filler'));
    await waitUntil(
      'the old configuration',
      async () => (await running.api('GET', '/api/config')).json().revision === revision,
      { timeoutMs: 30_000, intervalMs: 250 },
    );
    await running.serves();
    assert.match((await running.agreed()).get('storage')?.problem ?? '', /config\.json/);
    assert.deepEqual(
      JSON.parse(readFileSync(running.path('config.json'), 'utf8')),
      changed,
      'as it was written',
    );
    assert.ok(existsSync(running.path('pending-change.json')), 'the file by which a start rolls back');
    rmSync(running.path('filler'));
    await waitUntil('the file', () => !existsSync(running.path('pending-change.json')), {
      timeoutMs: 60_000,
    });
    assert.deepEqual(JSON.parse(readFileSync(running.path('config.json'), 'utf8')), document);
  });
});

/** Writes until there is no room. */
function fill(path: string): void {
  const piece = Buffer.alloc(4096);
  for (;;) {
    try {
      appendFileSync(path, piece);
    } catch {
      return;
    }
  }
}
