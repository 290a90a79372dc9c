/** Inputs that people write or upload: each is accepted as meant, or rejected with a reason. */
import assert from 'node:assert/strict';
import { parsePreseed } from '../../firmware/preseed.ts';
import { preferredLanguage } from '../../src/admin/language.ts';
import { fillDefaults, loadConfig } from '../../src/config/load.ts';
import { parseHosts } from '../../src/config/parse-hosts.ts';
import { parseDnsUpstream, parsePortRange } from '../../src/config/values.ts';
import { BackupError } from '../../src/state/backup-error.ts';
import { readBackupContent } from '../../src/state/backup-seal.ts';
import { english } from '../../src/texts/text.ts';
import { formatIpAddress, parseIpAddress } from '../../src/wire/ip-address.ts';
import { formatIpPrefix, parseIpPrefix } from '../../src/wire/ip-prefix.ts';
import { formatSshPublicKey, parseSshPublicKey, SSH_KEY_TYPES } from '../../src/wire/ssh-public-key.ts';
import { type FuzzTarget, text } from './target.ts';

const EMPTY_CONFIG = fillDefaults({});

const SSH_KEY =
  'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpa me@example.com';

/** The accepted servers are valid by themselves, and each problem has its line. */
function pastedHosts(bytes: Uint8Array): void {
  const pasted = Buffer.from(bytes).toString('utf8');
  const { hosts, problems } = parseHosts(pasted, EMPTY_CONFIG);
  const lines = pasted.split(/\r\n|\n|\r/).length;
  for (const { line } of [...hosts, ...problems])
    assert.ok(line >= 1 && line <= lines, `line ${line} of ${lines}`);
  const loaded = loadConfig(
    JSON.stringify({ hosts: hosts.slice(0, 100).map(({ host }) => ({ ...host, ssh: false })) }),
  );
  assert.ok('config' in loaded, JSON.stringify(loaded));
}

/** An accepted key is one line, without options before the key, and is read back as the same key. */
function sshPublicKey(bytes: Uint8Array): void {
  const key = parseSshPublicKey(Buffer.from(bytes).toString('utf8'));
  if (typeof key === 'string') return;
  const line = formatSshPublicKey(key);
  assert.ok(SSH_KEY_TYPES.includes(line.split(' ')[0]) && !/[\r\n]/.test(line), line);
  assert.deepEqual(parseSshPublicKey(line), key);
}

function preseed(bytes: Uint8Array): void {
  const { hostname, authorizedKeys = [] } = parsePreseed(Buffer.from(bytes).toString('utf8'));
  assert.match(hostname ?? 'none', /^[a-z0-9-]{1,63}$/);
  for (const key of authorizedKeys) sshPublicKey(Buffer.from(formatSshPublicKey(key)));
}

/** Refused as a backup error, or a list of names and contents. */
function backup(bytes: Uint8Array): void {
  try {
    const { entries } = readBackupContent(Buffer.from(bytes).toString('utf8'));
    assert.ok(
      entries.every(({ name, content }) => typeof name === 'string' && content instanceof Uint8Array),
    );
  } catch (error) {
    if (!(error instanceof BackupError)) throw error;
  }
}

function configuration(bytes: Uint8Array): void {
  const loaded = loadConfig(Buffer.from(bytes).toString('utf8'));
  if (!('problems' in loaded)) return;
  assert.ok(loaded.problems.length > 0);
  for (const { path, message } of loaded.problems) assert.ok(english(message).length > 0, path);
}

function addresses(bytes: Uint8Array): void {
  const input = Buffer.from(bytes).toString('latin1');
  const address = parseIpAddress(input);
  if (address !== undefined) assert.deepEqual(parseIpAddress(formatIpAddress(address)), address);
  const prefix = parseIpPrefix(input);
  if (prefix !== undefined) assert.deepEqual(parseIpPrefix(formatIpPrefix(prefix)), prefix);
  const range = parsePortRange(input);
  assert.ok(range === undefined || (range.first <= range.last && range.last <= 65_535));
  parseDnsUpstream(input);
}

export function peopleTargets(): FuzzTarget[] {
  return [
    {
      name: 'accept-language',
      seeds: text('de-DE,de;q=0.9,en;q=0.8', 'fr, *;q=0.5'),
      run: (bytes) =>
        assert.ok([undefined, 'en', 'de'].includes(preferredLanguage(Buffer.from(bytes).toString('latin1')))),
    },
    {
      name: 'config',
      seeds: text(
        '{"hosts":[{"name":"web1","address":"2001:db8:1::10","hostnames":["example.com","*.example.com"]}]}',
        '{"proxy":{"listeners":[{"name":"https","port":443,"protocol":"tls"}]},"admin":{"port":8064}}',
        '{"nat64":{"prefix":"64:ff9b::/96","pool4":[{"address":"auto","ports":"32768-65535"}]}}',
      ),
      run: configuration,
    },
    {
      name: 'pasted-hosts',
      seeds: text(
        'web1 2001:db8:1::10 www.example.com *.example.com\n# comment\n2001:db8:1::11 web2\n',
        'name,address,hostnames,ssh\nweb1,2001:db8:1::10,"www.example.com example.com",22001\r\nweb2,2001:db8:1::11,,no\r\n',
        'Name;IPv6;Hostnames;Services\nweb1;"2001:db8:1::10";a.example.com, b.example.com;http https\n',
        '[{"name":"web1","address":"2001:db8:1::10"},\n{"name":"web2","address":"2001:db8:1::11","hostnames":["b.example.com"]}]',
        '{"hosts":[{"name":"web1","address":"2001:db8:1::10","ssh":false}]}',
      ),
      run: pastedHosts,
    },
    {
      name: 'preseed',
      seeds: text(
        `[system]\nhostname = "bar" # one\n[ssh]\nenabled = true\nauthorized_keys = [\n "${SSH_KEY}", # me\n '${SSH_KEY}'\n]\n`,
      ),
      run: preseed,
    },
    {
      name: 'ssh-public-key',
      seeds: text(SSH_KEY, `sk-ssh-ed25519@openssh.com ${SSH_KEY.slice(12)}`, `no-pty ${SSH_KEY}`),
      run: sshPublicKey,
    },
    {
      name: 'backup',
      seeds: text(
        '{"createdAt":"2026-01-02T03:04:05Z","version":"1","hostname":"tombolo","entries":[{"name":"config.json","content":"e30="}]}',
      ),
      run: backup,
    },
    {
      name: 'addresses',
      seeds: text(
        '2001:db8::1',
        '::ffff:192.0.2.1',
        '192.0.2.0/24',
        '64:ff9b::/96',
        '22001-22999',
        'udp://[2001:db8::1]:53',
      ),
      run: addresses,
    },
  ];
}
