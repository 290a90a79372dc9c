import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { importSettings, type Places } from '../../../firmware/import-settings.ts';
import { parsePreseed, parseToml } from '../../../firmware/preseed.ts';
import { parseSshPublicKey, type SshPublicKey } from '../../../src/wire/ssh-public-key.ts';

const KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpa me@example.com';
const PARSED = parseSshPublicKey(KEY) as SshPublicKey;

describe('rpi-preseed.toml', () => {
  const ROWS: [string, string, ReturnType<typeof parsePreseed>][] = [
    ['nothing', '', { problems: [] }],
    ['a host name', '[system]\nhostname = "Bar"\n', { hostname: 'bar', problems: [] }],
    [
      'keys over several lines, with comments',
      `# made by Imager\n[ssh]\nenabled = true # yes\nauthorized_keys = [ # two\n  "${KEY}", # "one"\n  '${KEY}',\n]\n[system]\nhostname='a'`,
      { hostname: 'a', authorizedKeys: [PARSED, PARSED], problems: [] },
    ],
    ['switched off', `[ssh]\nenabled = false\nauthorized_keys = ["${KEY}"]`, { problems: [] }],
    ['CR LF', '[system]\r\nhostname = "a-1"\r\n', { hostname: 'a-1', problems: [] }],
    [
      'an invalid host name',
      '[system]\nhostname = "a b"',
      { problems: ['system.hostname: "a b" is not a label of letters, digits and hyphens, at most 63'] },
    ],
    [
      'a key with options',
      `[ssh]\nauthorized_keys = ['command="reboot" ${KEY}']`,
      { problems: ['ssh.authorized_keys: not every line is an OpenSSH public key'] },
    ],
    [
      'only a password',
      '[ssh]\nenabled = true\n[user]\npassword = "secret"',
      { problems: ['ssh: the appliance takes keys only, and there is none in ssh.authorized_keys'] },
    ],
  ];
  for (const [title, text, expected] of ROWS) {
    test(title, () => assert.deepEqual(parsePreseed(text), expected));
  }

  test('any text is read without an exception', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'[]="\'#\\,\n a1.') }), (text) => {
        parseToml(text);
        parsePreseed(text);
      }),
    );
  });

  test('strings are read back unchanged', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'grapheme-ascii' })), (strings) => {
        const text = `[t]\nlist = [${strings.map((string) => JSON.stringify(string)).join(', ')}] # end`;
        assert.deepEqual(parseToml(text).get('t.list'), strings);
      }),
    );
  });
});

describe('import-settings', () => {
  const CONFIG = '{"admin": {"hostnames": ["tombolo.local"]}}';
  function places(files: Record<string, string>, config = CONFIG): Places & Disposable {
    const root = mkdtempSync(join(tmpdir(), 'tombolo-import-'));
    const at = { files: join(root, 'import'), state: join(root, 'state') };
    for (const directory of [at.files, at.state]) mkdirSync(directory);
    writeFileSync(join(at.state, 'config.json'), config);
    for (const [name, text] of Object.entries(files)) writeFileSync(join(at.files, name), text);
    return { ...at, [Symbol.dispose]: () => rmSync(root, { recursive: true }) };
  }
  const read = ({ state }: Places, name: string) => readFileSync(join(state, name), 'utf8');
  const PRESEED = `[system]\nhostname = "bar"\n[ssh]\nauthorized_keys = ["${KEY}"]\n`;

  test('a preseed: the host name, its page, and the keys', async () => {
    using at = places({ 'rpi-preseed.toml': PRESEED });
    assert.deepEqual(await importSettings(at), []);
    assert.equal(read(at, 'hostname'), 'bar\n');
    assert.equal(read(at, 'authorized_keys'), `${KEY}\n`);
    assert.deepEqual(JSON.parse(read(at, 'config.json')), {
      admin: {
        hostnames: ['bar.local', 'bar-2.local', 'bar-3.local', 'bar-4.local', 'bar-5.local', 'tombolo.local'],
      },
    });
  });

  test('a configuration is imported once, and again after it was edited', async () => {
    const first = '{"dns64": {"enabled": false}}';
    using at = places({ 'tombolo.json': first });
    assert.deepEqual(await importSettings(at), []);
    assert.equal(read(at, 'config.json'), first);
    assert.equal(statSync(join(at.state, 'config.json')).mode & 0o777, 0o600);

    writeFileSync(join(at.state, 'config.json'), '{"changed": "in the page"}');
    assert.deepEqual(await importSettings(at), []);
    assert.equal(read(at, 'config.json'), '{"changed": "in the page"}');

    writeFileSync(join(at.files, 'tombolo.json'), '{}');
    assert.deepEqual(await importSettings(at), []);
    assert.equal(read(at, 'config.json'), '{}');
  });

  test('a bad configuration is refused with its position, and the old one stays', async () => {
    using at = places({ 'tombolo.json': '{"dns64": 1}' });
    const before = read(at, 'config.json');
    assert.match((await importSettings(at)).join('\n'), /^tombolo\.json:1:11: \/dns64: 1 /);
    assert.equal(read(at, 'config.json'), before);
  });

  for (const damaged of ['', 'null', '[]', '{"admin": {"hostnames": ["tombo', '{"admin": {"hostnames": 5}}'])
    test(`beside the damaged configuration ${damaged || '(empty)'} everything else is imported, and a new configuration replaces it`, async () => {
      using at = places({ 'rpi-preseed.toml': PRESEED }, damaged);
      assert.deepEqual(await importSettings(at), []);
      assert.equal(read(at, 'authorized_keys'), `${KEY}\n`);
      assert.equal(read(at, 'hostname'), 'bar\n');
      if (damaged !== '') assert.equal(read(at, 'config.json'), damaged);
      writeFileSync(join(at.files, 'tombolo.json'), CONFIG);
      assert.deepEqual(await importSettings(at), []);
      assert.equal(read(at, 'config.json'), CONFIG);
    });

  test('a file that cannot be imported does not block the other', async () => {
    using at = places({ 'tombolo.json': '{}' });
    mkdirSync(join(at.files, 'rpi-preseed.toml'));
    assert.match(
      (await importSettings(at)).join('\n'),
      /^rpi-preseed\.toml on the CONFIG partition could not be taken over: EISDIR/,
    );
    assert.equal(read(at, 'config.json'), '{}');
  });
});
