/** An appliance for explanations, under a configuration; an upstream on loopback answers names. */
import assert from 'node:assert/strict';
import { after } from 'node:test';
import { findWay, type WayRequest } from '../../../src/admin/explain/way.ts';
import { loadDocument } from '../../../src/config/load.ts';
import type { Config } from '../../../src/config/schema.ts';
import { explainersOf } from '../../../src/explainers.ts';
import type { IpPrefix } from '../../../src/wire/ip-prefix.ts';
import type { Allotments } from '../../../src/services/forward/allot-ports.ts';
import type { ForwardService } from '../../../src/services/forward/service.ts';
import { scriptedUpstream, zone } from '../services/dns64/helpers.ts';

const upstream = await scriptedUpstream(
  zone({
    'ipv4.example.net': { A: [{ name: 'ipv4.example.net', type: 'A', ttl: 60, data: '203.0.113.9' }] },
    'ipv6.example.net': {
      AAAA: [{ name: 'ipv6.example.net', type: 'AAAA', ttl: 60, data: '2001:db8:9::9' }],
    },
    'web2.example.net': {
      AAAA: [{ name: 'web2.example.net', type: 'AAAA', ttl: 60, data: '2001:db8:1::11' }],
    },
    'www.example.com': { A: [{ name: 'www.example.com', type: 'A', ttl: 60, data: '198.51.100.1' }] },
    'none.example.net': {},
  }),
);
after(() => upstream[Symbol.asyncDispose]());

export const DOCUMENT = {
  hosts: [
    {
      name: 'web1',
      address: '2001:db8:1::10',
      hostnames: ['www.example.com', '*.example.com'],
      services: ['http', 'https'],
      ssh: { port: 22_001 },
    },
    {
      name: 'web2',
      address: '2001:db8:1::11',
      hostnames: ['shop.example.org'],
      services: ['https'],
      clientAddress: 'proxy-v2',
      ssh: { targetPort: 2222 },
    },
  ],
  dns64: { upstreams: [upstream.url], allow: ['2001:db8:1::/64'] },
  nat64: {
    allow: ['2001:db8:1::/64'],
    pool4: [{ address: '198.51.100.1', ports: '32768-65535' }],
    static: [
      { protocol: 'udp', ipv4: '198.51.100.1#5353', ipv6: '2001:db8:1::11#53' },
      { protocol: 'tcp', ipv4: '198.51.100.1#8443', ipv6: '2001:db8:1::77#443' },
    ],
    eam: [{ ipv4: '192.0.2.9/32', ipv6: '2001:db8:1::10/128' }],
  },
  admin: { listen: ['0.0.0.0'], allow: ['192.0.2.0/24'] },
};

export function configOf(document: object): Config {
  const loaded = loadDocument(document);
  assert.ok('config' in loaded, JSON.stringify(loaded));
  return loaded.config;
}

export const explainersFor = (config: Config, allotments: Allotments = {}, own: readonly IpPrefix[] = []) =>
  explainersOf(config, false, {
    own: () => own,
    running: (name) =>
      name === 'forward'
        ? ({ allotments: () => allotments } satisfies Partial<ForwardService> as unknown as ForwardService)
        : undefined,
  });

export const way = async (
  request: WayRequest,
  document: object = DOCUMENT,
  allotments: Allotments = {},
  own: readonly IpPrefix[] = [],
) => {
  const config = configOf(document);
  return findWay(await explainersFor(config, allotments, own), config, request);
};

export const INTERNET = '203.0.113.50';
export const SERVER = '2001:db8:1::11';
