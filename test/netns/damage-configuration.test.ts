/**
 * The configuration file, damaged in every way: the last good revision is active, every status output shows the reason, and
 * nothing is lost.
 */
import assert from 'node:assert/strict';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { GARBAGE, contentOf, damage } from './damage/files.ts';
import { GOOD, type World, buildDamageWorld } from './damage/world.ts';

describe('a damaged configuration file', { concurrency: false }, () => {
  let world: World;
  before(async () => {
    world = await buildDamageWorld();
  });
  after(() => world?.[Symbol.asyncDispose]());

  /** The content of the configuration file, and what the problem must say about it. */
  const CONFIGURATIONS: readonly [title: string, make: (path: string) => void, ...said: string[]][] = [
    ['missing', (path) => rmSync(path), 'is missing'],
    ['empty, as after a power cut', (path) => writeFileSync(path, ''), 'is empty'],
    ['half', (path) => damage(path, 'half', undefined), 'JSON syntax'],
    ['garbage', (path) => writeFileSync(path, GARBAGE), 'JSON syntax'],
    ['null', (path) => writeFileSync(path, 'null'), 'null is not'],
    ['a list', (path) => writeFileSync(path, '[]'), 'an empty list is not'],
    ['a directory', (path) => damage(path, 'directory', undefined), 'cannot be read', 'it is not a file'],
    ['a pipe', (path) => damage(path, 'pipe', undefined), 'cannot be read', 'it is not a file'],
    [
      'a link to nothing',
      (path) => damage(path, 'link to nothing', undefined),
      'cannot be read',
      'symbolic link',
    ],
    ["another user's", (path) => damage(path, 'unreadable', undefined), 'cannot be read', 'EACCES'],
    [
      'edited with one wrong word',
      (path) => writeFileSync(path, JSON.stringify({ ...GOOD, hots: [] })),
      '/hots',
      'did you mean "hosts"?',
    ],
    [
      'edited with a wrong address',
      (path) =>
        writeFileSync(path, JSON.stringify({ ...GOOD, hosts: [{ name: 'web1', address: '192.0.2.1' }] })),
      '/hosts/0/address',
      '"192.0.2.1"',
      'an IPv6 address such as',
    ],
    [
      'from a newer version',
      (path) => writeFileSync(path, JSON.stringify({ ...GOOD, fleet: { enabled: true } })),
      '/fleet',
      'unknown field',
    ],
  ];
  for (const [title, make, ...said] of CONFIGURATIONS) {
    it(`the configuration file is ${title}: the newest good revision runs`, async () => {
      const files = world.files('config');
      make(files.config);
      const found = contentOf(files.config);
      await using running = await world.start(files);
      const reports = await running.agreed();
      const problem = reports.get('configuration')?.problem ?? '';
      for (const words of [...said, files.config, `Revision ${world.revisions}`])
        assert.ok(problem.includes(words), `${words} is not in: ${problem}`);
      assert.deepEqual(contentOf(files.config), found, 'nothing was written');
      const { document, revision } = (await running.api('GET', '/api/config')).json();
      assert.deepEqual(document, GOOD);
      // A change from the page keeps the running configuration.
      const kept = await running.api('POST', '/api/config/apply', { document, revision, confirmSeconds: 0 });
      assert.equal(kept.status, 200, kept.body);
      assert.deepEqual(JSON.parse(readFileSync(files.config, 'utf8')), GOOD);
      assert.equal((await running.agreed()).get('configuration')?.state, 'running');
      if (found !== undefined && found.length > 0)
        assert.deepEqual(contentOf(`${files.config}.damaged-1`) ?? found, found);
    });
  }

  it('without a good revision, the defaults run and the page can be reached from the network', async () => {
    const files = world.files('none');
    writeFileSync(files.config, '{"hosts": 1}');
    writeFileSync(join(files.state, 'revisions'), GARBAGE);
    await using running = await world.start(files, { wait: ['dns64'] });
    const { body } = await world.topology.hosts.web1
      .run('curl', ['-sSk', 'https://192.0.2.1:8064/api/health'])
      .then(({ stdout }) => ({ body: stdout }));
    assert.match(body, /degraded/);
    assert.match(
      (await running.agreed()).get('configuration')?.problem ?? '',
      /\/hosts: 1 .*the defaults are running/,
    );
    assert.deepEqual(readFileSync(join(files.state, 'revisions')), GARBAGE, 'nothing was written');
  });

  it('a refused SIGHUP is reported until a good file is read; the old configuration stays active', async () => {
    const files = world.files('hup');
    await using running = await world.start(files);
    writeFileSync(files.config, '{"hosts": [{"name": "web1"}]}');
    running.child.process.kill('SIGHUP');
    const problem = async () => (await running.agreed()).get('configuration')?.problem ?? '';
    while ((await problem()) === '');
    assert.match(
      await problem(),
      /\/hosts\/0\/address: is missing; expected an IPv6 address.*The previous configuration keeps running\./,
    );
    const notices = (await running.api('GET', '/api/events?kind=notice&limit=10')).body;
    assert.match(notices, /The configuration file is refused/);
    await running.serves();
    writeFileSync(files.config, JSON.stringify(GOOD));
    running.child.process.kill('SIGHUP');
    while ((await problem()) !== '');
  });
});
