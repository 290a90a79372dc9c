/**
 * The network of the appliance, in one namespace at the other end of its cable: the router (DHCP, Router Advertisements, DNS:
 * dnsmasq), an IPv6-only server and an IPv4-only one.
 *
 *     peer: 192.0.2.1, 2001:db8:1::1 (router), 2001:db8:1::10 (web1), 198.51.100.80 (IPv4 only) --tap0-- appliance
 */
import { join } from 'node:path';
import { type CertificateAuthority, createCertificateAuthority } from '../../lab/certificates.ts';
import type { Child, Host } from '../../lab/host.ts';
import { APPLIANCE, TAP } from './machine.ts';

export const WEB1 = '2001:db8:1::10';
export const IPV4_ONLY = '198.51.100.80';
export const IPV4_ONLY_NAME = 'ipv4only.example.net';
export const WEB1_SSH_PORT = 22001;

const ADDRESSES = ['192.0.2.1/24', '2001:db8:1::1/64', `${WEB1}/64`, `${IPV4_ONLY}/32`];

/** The program of the two servers, run in the namespace by this Node.js. */
const SERVERS = new URL('mainland-servers.ts', import.meta.url).pathname;
const NEIGHBOUR = new URL('neighbour.ts', import.meta.url).pathname;

export async function startMainland(host: Host, directory: string): Promise<CertificateAuthority> {
  await host.run('ip', ['tuntap', 'add', 'dev', TAP, 'mode', 'tap']);
  for (const address of ADDRESSES) {
    const nodad = address.includes(':') ? ['nodad'] : [];
    await host.run('ip', ['address', 'add', address, 'dev', TAP, ...nodad]);
  }
  await host.run('ip', ['link', 'set', TAP, 'up']);
  // Only the appliance translates: the route of the prefix leads to it, as on the router of an island.
  await host.run('ip', ['route', 'add', '64:ff9b::/96', 'via', APPLIANCE.ipv6, 'dev', TAP, 'src', WEB1]);
  const dnsmasq = host.spawn('dnsmasq', [
    ...['--no-daemon', '--conf-file=/dev/null', '--no-hosts', '--no-resolv', '--user=root'],
    ...[`--interface=${TAP}`, '--bind-interfaces', `--dhcp-leasefile=${join(directory, 'leases')}`],
    ...['--dhcp-range=192.0.2.20,192.0.2.29,1h', `--dhcp-host=${APPLIANCE.mac},${APPLIANCE.ipv4}`],
    ...['--enable-ra', '--dhcp-range=2001:db8:1::,ra-only', '--ra-param=tap0,10'],
    ...[`--host-record=${IPV4_ONLY_NAME},${IPV4_ONLY}`, '--local=/example.net/'],
  ]);
  await dnsmasq.waitForListener('udp', 53);
  const authority = await createCertificateAuthority(directory);
  const { certificate, key } = await authority.issue('web1', ['example.com']);
  const servers = host.spawn(process.execPath, [SERVERS, WEB1, IPV4_ONLY, certificate, key]);
  await servers.waitForLine(/^listening$/);
  return authority;
}

/** Advertises another prefix beside the first, as a provider's router does after the nightly change: "2001:db8:2::". */
export async function advertisePrefix(host: Host, prefix: string): Promise<void> {
  await host.run('ip', ['address', 'add', `${prefix}1/64`, 'dev', TAP, 'nodad']);
  host.spawn('dnsmasq', [
    ...['--no-daemon', '--conf-file=/dev/null', '--port=0', '--user=root', `--interface=${TAP}`],
    ...['--bind-interfaces', '--enable-ra', `--dhcp-range=${prefix},ra-only`, '--dhcp-leasefile=/dev/null'],
  ]);
}

/** A device that already has these names; it prints a line "NAME.local is ADDRESS" for each name that others announce. */
export async function startNeighbour(host: Host, ...names: string[]): Promise<Child> {
  const neighbour = host.spawn(process.execPath, [NEIGHBOUR, '192.0.2.1', ...names]);
  await neighbour.waitForLine(/^listening$/);
  return neighbour;
}
