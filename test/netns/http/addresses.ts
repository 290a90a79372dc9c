/** The addresses and names of network.ts. */

export const ADDRESSES = {
  client: '203.0.113.10',
  hostile: '203.0.113.66',
  /** 64 addresses from here on: `manyClients` in network.ts. */
  many: '203.0.113.128',
  /** The proxy, on the side of the clients and on that of the servers. */
  proxy: '203.0.113.1',
  lan: '2001:db8:1::1',
} as const;

/** The servers. Their host name is NAME.example.com. */
export const SERVERS = {
  /** Scripted by the tests: they record every byte. */
  a: '2001:db8:1::a',
  b: '2001:db8:1::b',
  nginx: '2001:db8:1::10',
  apache: '2001:db8:1::11',
  node: '2001:db8:1::12',
  python10: '2001:db8:1::13',
  python11: '2001:db8:1::14',
  /** Nothing listens here. */
  closed: '2001:db8:1::15',
  /** Packets to it are dropped (network.ts). */
  dead: '2001:db8:1::16',
} as const;

export type ServerName = keyof typeof SERVERS;

export const hostnameOf = (name: ServerName): string => `${name}.example.com`;
