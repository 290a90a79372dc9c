/**
 * The lab's network: an IPv4-only internet, an island of IPv6-only servers, and the place of the appliance.
 *
 * DRAWING, below, is the map; HOSTS what the topology builder makes of it.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type CertificateAuthority, createCertificateAuthority } from './certificates.ts';
import type { Child } from './host.ts';
import { startDovecot } from './servers/dovecot.ts';
import { startNginx } from './servers/nginx.ts';
import { startPostfix } from './servers/postfix.ts';
import { startSshd } from './servers/sshd.ts';
import type { SshServer } from './servers/sshd.ts';
import { buildTopology } from './topology.ts';
import type { HostSpec, Topology } from './topology.ts';
import { ADDRESSES, HOSTNAMES, IPV4_ONLY } from './zone.ts';

export const DRAWING = `
      the internet, IPv4 only                                        the island, IPv6 only, 2001:db8:1::/64

  client    203.0.113.10 ────┐                                          ┌──── web1  ::10  example.com
            curl, ssh, ...   │                                          │           nginx, sshd, dovecot, postfix
                             │            192.0.2.1   2001:db8:1::1     │
  mainland  198.51.100.80 ───┼── internet ────── appliance ─────────────┼──── web2  ::20  example.org
            nginx            │    (router)      THE ONE PROCESS         │           nginx behind PROXY v1, sshd
                             │                                          │
  dns       198.51.100.53 ───┘                                          └──── web3  ::30  shop.example.org
            authoritative                                                           nginx behind PROXY v2
`;

const resolver = (address: string) => ({
  'resolv.conf': `nameserver ${address}\n`,
  // Not systemd-resolved or another service of the machine, which would send queries from outside the lab.
  'nsswitch.conf': 'passwd: files\ngroup: files\nshadow: files\nhosts: files dns\n',
});

const onInternet = (segment: string, address: string, router: string): HostSpec => ({
  interfaces: { eth0: { segment, addresses: [`${address}/24`] } },
  routes: [`default via ${router}`],
  etc: resolver(ADDRESSES.dns),
});

const onIsland = (address: string): HostSpec => ({
  interfaces: { eth0: { segment: 'island', addresses: [`${address}/64`] } },
  routes: [`default via ${ADDRESSES.appliance6}`],
  etc: resolver(ADDRESSES.appliance6),
});

export const HOSTS = {
  client: onInternet('homes', ADDRESSES.client, '203.0.113.1'),
  mainland: onInternet('servers', ADDRESSES.mainland, '198.51.100.1'),
  dns: onInternet('servers', ADDRESSES.dns, '198.51.100.1'),
  internet: {
    interfaces: {
      homes: { segment: 'homes', addresses: ['203.0.113.1/24'] },
      servers: { segment: 'servers', addresses: ['198.51.100.1/24'] },
      uplink: { segment: 'uplink', addresses: ['192.0.2.254/24'] },
    },
    router: true,
  },
  appliance: {
    interfaces: {
      wan: { segment: 'uplink', addresses: [`${ADDRESSES.appliance4}/24`] },
      lan: { segment: 'island', addresses: [`${ADDRESSES.appliance6}/64`] },
    },
    routes: ['default via 192.0.2.254'],
    router: true,
    // The appliance's own programs use DNS64 too.
    etc: resolver('::1'),
  },
  web1: onIsland(ADDRESSES.web1),
  web2: onIsland(ADDRESSES.web2),
  web3: onIsland(ADDRESSES.web3),
} as const satisfies Record<string, HostSpec>;

export interface World extends AsyncDisposable {
  readonly hosts: Topology<keyof typeof HOSTS>['hosts'];
  /** For work files; removed at the end. */
  readonly directory: string;
  /** File for `curl --cacert`. */
  readonly caCertificate: string;
  readonly ssh: { readonly web1: SshServer; readonly web2: SshServer };
  readonly ca: CertificateAuthority;
  /** Servers that tests stop and restart; the certificates are in the files that `ca.issue(NAME)` writes. */
  readonly servers: Record<WebServer | 'dns' | 'dovecot', Child>;
  startWeb(name: WebServer): Promise<Child>;
  startDns(): Promise<Child>;
}

export type WebServer = 'web1' | 'web2' | 'web3';

/** Builds the network and starts every server in it. The appliance's host is created, but runs nothing. */
export async function buildWorld(): Promise<World> {
  const topology = await buildTopology({ hosts: HOSTS });
  const { hosts, directory } = topology;
  const folder = (...path: string[]) => {
    const made = join(directory, ...path);
    mkdirSync(made, { recursive: true });
    return made;
  };
  try {
    const ca = await createCertificateAuthority(folder('tls'));
    const servers: Partial<World['servers']> = {};
    const webServers = ['web1', 'web2', 'web3'] as const;
    const certificates = Object.fromEntries(
      await Promise.all(webServers.map(async (name) => [name, await ca.issue(name, HOSTNAMES[name])])),
    );
    const startWeb = async (name: WebServer): Promise<Child> => {
      servers[name] = await startNginx(hosts[name], {
        address: ADDRESSES[name],
        hostnames: HOSTNAMES[name],
        certificate: certificates[name],
        proxyProtocol: name !== 'web1',
        directory: folder(name, 'nginx'),
      });
      return servers[name];
    };
    const startMail = async () => {
      const hostname = 'mail.example.com';
      const certificate = await ca.issue('mail', [hostname]);
      [servers.dovecot] = await Promise.all([
        startDovecot(hosts.web1, ADDRESSES.web1, certificate, folder('web1', 'dovecot')),
        startPostfix(hosts.web1, ADDRESSES.web1, hostname, certificate, folder('web1', 'postfix')),
      ]);
    };
    const startDns = async () => {
      const script = join(import.meta.dirname, 'authoritative-dns.ts');
      servers.dns = hosts.dns.spawn(process.execPath, [script, ADDRESSES.dns]);
      await servers.dns.waitForListener('udp', 53);
      return servers.dns;
    };
    const [web1Ssh, web2Ssh] = await Promise.all([
      startSshd(hosts.web1, ADDRESSES.web1, folder('web1', 'sshd')),
      startSshd(hosts.web2, ADDRESSES.web2, folder('web2', 'sshd')),
      ...webServers.map(startWeb),
      startNginx(hosts.mainland, {
        address: ADDRESSES.mainland,
        hostnames: [IPV4_ONLY],
        certificate: await ca.issue('mainland', [IPV4_ONLY]),
        directory: folder('mainland', 'nginx'),
      }),
      startMail(),
      startDns(),
    ]);
    return {
      hosts,
      directory,
      caCertificate: ca.certificate,
      ssh: { web1: web1Ssh, web2: web2Ssh },
      ca,
      servers: servers as World['servers'],
      startWeb,
      startDns,
      [Symbol.asyncDispose]: () => topology[Symbol.asyncDispose](),
    };
  } catch (error) {
    await topology[Symbol.asyncDispose]();
    throw error;
  }
}
