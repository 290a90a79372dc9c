import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';

const MAIN = join(import.meta.dirname, '../../src/main.ts');
const directory = mkdtempSync(join(tmpdir(), 'tombolo-main-'));
after(() => rmSync(directory, { recursive: true }));

const run = (...args: string[]) => spawnSync(process.execPath, [MAIN, ...args], { encoding: 'utf8' });

function runWith(configuration: string, ...args: string[]) {
  const file = join(directory, 'tombolo.json');
  writeFileSync(file, configuration);
  return run('--config', file, '--state', join(directory, 'state'), ...args);
}

const HOST = '"name": "web1", "address": "2001:db8:1::10"';

// What is wrong, where (JSON path), the value, and what is expected.
const REFUSED: readonly [title: string, configuration: string, ...said: string[]][] = [
  [
    'an unknown field',
    '{"dns64": {"prefixs": []}}',
    '/dns64/prefixs',
    'unknown field "prefixs"',
    'did you mean "prefixes"?',
  ],
  [
    'a bad prefix',
    '{"nat64": {"prefix": "64:ff9b::/95"}}',
    '/nat64/prefix',
    '"64:ff9b::/95"',
    '32, 40, 48, 56, 64 or 96 bits',
  ],
  [
    'a duplicate port',
    `{"hosts": [{${HOST}, "ssh": {"port": 443}}]}`,
    '/hosts/0/ssh/port',
    '443',
    '/proxy/listeners',
  ],
  [
    'an address that is not IPv6',
    '{"hosts": [{"name": "web1", "address": "192.0.2.1"}]}',
    '/hosts/0/address',
    '"192.0.2.1"',
    'an IPv6 address such as',
  ],
  ['no JSON', '{"hosts": [}', 'tombolo.json:1:12'],
];

for (const [title, configuration, ...said] of REFUSED) {
  test(`--check refuses ${title}: exit code 2`, () => {
    const { status, stderr } = runWith(configuration, '--check');
    assert.equal(status, 2, stderr);
    for (const words of said) assert.ok(stderr.includes(words), `${words} is not in: ${stderr}`);
    assert.doesNotMatch(stderr, /\n\s+at /, 'no stack trace');
  });
}

test('--check accepts a good configuration, and an empty one', () => {
  for (const configuration of [`{"hosts": [{${HOST}}]}`, '{}', '']) {
    const { status, stdout } = runWith(configuration, '--check');
    assert.equal(status, 0);
    assert.match(stdout, /: good$/m);
  }
});

for (const args of [['--nonsense'], ['--log-level', 'loud'], ['extra']]) {
  test(`refuses the arguments ${args.join(' ')}: exit code 2, with the reason`, () => {
    const { status, stderr } = run(...args);
    assert.equal(status, 2);
    assert.match(stderr, new RegExp(`^tombolo: .*${args.at(-1)}`));
  });
}

test('--version and --help', () => {
  assert.match(run('--version').stdout, /^tombolo [0-9]+\.[0-9]+\.[0-9]+\n$/);
  assert.match(run('--help').stdout, /^Usage: tombolo /);
});
