/**
 * Every file of the state directory, and the configuration, damaged in every way that a disk, a power failure or a person can.
 * The four services run in each case, and every status output reports the same. The cases are the rows of the table in
 * docs/state-directory.md.
 */
import assert from 'node:assert/strict';
import { existsSync, lstatSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type Damage, GARBAGE, NOBODY, contentOf, damage } from './damage/files.ts';
import { type World, buildDamageWorld } from './damage/world.ts';

/** The outcome: nothing to report; a condition as long as the damage lasts; moved aside and reported once. */
type Outcome = 'well' | 'condition' | 'aside';

/**
 * A file, and its outcome for each kind of damage. "Missing" and "read-only" are harmless for every file. `newer`: content that a
 * newer version may have written. The screen's file and the audit log are rewritten or appended to, whatever is in them.
 */
const FILES: readonly [name: string, outcomes: Partial<Record<Damage, Outcome>>, newer?: string][] = [
  [
    'revisions',
    {
      empty: 'well',
      half: 'well',
      garbage: 'aside',
      directory: 'aside',
      pipe: 'aside',
      'link to nothing': 'condition',
      unreadable: 'condition',
    },
  ],
  [
    'pending-change.json',
    {
      empty: 'aside',
      half: 'aside',
      garbage: 'aside',
      directory: 'aside',
      pipe: 'aside',
      'link to nothing': 'condition',
      unreadable: 'condition',
      newer: 'aside',
    },
    '{"version":2}',
  ],
  [
    'admin-token',
    {
      empty: 'aside',
      half: 'aside',
      garbage: 'aside',
      directory: 'aside',
      pipe: 'aside',
      'link to nothing': 'condition',
      unreadable: 'condition',
      newer: 'aside',
    },
    'tombolo-2-token\n',
  ],
  ['claimed', {}],
  [
    'audit.jsonl',
    { directory: 'aside', pipe: 'aside', 'link to nothing': 'condition', unreadable: 'condition' },
  ],
  [
    'admin-certificate.pem',
    {
      empty: 'aside',
      half: 'aside',
      garbage: 'aside',
      directory: 'aside',
      pipe: 'aside',
      'link to nothing': 'condition',
      unreadable: 'condition',
    },
  ],
  // Only used where there is no runtime directory; here there is one.
  ['console.json', {}],
  [
    'ssh-ports.json',
    {
      empty: 'aside',
      half: 'aside',
      garbage: 'aside',
      directory: 'aside',
      pipe: 'aside',
      'link to nothing': 'condition',
      unreadable: 'condition',
      newer: 'aside',
    },
    '{"version":2,"ports":{}}',
  ],
  [
    'nat64-sessions.bin',
    {
      empty: 'aside',
      half: 'aside',
      garbage: 'aside',
      directory: 'aside',
      pipe: 'aside',
      unreadable: 'well',
    },
  ],
  ['nat64-sysctl.json', {}],
  ['ports-sysctl.json', {}],
  [
    'history.sqlite',
    {
      half: 'aside',
      garbage: 'aside',
      directory: 'condition',
      pipe: 'condition',
      'link to nothing': 'condition',
      'read-only': 'condition',
      unreadable: 'condition',
    },
  ],
  ['restore', { empty: 'aside', half: 'aside', garbage: 'aside', pipe: 'aside', unreadable: 'condition' }],
  ['compile-cache', {}],
  ['authorized_keys', {}],
];

/** Their content is of no value: the process overwrites them, whoever owns them. */
const REMADE = [
  'compile-cache',
  'console.json',
  'nat64-sessions.bin',
  'nat64-sysctl.json',
  'ports-sysctl.json',
];

/** Each damages all files at once: a start costs seconds, and the files do not depend on each other. */
const ALL_AT_ONCE: readonly Damage[] = [
  'missing',
  'empty',
  'half',
  'garbage',
  'directory',
  'pipe',
  'link to nothing',
  'read-only',
  'unreadable',
  'newer',
];

describe('damaged files', { concurrency: false }, () => {
  let world: World;
  before(async () => {
    world = await buildDamageWorld();
  });
  after(() => world?.[Symbol.asyncDispose]());

  for (const how of ALL_AT_ONCE) {
    it(`every file but the configuration and auth.json: ${how}`, async (t) => {
      const files = world.files(how);
      const rows = FILES.filter(([name]) => how !== 'read-only' || existsSync(join(files.state, name)));
      for (const [name, , newer] of rows) {
        const path = join(files.state, name);
        if (how === 'unreadable' && !existsSync(path))
          name === 'restore' ? mkdirSync(path) : writeFileSync(path, '{}');
        if (how !== 'newer' || newer !== undefined) damage(path, how, newer);
      }
      await using running = await world.start(files);
      // The database is opened when older history is requested.
      const span = `from=${new Date(Date.now() - 86_400_000).toISOString()}&to=${new Date().toISOString()}`;
      const history = await running.api('GET', `/api/history?series=proxyConnections&${span}`);
      assert.equal(history.status, 200, history.body);
      // An entry for the audit log; it changes nothing.
      const { document, revision } = (await running.api('GET', '/api/config')).json();
      const applied = { document, revision, confirmSeconds: 0 };
      assert.equal((await running.api('POST', '/api/config/apply', applied)).status, 200);
      assert.match((await running.api('GET', '/api/audit')).body, /Activates a configuration/);
      assert.equal((await running.api('GET', '/api/config/revisions')).status, 200);
      const reports = await running.agreed();
      const problem = reports.get('storage')?.problem ?? '';
      const wanted = (outcome: Outcome) =>
        rows.filter(([, outcomes]) => outcomes[how] === outcome).map(([name]) => name);
      for (const name of wanted('condition'))
        assert.ok(problem.includes(name), `${name} is not in: ${problem}`);
      if (wanted('condition').length === 0) assert.equal(problem, '');
      for (const name of wanted('aside')) {
        const aside = join(files.state, `${name}.damaged-1`);
        assert.ok(existsSync(aside), `${aside}\n${readdirSync(files.state).join(' ')}`);
        if (how === 'garbage') assert.deepEqual(readFileSync(aside), GARBAGE, name);
      }
      const asides = readdirSync(files.state).filter((name) => /\.damaged-\d+$/.test(name));
      assert.deepEqual(
        asides.sort(),
        wanted('aside')
          .map((name) => `${name}.damaged-1`)
          .sort(),
      );
      const notices = (await running.api('GET', '/api/events?kind=notice&limit=100')).body;
      for (const name of wanted('aside'))
        assert.ok(notices.includes(`${name} was damaged`), `${name}: ${notices}`);
      // Unreadable files were not replaced.
      if (how === 'unreadable')
        for (const [name] of rows)
          if (!REMADE.includes(name)) assert.equal(lstatSync(join(files.state, name)).uid, NOBODY, name);
      t.diagnostic(`${rows.length} files`);
    });
  }

  /** The file of the sign-in data: whatever happens to it, the next visitor cannot claim the page. */
  for (const how of [
    'missing',
    'empty',
    'half',
    'garbage',
    'directory',
    'pipe',
    'link to nothing',
    'unreadable',
    'newer',
  ] as const) {
    it(`auth.json is ${how}: nobody can sign in, all services run, and root sets a new password`, async () => {
      const files = world.files('auth');
      const path = join(files.state, 'auth.json');
      damage(path, how, '{"version":2}');
      const found = contentOf(path);
      const bootstrap = readFileSync(join(files.state, 'admin-token'), 'utf8').trim();
      {
        await using running = await world.start(files);
        const session = (await running.api('GET', '/api/session', undefined, '')).json();
        assert.equal(session.state, 'signed-out', 'it has an owner');
        assert.equal(
          (await running.api('POST', '/api/first-run', { password: 'a new one of mine' }, '')).status,
          409,
        );
        assert.equal((await running.api('GET', '/api/status', undefined, world.token)).status, 401);
        const { problem } = (await running.agreed(bootstrap)).get('admin') ?? {};
        assert.match(
          problem ?? '',
          /auth\.json cannot be used .*set a new password with the bootstrap token/,
        );
      }
      assert.deepEqual(contentOf(path), found, 'the end of the process does not overwrite it either');
      await using running = await world.start(files);
      const next = 'found again at last';
      assert.equal((await running.api('PUT', '/api/password', { next }, bootstrap)).status, 200);
      assert.equal((await running.api('POST', '/api/session', { password: next }, '')).status, 200);
      assert.equal((await running.agreed(bootstrap)).get('admin')?.state, 'running');
      if (found !== undefined) assert.ok(existsSync(`${path}.damaged-1`));
    });
  }
});
