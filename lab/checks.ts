/**
 * The main functions, checked step by step with real clients. Each check is a command that a person could type, and its
 * expected output.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Appliance } from './appliance.ts';
import type { Output } from './host.ts';
import { LARGE_FILE_BYTES } from './servers/nginx.ts';
import { IMAP_PASSWORD } from './servers/dovecot.ts';
import type { World } from './world.ts';
import { ADDRESSES, IPV4_ONLY, LARGE, WHOAMI } from './zone.ts';

export interface Check {
  readonly way: 'in' | 'refused' | 'out' | 'appliance';
  readonly title: string;
  /** The host on which it runs. */
  readonly on: keyof World['hosts'];
  /** The shell command. */
  readonly command: string;
  /** Patterns that must all match standard output and standard error together. */
  readonly expect: readonly RegExp[];
  /** The command itself must fail (default: must succeed). */
  readonly fails?: boolean;
}

export interface Verdict {
  readonly passed: boolean;
  /** What was missing, when the check failed. */
  readonly problem: string;
  readonly output: Output;
}

const page = (server: string, ...more: RegExp[]) => [new RegExp(`^server: ${server}$`, 'm'), ...more];
const proxyClient = new RegExp(`^proxy-client: ${ADDRESSES.client}$`, 'm');
const forwardedFor = new RegExp(`^x-forwarded-for: ${ADDRESSES.client}$`, 'm');
const web = (on: Check['on'], title: string, url: string, expect: RegExp[]): Check => ({
  way: on === 'client' ? 'in' : 'out',
  title,
  on,
  command: `curl -sS -m 5 ${url}`,
  expect,
});
const tlsClient = (hostname: string, port: number, goodbye: string) =>
  `printf '${goodbye}\\r\\n' | openssl s_client -quiet -verify_return_error -verify_hostname ${hostname} -connect ${hostname}:${port}`;
const large = `-o /dev/null -w '%{http_code} %{size_download}'`;
const allOfLarge = [new RegExp(`^200 ${LARGE_FILE_BYTES}$`, 'm')];
/** RFC 6052: the prefix and the address in hexadecimal. */
const MAINLAND_SYNTHESISED = '64:ff9b::c633:6450';

export const CHECKS: readonly Check[] = [
  web('client', 'HTTP, first name of web1', 'http://example.com/', page('web1', /^host: example\.com$/m)),
  web('client', 'HTTP, second name of web1', 'http://www.example.com/', page('web1', /^host: www\./m)),
  web('client', "HTTP, the client's address in X-Forwarded-For", 'http://example.com/', [forwardedFor]),
  web('client', 'HTTPS by SNI, first name of web1', 'https://example.com/', page('web1', /^scheme: https$/m)),
  web(
    'client',
    'HTTPS by SNI, second name of web1',
    'https://www.example.com/',
    page('web1', /^host: www\./m),
  ),
  web('client', "HTTP, the client's address by PROXY v1", 'http://example.org/', page('web2', proxyClient)),
  web(
    'client',
    "HTTPS, the client's address by PROXY v1",
    'https://blog.example.org/',
    page('web2', proxyClient),
  ),
  web(
    'client',
    "HTTP, the client's address by PROXY v2",
    'http://shop.example.org/',
    page('web3', proxyClient),
  ),
  web(
    'client',
    "HTTPS, the client's address by PROXY v2",
    'https://shop.example.org/',
    page('web3', proxyClient),
  ),
  web('client', '16 MiB over HTTP', `${large} http://example.com/large`, allOfLarge),
  web('client', '16 MiB over HTTPS', `${large} https://example.com/large`, allOfLarge),
  {
    way: 'in',
    title: 'IMAPS by SNI: greeting of Dovecot',
    on: 'client',
    command: tlsClient('mail.example.com', 993, 'a LOGOUT'),
    expect: [/^\* OK .*Dovecot/m, /^a OK /m],
  },
  web('client', 'IMAPS: log in and list mailboxes', `imaps://mail.example.com/ -u someone:${IMAP_PASSWORD}`, [
    /^\* LIST .* INBOX/m,
  ]),
  {
    way: 'in',
    title: 'SMTPS by SNI: greeting of Postfix',
    on: 'client',
    command: tlsClient('mail.example.com', 465, 'QUIT'),
    expect: [/^220 mail\.example\.com ESMTP Postfix/m, /^221 /m],
  },
  ...(['web1', 'web2'] as const).map((server): Check => {
    return {
      way: 'in',
      title: `SSH to ${server} through its forwarded port`,
      on: 'client',
      command: `ssh -F "$LAB/ssh_config" ${server} 'echo $SSH_CONNECTION'`,
      expect: [new RegExp(` ${ADDRESSES[server]} 22$`, 'm')],
    };
  }),
  {
    way: 'refused',
    title: 'a server name that nobody has: TLS alert 112, unrecognized_name',
    on: 'client',
    command: `openssl s_client -connect ${ADDRESSES.appliance4}:443 -servername nobody.example.net </dev/null`,
    expect: [/alert number 112/],
    fails: true,
  },
  {
    way: 'refused',
    title: 'no server name: TLS alert 109, missing_extension',
    on: 'client',
    command: `openssl s_client -connect ${ADDRESSES.appliance4}:443 -noservername </dev/null`,
    expect: [/alert number 109/],
    fails: true,
  },
  {
    way: 'refused',
    title: 'a Host that nobody has: 421 or 404, with the reason',
    on: 'client',
    command: `curl -sS -m 5 -i -H 'Host: nobody.example.net' http://${ADDRESSES.appliance4}/`,
    expect: [/^HTTP\/1\.1 (421|404) /m, /nobody\.example\.net/],
  },
  {
    way: 'refused',
    title: 'no Host: 400, with the reason',
    on: 'client',
    command: `curl -sS -m 5 -i -H 'Host:' http://${ADDRESSES.appliance4}/`,
    expect: [/^HTTP\/1\.1 400 /m, /\r\n\r\n.*Host/s],
  },
  {
    way: 'out',
    title: 'DNS64: AAAA of a name that has only an A',
    on: 'web1',
    command: `dig +short AAAA ${IPV4_ONLY}`,
    expect: [new RegExp(`^${MAINLAND_SYNTHESISED}\n$`)],
  },
  {
    way: 'out',
    title: 'DNS64 over TCP, behind a CNAME',
    on: 'web1',
    command: 'dig +tcp +short AAAA alias.example.net',
    expect: [new RegExp(`^${IPV4_ONLY}\\.\n${MAINLAND_SYNTHESISED}\n$`)],
  },
  {
    way: 'out',
    title: 'DNS64: a name with an AAAA of its own keeps it',
    on: 'web1',
    command: 'dig +short AAAA example.org',
    expect: [new RegExp(`^${ADDRESSES.web2}\n$`)],
  },
  web(
    'web2',
    'HTTPS of another server of the appliance: by its AAAA, past the appliance',
    'https://example.com/',
    page('web1', /^scheme: https$/m),
  ),
  {
    way: 'refused',
    title: "the appliance's own address through NAT64: refused at once, not reached",
    on: 'web1',
    command: `curl -sS -m 5 -k https://[64:ff9b::${ADDRESSES.appliance4}]/; test $? = 7 && echo refused`,
    expect: [/^refused$/m],
  },
  {
    way: 'out',
    title: 'DNS64: how hosts find the prefix (RFC 7050)',
    on: 'web1',
    command: 'dig +short AAAA ipv4only.arpa',
    expect: [/^64:ff9b::c000:aa$/m, /^64:ff9b::c000:ab$/m],
  },
  {
    way: 'out',
    title: 'DNS: an answer too large for UDP, by truncation and TCP',
    on: 'web1',
    command: `dig TXT ${LARGE}`,
    expect: [/ANSWER: 16,/, /\(TCP\)/],
  },
  web('web2', 'HTTP to an IPv4-only server', `http://${IPV4_ONLY}/`, [
    ...page('mainland', new RegExp(`^peer: ${ADDRESSES.appliance4}$`, 'm')),
  ]),
  web('web2', 'HTTPS to an IPv4-only server', `https://${IPV4_ONLY}/`, page('mainland', /^scheme: https$/m)),
  web('web3', '16 MiB through NAT64', `${large} http://${IPV4_ONLY}/large`, allOfLarge),
  web('appliance', "the appliance's own programs, by DNS64 and NAT64", `-6 http://${IPV4_ONLY}/`, [
    ...page('mainland', new RegExp(`^peer: ${ADDRESSES.appliance4}$`, 'm')),
  ]),
  {
    way: 'out',
    title: 'ping of an IPv4-only host',
    on: 'web1',
    command: `ping -n -c 3 -i 0.2 ${IPV4_ONLY}`,
    expect: [/3 received, 0% packet loss/, new RegExp(`from ${MAINLAND_SYNTHESISED}`)],
  },
  {
    way: 'out',
    title: "UDP to an IPv4-only host, which tells the appliance's address",
    on: 'web1',
    command: `dig +short TXT ${WHOAMI} @64:ff9b::${ADDRESSES.dns}`,
    expect: [new RegExp(`^"${ADDRESSES.appliance4}#[0-9]+"`, 'm')],
  },
  {
    way: 'appliance',
    title: 'the admin page says that all services run',
    on: 'appliance',
    command: 'curl -sS -m 5 http://127.0.0.1:8064/api/health',
    expect: [/"status":"ok"/],
  },
];

/** The environment of the commands. */
export const environmentOf = (world: World) => ({
  LAB: world.directory,
  CURL_CA_BUNDLE: world.caCertificate,
  SSL_CERT_FILE: world.caCertificate,
});

/** Writes the file that the commands need: $LAB/ssh_config, with the ports that the appliance has allotted. */
export async function prepareChecks(world: World, appliance: Appliance): Promise<void> {
  const ports = await appliance.sshPorts();
  const entries = (['web1', 'web2'] as const).map(
    (name) => `Host ${name}
  HostName ${ADDRESSES.appliance4}
  Port ${ports[name]}
  User root
  IdentityFile ${world.ssh[name].identity}
  IdentitiesOnly yes
  HostKeyAlias ${name}.lab
  UserKnownHostsFile ${world.ssh[name].knownHosts}
  BatchMode yes
  ConnectTimeout 5
`,
  );
  writeFileSync(join(world.directory, 'ssh_config'), entries.join(''));
}

export async function perform(world: World, check: Check): Promise<Verdict> {
  const output = await world.hosts[check.on].attempt('sh', ['-c', check.command], {
    env: environmentOf(world),
  });
  const text = output.stdout + output.stderr;
  const missed = check.expect
    .filter((pattern) => !pattern.test(text))
    .map((pattern) => `no match of ${pattern}`);
  const failed = output.code !== 0;
  if (failed !== (check.fails ?? false))
    missed.unshift(`exit code ${output.code ?? 'none, it took too long'}`);
  return { passed: missed.length === 0, problem: missed.join('; '), output };
}
