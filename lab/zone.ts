/** The addresses and names of the lab, for the topology, the servers, the appliance and the checks. */

import type { Answer, StringAnswer } from 'dns-packet';

export const ADDRESSES = {
  client: '203.0.113.10',
  /** The IPv4-only web server. */
  mainland: '198.51.100.80',
  dns: '198.51.100.53',
  /** The appliance, on the internet and on the island. */
  appliance4: '192.0.2.1',
  appliance6: '2001:db8:1::1',
  web1: '2001:db8:1::10',
  web2: '2001:db8:1::20',
  web3: '2001:db8:1::30',
} as const;

/** The host names of each server of the island; the first is its main one. */
export const HOSTNAMES = {
  web1: ['example.com', 'www.example.com', 'mail.example.com'],
  web2: ['example.org', 'blog.example.org'],
  web3: ['shop.example.org'],
} as const;

/** A name with more TXT records than one UDP answer holds. */
export const LARGE = 'large.example.net';
/** A name with only an A record. */
export const IPV4_ONLY = 'ipv4only.example.net';

const record = (name: string, type: StringAnswer['type'], data: string): Answer => ({ name, type, data });

/** The data of the lab's authoritative server. A server of the island has the appliance's A and its own AAAA. */
export const ZONE: readonly Answer[] = [
  ...(['web1', 'web2', 'web3'] as const).flatMap((server) =>
    HOSTNAMES[server].flatMap((name) => [
      record(name, 'A', ADDRESSES.appliance4),
      record(name, 'AAAA', ADDRESSES[server]),
    ]),
  ),
  record(IPV4_ONLY, 'A', ADDRESSES.mainland),
  record('alias.example.net', 'CNAME', IPV4_ONLY),
  record('dns.example.net', 'A', ADDRESSES.dns),
  // A resolver knows the name servers of the root.
  record('.', 'NS', 'a.root-servers.net'),
  { name: 'example.com', type: 'MX', data: { preference: 10, exchange: 'mail.example.com' } },
  // Too large for a UDP answer of 1232 bytes: the resolver must repeat the query over TCP.
  ...Array.from({ length: 16 }, (_, index): Answer => {
    return { name: LARGE, type: 'TXT', data: `${index} `.padEnd(200, 'x') };
  }),
];

/** The zones of the server; it refuses any other name except the root's. */
export const APEXES = ['example.com', 'example.org', 'example.net'] as const;
/** A TXT query for this name returns the client's address and port as the server sees them. */
export const WHOAMI = 'whoami.example.net';
