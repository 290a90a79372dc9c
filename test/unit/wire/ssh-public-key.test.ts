import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import fc from 'fast-check';
import { sshFingerprint } from '../../../src/os/appliance-ssh.ts';
import {
  formatSshPublicKey,
  parseSshPublicKey,
  SSH_KEY_TYPES,
  type SshKeyProblem,
} from '../../../src/wire/ssh-public-key.ts';

/** RFC 4251 section 5: strings, each with its length in front. */
const strings = (...values: (string | Uint8Array)[]): Buffer =>
  Buffer.concat(
    values.flatMap((value) => {
      const length = Buffer.alloc(4);
      length.writeUInt32BE(value.length);
      return [length, Buffer.from(value as string)];
    }),
  );
const line = (type: string, ...fields: (string | Uint8Array)[]) =>
  `${type} ${strings(type, ...fields).toString('base64')}`;

const ED25519 = line('ssh-ed25519', Buffer.alloc(32, 7));
const modulus = (bits: number) =>
  Buffer.from([
    ...(bits % 8 === 0 ? [0] : []),
    1 << ((bits - 1) % 8),
    ...Array(Math.ceil(bits / 8) - 1).fill(1),
  ]);
const point = (bytes: number) => Buffer.concat([Buffer.from([4]), Buffer.alloc(2 * bytes, 9)]);
const EXPONENT = Buffer.from([1, 0, 1]);

const GOOD: readonly [title: string, line: string, comment: string][] = [
  ['ed25519', ED25519, ''],
  ['with a comment and the line end', `${ED25519} me@example.com work\r\n`, 'me@example.com work'],
  ['with several blanks', `  ${ED25519.replace(' ', ' \t ')}\t me `, 'me'],
  ['control characters in the comment are removed', `${ED25519} a\u0007b\u001b[31mc`, 'ab[31mc'],
  ['RSA of 2048 bits', line('ssh-rsa', EXPONENT, modulus(2048)), ''],
  ['RSA of 3071 bits', line('ssh-rsa', EXPONENT, modulus(3071)), ''],
  ['nistp521', line('ecdsa-sha2-nistp521', 'nistp521', point(66)), ''],
  ['a security key', line('sk-ssh-ed25519@openssh.com', Buffer.alloc(32, 7), 'ssh:'), ''],
];
const BAD: readonly [title: string, text: string, problem: SshKeyProblem][] = [
  ['nothing', '', 'type'],
  ['the private half', '-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXk=\n', 'private'],
  ["PuTTY's private half", 'PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none', 'private'],
  ['RFC 4716', '---- BEGIN SSH2 PUBLIC KEY ----\nComment: "x"\nAAAA', 'rfc4716'],
  ['options', `command="reboot" ${ED25519}`, 'options'],
  ['two keys', `${ED25519}\n${ED25519}`, 'lines'],
  ['DSA', line('ssh-dss', EXPONENT), 'type'],
  ['a type that JavaScript objects have', 'constructor AAAA', 'type'],
  ['no key', 'ssh-ed25519', 'damaged'],
  ['no base64', 'ssh-ed25519 AAAA*', 'damaged'],
  ['base64 that is not in canonical form', 'ssh-ed25519 AB==', 'damaged'],
  ['cut short', ED25519.slice(0, -8), 'damaged'],
  ['more data than a key', line('ssh-ed25519', Buffer.alloc(32), 'more'), 'damaged'],
  ['another type inside', ED25519.replace('ssh-ed25519', 'ssh-rsa'), 'damaged'],
  ['a short ed25519', line('ssh-ed25519', Buffer.alloc(31)), 'damaged'],
  ['another curve inside', line('ecdsa-sha2-nistp256', 'nistp384', point(48)), 'damaged'],
  ['a compressed point', line('ecdsa-sha2-nistp256', 'nistp256', Buffer.alloc(33, 2)), 'damaged'],
  ['a negative modulus', line('ssh-rsa', EXPONENT, Buffer.alloc(256, 0xff)), 'damaged'],
  ['RSA of 2047 bits', line('ssh-rsa', EXPONENT, modulus(2047)), 'short'],
  ['RSA of 1024 bits', line('ssh-rsa', EXPONENT, modulus(1024)), 'short'],
  ['a very long line', `ssh-rsa ${'A'.repeat(9000)}`, 'damaged'],
];

for (const [title, text, comment] of GOOD) {
  test(title, () => {
    const key = parseSshPublicKey(text);
    assert.ok(typeof key !== 'string', String(key));
    assert.equal(key.comment, comment);
    assert.equal(
      formatSshPublicKey(key),
      `${text.trim().split(/\s+/, 2).join(' ')}${comment && ` ${comment}`}`,
    );
  });
}
for (const [title, text, problem] of BAD) {
  test(`refused: ${title}`, () => assert.equal(parseSshPublicKey(text), problem));
}

test('any text is read without an exception, and an accepted key is read again unchanged', () => {
  const anything = fc.string({ unit: 'binary' });
  const blob = fc.array(fc.uint8Array({ maxLength: 70 }), { maxLength: 4 });
  const almost = fc
    .tuple(fc.constantFrom(...SSH_KEY_TYPES), blob, anything)
    .map(([type, fields, comment]) => `${line(type, ...fields)} ${comment}`);
  const good = anything.map((comment) => `${ED25519} ${comment}`);
  fc.assert(
    fc.property(fc.oneof(anything, almost, good), (text) => {
      const key = parseSshPublicKey(text);
      if (typeof key !== 'string') assert.deepEqual(parseSshPublicKey(formatSshPublicKey(key)), key);
    }),
  );
});

describe('agreement with OpenSSH and the appliance', () => {
  let directory: string;
  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'tombolo-ssh-key-'));
  });
  after(() => rmSync(directory, { recursive: true }));

  /** The lines that install-ssh-keys, which runs as root, accepts. */
  const pattern = /grep -Ex '(.+)'/.exec(
    readFileSync(
      new URL('../../../firmware/rootfs/usr/libexec/tombolo/install-ssh-keys', import.meta.url),
      'utf8',
    ),
  )?.[1];
  const passes = (text: string) =>
    execFileSync('sh', ['-c', `grep -Ex '${pattern}' || true`], {
      input: `${text}\n`,
      encoding: 'utf8',
      env: { ...process.env, LC_ALL: 'C' },
    }) !== '';

  for (const [type, bits] of [
    ['ed25519', 256],
    ['rsa', 3072],
    ['ecdsa', 256],
    ['ecdsa', 384],
    ['ecdsa', 521],
  ] as const) {
    test(`${type} of ${bits} bits by ssh-keygen`, () => {
      const file = join(directory, `${type}-${bits}`);
      const args = ['-q', '-t', type, '-b', String(bits), '-N', '', '-C', 'mé@example.com', '-f', file];
      execFileSync('ssh-keygen', args);
      const text = readFileSync(`${file}.pub`, 'utf8');
      const key = parseSshPublicKey(text);
      assert.ok(typeof key !== 'string', String(key));
      assert.equal(formatSshPublicKey(key), text.trim());
      const printed = execFileSync('ssh-keygen', ['-l', '-f', `${file}.pub`], { encoding: 'utf8' });
      assert.equal(sshFingerprint(key), printed.split(' ')[1]);
      assert.ok(passes(formatSshPublicKey(key)));
      assert.equal(parseSshPublicKey(readFileSync(file, 'utf8')), 'private');
    });
  }

  test("every good line passes root's check, and options do not", () => {
    for (const [, text] of GOOD) {
      const key = parseSshPublicKey(text);
      assert.ok(typeof key !== 'string' && passes(formatSshPublicKey(key)), text);
    }
    for (const text of [`command="reboot" ${ED25519}`, `${ED25519} a\u0007`, `ssh-dss ${ED25519}`, ''])
      assert.ok(!passes(text), text);
  });
});
