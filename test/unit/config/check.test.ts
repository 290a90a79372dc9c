import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadConfig } from '../../../src/config/load.ts';
import { english } from '../../../src/texts/text.ts';

const host = (name: string, fields: object = {}) => ({ name, address: '2001:db8:1::10', ...fields });
const listener = (name: string, port: number) => ({ name, port, protocol: 'tls' });
const noListeners = { listeners: [] };

const assertion = (name: string, fields: object = {}) => ({
  name,
  from: '203.0.113.9',
  to: 'example.com',
  port: 443,
  expect: 'web1',
  ...fields,
});

const refused: readonly (readonly [title: string, document: object, path: string, message: RegExp])[] = [
  [
    'two servers with the same name',
    { hosts: [host('a'), host('a')] },
    '/hosts/1/name',
    /"a" is already at \/hosts\/0\/name/,
  ],
  [
    'one host name for two servers, whatever the case',
    {
      hosts: [
        host('a', { hostnames: ['example.com'] }),
        host('b', { hostnames: ['*.example.com', 'Example.COM'] }),
      ],
    },
    '/hosts/1/hostnames/1',
    /"example\.com" is already at \/hosts\/0\/hostnames\/0/,
  ],
  [
    'a server among the mapped addresses of clients',
    { hosts: [host('a', { clientAddress: 'mapped' }), host('b', { address: '64:ff9b:1:fffe::10' })] },
    '/hosts/1/address',
    /lies in the prefix 64:ff9b:1:fffe::\/96, where the addresses of clients are/,
  ],
  [
    'mapped addresses inside the NAT64 prefix',
    {
      hosts: [host('a', { clientAddress: 'mapped' })],
      nat64: { prefix: '64:ff9b:1::/48' },
      dns64: { prefixes: ['64:ff9b:1::/48'] },
    },
    '/proxy/mappedPrefix',
    /"64:ff9b:1:fffe::\/96" overlaps the NAT64 prefix 64:ff9b:1::\/48; expected an unused prefix of 96 bits/,
  ],
  [
    'mapped addresses that are a further prefix of NAT64',
    {
      hosts: [host('a', { clientAddress: 'mapped' })],
      nat64: { extraPrefixes: ['2001:db8:64::/96'] },
      proxy: { mappedPrefix: '2001:db8:64::/96' },
    },
    '/proxy/mappedPrefix',
    /overlaps the NAT64 prefix 2001:db8:64::\/96/,
  ],
  [
    'mapped addresses in the well-known prefix, without NAT64',
    {
      hosts: [host('a', { clientAddress: 'mapped' })],
      nat64: { enabled: false },
      dns64: { enabled: false },
      proxy: { mappedPrefix: '64:ff9b::/96' },
    },
    '/proxy/mappedPrefix',
    /is the well-known NAT64 prefix/,
  ],
  [
    'mapped addresses that are link-local',
    { hosts: [host('a', { clientAddress: 'mapped' })], proxy: { mappedPrefix: 'fe80::/96' } },
    '/proxy/mappedPrefix',
    /is a link-local address/,
  ],
  [
    'an allowed prefix that contains the NAT64 prefix',
    {
      proxy: { allowedPrefixes: ['2001:db8:1::/64', '2001:db8::/32'] },
      nat64: { extraPrefixes: ['2001:db8:64::/96'] },
    },
    '/proxy/allowedPrefixes/1',
    /"2001:db8::\/32" overlaps the NAT64 prefix 2001:db8:64::\/96; expected the prefix of the networks/,
  ],
  [
    'an allowed prefix that contains the addresses of mapped clients',
    {
      hosts: [host('a', { clientAddress: 'mapped' })],
      proxy: { allowedPrefixes: ['2001:db8::/32'], mappedPrefix: '2001:db8:64::/96' },
    },
    '/proxy/allowedPrefixes/0',
    /overlaps the prefix 2001:db8:64::\/96, where the addresses of clients are/,
  ],
  [
    'an allowed prefix inside the prefix for local NAT64',
    { proxy: { allowedPrefixes: ['64:ff9b:1:5::/64'] } },
    '/proxy/allowedPrefixes/0',
    /contains the prefix for local NAT64 \(RFC 8215\)/,
  ],
  [
    'an allowed prefix with link-local addresses',
    { proxy: { allowedPrefixes: ['fe80::/64'] } },
    '/proxy/allowedPrefixes/0',
    /contains link-local addresses/,
  ],
  [
    'two assertions with the same name',
    { assertions: [assertion('a'), assertion('a')] },
    '/assertions/1/name',
    /"a" is already at \/assertions\/0\/name/,
  ],
  [
    'an assertion without a port',
    { assertions: [assertion('a', { protocol: 'udp', port: undefined })] },
    '/assertions/0/port',
    /is missing; expected a port number/,
  ],
  [
    'an assertion about ICMP with a port',
    { assertions: [assertion('a', { protocol: 'icmp' })] },
    '/assertions/0/port',
    /443 is a port, but icmp has no ports/,
  ],
  [
    'a service without a listener',
    { hosts: [host('a', { services: ['https', 'gopher'] })] },
    '/hosts/0/services/1',
    /"gopher" is not the name of a listener; expected one of http, https/,
  ],
  [
    'an object whose listener does not exist',
    { hosts: [host('a', { services: ['https', { listener: 'gopher', targetPort: 70 }] })] },
    '/hosts/0/services/1/listener',
    /"gopher" is not the name of a listener; expected one of http, https/,
  ],
  [
    'one listener twice in the services of a server',
    { hosts: [host('a', { services: ['https', { listener: 'https', targetPort: 8443 }] })] },
    '/hosts/0/services/1/listener',
    /"https" is already at \/hosts\/0\/services\/0; expected each listener once/,
  ],
  [
    'a listener twice in the services of a server, for one protocol',
    {
      hosts: [
        host('a', {
          services: [
            { listener: 'https', alpn: ['h2', 'acme-tls/1'] },
            { listener: 'https', alpn: ['acme-tls/1'], targetPort: 8443 },
          ],
        }),
      ],
    },
    '/hosts/0/services/1/alpn/0',
    /"https acme-tls\/1" is already at \/hosts\/0\/services\/0\/alpn\/1; expected each protocol once/,
  ],
  [
    'a protocol at a listener without TLS',
    { hosts: [host('a', { services: [{ listener: 'http', alpn: ['h2'] }] })] },
    '/hosts/0/services/0/alpn',
    /never matches: the listener http does not speak TLS; expected no "alpn" here/,
  ],
  [
    'a protocol with a space',
    { hosts: [host('a', { services: [{ listener: 'https', alpn: ['h 2'] }] })] },
    '/hosts/0/services/0/alpn/0',
    /"h 2" is not the name of a protocol in ALPN/,
  ],
  [
    'a rule without a protocol',
    { hosts: [host('a', { services: [{ listener: 'https', alpn: [] }] })] },
    '/hosts/0/services/0/alpn',
    /a list of 1 to 16 protocols/,
  ],
  [
    'one host name for two servers',
    {
      hosts: [
        host('a', { hostnames: ['a.example'] }),
        // One of its ways in is for everybody.
        host('b', { hostnames: ['A.example'], services: ['http', { listener: 'https', alpn: ['h2'] }] }),
      ],
    },
    '/hosts/1/hostnames/0',
    /"a.example" is already at \/hosts\/0\/hostnames\/0; expected a host name that leads to one server/,
  ],
  [
    'one protocol of a host name for two servers',
    {
      hosts: [
        host('a', { hostnames: ['a.example'], services: [{ listener: 'https', alpn: ['h2', 'x'] }] }),
        host('b', { hostnames: ['b.example', 'a.example'], services: [{ listener: 'https', alpn: ['x'] }] }),
      ],
    },
    '/hosts/1/services/0/alpn/0',
    /"x" is already at \/hosts\/0\/services\/0\/alpn\/1, for the same host name a\.example; expected a protocol that leads to one server/,
  ],
  [
    'a host name twice in a server that is chosen by protocol',
    {
      hosts: [
        host('a', { hostnames: ['a.example', 'a.example'], services: [{ listener: 'https', alpn: ['x'] }] }),
      ],
    },
    '/hosts/0/hostnames/1',
    /"a.example" is already at \/hosts\/0\/hostnames\/0; expected each host name once/,
  ],
  [
    'all addresses as trusted proxies',
    { proxy: { trustedProxies: ['192.0.2.1', '0.0.0.0/0'] } },
    '/proxy/trustedProxies/1',
    /"0\.0\.0\.0\/0" has every address: everybody could claim any address/,
  ],
  [
    'all IPv6 addresses as trusted proxies',
    { proxy: { trustedProxies: ['::/0'] } },
    '/proxy/trustedProxies/0',
    /has every address/,
  ],
  [
    'a trusted proxy with bits after its prefix',
    { proxy: { trustedProxies: ['192.0.2.1/24'] } },
    '/proxy/trustedProxies/0',
    /"192\.0\.2\.1\/24" is not an address, or a prefix such as 192\.0\.2\.0\/24/,
  ],
  [
    'a port of a service that is no port',
    { hosts: [host('a', { services: [{ listener: 'https', targetPort: 0 }] })] },
    '/hosts/0/services/0/targetPort',
    /0 is not a port number/,
  ],
  [
    'a service that is neither a name nor an object',
    { hosts: [host('a', { services: [443] })] },
    '/hosts/0/services/0',
    /443 is not the name of a listener, or an object with "listener"/,
  ],
  [
    'a default server that does not exist',
    { hosts: [host('a'), host('b', { ssh: false })], proxy: { defaultHost: 'c' } },
    '/proxy/defaultHost',
    /"c" is not the name of a server; expected one of a, b/,
  ],
  [
    'a redirect without a listener for https',
    { hosts: [host('a', { services: ['http', 'imaps'], redirectToHttps: 308 })] },
    '/hosts/0/redirectToHttps',
    /308 would lead nowhere: the server uses no listener for https/,
  ],
  [
    'a redirect of a status that is none',
    { hosts: [host('a', { redirectToHttps: 302 })] },
    '/hosts/0/redirectToHttps',
    /302 is not false, 301 or 308/,
  ],
  [
    'an access list with a name in it',
    { hosts: [host('a', { allow: ['any', 'home'] })] },
    '/hosts/0/allow/1',
    /"home" is not a prefix such as 192\.0\.2\.0\/24, "lan" for .*, or "any"/,
  ],
  [
    'more than two stars',
    { hosts: [host('a', { hostnames: ['***.example.com'] })] },
    '/hosts/0/hostnames/0',
    /"\*\*\*\.example\.com" is not a host name/,
  ],
  [
    'the SSH port of a server that is switched off, for another one',
    { hosts: [host('a', { enabled: false, ssh: { port: 22_001 } }), host('b', { ssh: { port: 22_001 } })] },
    '/hosts/1/ssh/port',
    /22001 is for SSH of b, but 22001 is for SSH of a/,
  ],
  [
    'a server without an address',
    { hosts: [{ name: 'a' }] },
    '/hosts/0/address',
    /is missing; expected an IPv6 address/,
  ],
  [
    'an empty list of addresses',
    { hosts: [{ name: 'a', addresses: [] }] },
    '/hosts/0/addresses',
    /an empty list is not a list of 1 to 16 addresses/,
  ],
  [
    'one address twice',
    { hosts: [{ name: 'a', addresses: ['2001:db8::1', '2001:DB8:0::1'] }] },
    '/hosts/0/addresses/1',
    /"2001:db8::1" is already at \/hosts\/0\/addresses\/0; expected each address once/,
  ],
  [
    'a further address that no server can have',
    { hosts: [{ name: 'a', addresses: ['2001:db8::1', 'fe80::1'] }] },
    '/hosts/0/addresses/1',
    /"fe80::1" is a link-local address/,
  ],
  [
    'an address that is not the first of the list',
    { hosts: [{ name: 'a', address: '2001:db8::9', addresses: ['2001:db8::1'] }] },
    '/hosts/0/address',
    /"2001:db8::9" is not the first one of "addresses"/,
  ],
  [
    'two listeners with the same name',
    { proxy: { listeners: [listener('x', 1000), listener('x', 1001)] } },
    '/proxy/listeners/1/name',
    /already at \/proxy\/listeners\/0\/name/,
  ],
  [
    'two listeners on one port',
    { proxy: { listeners: [listener('x', 1000), listener('y', 1000)] } },
    '/proxy/listeners/1/port',
    /1000 is for listener y, but 1000 is for listener x \(\/proxy\/listeners\/0\/port\)/,
  ],
  [
    'an SSH port that a listener uses',
    { hosts: [host('a', { ssh: { port: 443 } })] },
    '/hosts/0/ssh/port',
    /443 is for SSH of a, but 443 is for listener https/,
  ],
  [
    'one SSH port for two servers',
    { hosts: [host('a', { ssh: { port: 2222 } }), host('b', { ssh: { port: 2222 } })] },
    '/hosts/1/ssh/port',
    /2222 is for SSH of b, but 2222 is for SSH of a/,
  ],
  [
    'the admin page on the port of DNS64, on one of several addresses',
    { dns64: { port: 8064, listen: ['::'] } },
    '/admin/port',
    /8064 is for the admin page, but 8064 is for DNS64/,
  ],
  [
    'a listener in the range of SSH ports',
    { proxy: { listeners: [listener('x', 22_500)] } },
    '/forward/sshPorts',
    /22001-22999 is for the SSH ports, but 22500 is for listener x/,
  ],
  [
    'SSH ports in pool4',
    { nat64: { pool4: [{ ports: '20000-30000' }] } },
    '/nat64/pool4/0/ports',
    /20000-30000 is for pool4, but 22001-22999 is for the SSH ports/,
  ],
  [
    'a lowest MTU above the MTU',
    { nat64: { lowestIpv6MtuBytes: 1501 } },
    '/nat64/lowestIpv6MtuBytes',
    /at most 1500, which is nat64.mtu6Bytes/,
  ],
  [
    'an address mapping with more IPv4 than IPv6 addresses',
    { nat64: { eam: [{ ipv4: '192.0.2.0/24', ipv6: '2001:db8::/121' }] } },
    '/nat64/eam/0/ipv6',
    /has too few addresses; expected a prefix with at least the addresses of 192.0.2.0\/24/,
  ],
  [
    'an address mapping of a pool4 address',
    {
      nat64: {
        pool4: [{ address: '192.0.2.2' }],
        eam: [{ ipv4: '192.0.2.0/24', ipv6: '2001:db8::/120' }],
      },
    },
    '/nat64/eam/0/ipv4',
    /contains 192.0.2.2; expected addresses outside nat64.pool4/,
  ],
  [
    'an address mapping inside the NAT64 prefix',
    { nat64: { eam: [{ ipv4: '192.0.2.0/24', ipv6: '64:ff9b::/120' }] } },
    '/nat64/eam/0/ipv6',
    /lies in the NAT64 prefix 64:ff9b::\/96/,
  ],
  [
    'an address mapping around the NAT64 prefix: its packets would come back',
    { nat64: { eam: [{ ipv4: '192.0.2.0/24', ipv6: '64::/16' }] } },
    '/nat64/eam/0/ipv6',
    /overlaps 64:ff9b::\/96/,
  ],
  [
    'an address mapping of loopback',
    { nat64: { eam: [{ ipv4: '127.0.0.0/24', ipv6: '2001:db8::/120' }] } },
    '/nat64/eam/0/ipv4',
    /is an address that is never routed; expected addresses of networks/,
  ],
  [
    'a multicast address in pool4',
    { nat64: { pool4: [{ address: '224.0.0.1' }] } },
    '/nat64/pool4/0/address',
    /is an address that is never routed/,
  ],
  [
    'link-local hosts in stateless mode',
    { nat64: { mode: 'stateless', embedded: ['auto', '169.254.0.0/16'] } },
    '/nat64/embedded/1',
    /is an address that is never routed/,
  ],
  [
    'errors from an invalid source',
    { nat64: { icmpSource4: ['240.0.0.1'] } },
    '/nat64/icmpSource4/0',
    /is an address that is never routed/,
  ],
  [
    'an extra prefix inside another',
    {
      nat64: { prefix: '2001:db8:64::/64', extraPrefixes: ['64:ff9b::/96', '2001:db8:64::/96'] },
      dns64: { enabled: false },
    },
    '/nat64/extraPrefixes/1',
    /overlaps 2001:db8:64::\/64/,
  ],
  [
    'extra prefixes without sessions',
    { nat64: { mode: 'stateless', extraPrefixes: ['2001:db8:64::/96'] } },
    '/nat64/extraPrefixes/0',
    /needs sessions, but nat64.mode "stateless" has none/,
  ],
  [
    'an address mapping inside an extra prefix',
    {
      nat64: {
        extraPrefixes: ['2001:db8:64::/96'],
        eam: [{ ipv4: '192.0.2.0/24', ipv6: '2001:db8:64::/120' }],
      },
    },
    '/nat64/eam/0/ipv6',
    /lies in the NAT64 prefix 2001:db8:64::\/96/,
  ],
  [
    'port blocks without clients',
    { nat64: { portBlocks: { size: 256 } } },
    '/nat64/portBlocks/clients',
    /gives nobody a block/,
  ],
  [
    'more port blocks than the pool has room for',
    { nat64: { portBlocks: { size: 256, clients: ['2001:db8:1::/120'] } } },
    '/nat64/portBlocks/size',
    /256 ports for each of 256 clients .* more than nat64.pool4 has: it has 128 such blocks for tcp/,
  ],
  [
    'too few port blocks for one protocol',
    {
      nat64: {
        pool4: [{ ports: '32768-65535' }, { ports: '10000-31999', protocols: ['tcp', 'udp'] }],
        portBlocks: { size: 256, clients: ['2001:db8:1::/121', '2001:db8:2::/127'] },
      },
      forward: { sshPorts: '2001-2999' },
    },
    '/nat64/portBlocks/size',
    /256 ports for each of 130 clients .* it has 128 such blocks for icmp/,
  ],
  [
    'a port block for part of a client',
    { nat64: { clientPrefixBits: 64, portBlocks: { size: 256, clients: ['2001:db8:1::/120'] } } },
    '/nat64/portBlocks/clients/0',
    /at most 64 bits, which is nat64.clientPrefixBits/,
  ],
  [
    'overlapping clients of port blocks',
    { nat64: { portBlocks: { size: 16, clients: ['2001:db8:1::/120', '2001:db8:1::10'] } } },
    '/nat64/portBlocks/clients/1',
    /overlaps 2001:db8:1::\/120/,
  ],
  [
    'a NAT64 mapping of an address outside pool4',
    { nat64: { static: [{ protocol: 'tcp', ipv4: '192.0.2.9#8080', ipv6: '2001:db8::1#80' }] } },
    '/nat64/static/0/ipv4',
    /has an address that is not in nat64.pool4; expected auto/,
  ],
  [
    'a NAT64 mapping of a port that a listener uses',
    { nat64: { static: [{ protocol: 'tcp', ipv4: 'auto#443', ipv6: '2001:db8::1#443' }] } },
    '/nat64/static/0/ipv4',
    /443 is for a NAT64 mapping, but 443 is for listener https/,
  ],
  [
    'two NAT64 mappings of one port',
    {
      nat64: {
        static: [
          { protocol: 'udp', ipv4: 'auto#8080', ipv6: '2001:db8::1#80' },
          { protocol: 'udp', ipv4: 'auto#8080', ipv6: '2001:db8::2#80' },
        ],
      },
    },
    '/nat64/static/1/ipv4',
    /is already at \/nat64\/static\/0\/ipv4/,
  ],
  [
    'a listener in pool4',
    { proxy: { listeners: [listener('x', 40_000)] } },
    '/nat64/pool4/0/ports',
    /but 40000 is for listener x/,
  ],
  [
    'more servers than SSH ports',
    { forward: { sshPorts: '22001' }, hosts: [host('a'), host('b')] },
    '/forward/sshPorts',
    /"22001" has 1 free ports for 2 servers/,
  ],
  [
    'a prefix that DNS64 announces and NAT64 does not translate',
    { dns64: { prefixes: ['64:ff9b::/96', '2001:db8:64::/96'] } },
    '/dns64/prefixes/1',
    /"2001:db8:64::\/96" is a prefix that NAT64 does not translate; expected 64:ff9b::\/96/,
  ],
  [
    'the same prefix address with another length',
    { dns64: { prefixes: ['2001:db8:64::/64'] }, nat64: { prefix: '2001:db8:64::/96' } },
    '/dns64/prefixes/0',
    /NAT64 does not translate/,
  ],
  ...(
    [
      ['64:ff9b::192.0.2.1', /lies in the NAT64 prefix 64:ff9b::\/96/],
      ['fe80::1', /link-local/],
      ['ff02::1', /multicast/],
      ['::1', /loopback/],
      ['::', /unspecified/],
      ['::ffff:192.0.2.1', /IPv4 address in IPv6 form/],
    ] as const
  ).map(
    ([address, message]) =>
      [`a server at ${address}`, { hosts: [host('a', { address })] }, '/hosts/0/address', message] as const,
  ),
];

for (const [title, document, path, message] of refused) {
  test(`refused: ${title}`, () => {
    const loaded = loadConfig(JSON.stringify(document));
    assert.ok('problems' in loaded);
    assert.deepEqual(
      loaded.problems.map((problem) => problem.path),
      [path],
    );
    assert.match(english(loaded.problems[0].message), message);
  });
}

const accepted: readonly (readonly [title: string, document: object])[] = [
  [
    'one port on different addresses',
    {
      proxy: { ...noListeners, listen: ['192.0.2.1'] },
      admin: { port: 53 },
      dns64: { listen: ['192.0.2.2'] },
    },
  ],
  ['one port in different families', { admin: { listen: ['::'], port: 443 } }],
  [
    'a listener in pool4 on another address than the pool',
    {
      proxy: { listen: ['192.0.2.1'], listeners: [listener('x', 40_000)] },
      nat64: { pool4: [{ address: '192.0.2.2' }] },
    },
  ],
  ['the admin page on loopback in pool4', { admin: { port: 40_000, listen: ['127.0.0.1'] } }],
  [
    'several prefixes, and DNS64 with both',
    {
      nat64: { extraPrefixes: ['2001:db8:64::/96'] },
      dns64: { prefixes: ['64:ff9b::/96', '2001:db8:64::/96'] },
    },
  ],
  [
    'a listener on a TCP port that pool4 uses for another protocol',
    {
      proxy: { listeners: [listener('x', 20_000)] },
      nat64: { pool4: [{ ports: '32768-65535' }, { ports: '10000-21999', protocols: ['icmp', 'udp'] }] },
    },
  ],
  [
    'as many port blocks as the pool has room for',
    { nat64: { portBlocks: { size: 256, clients: ['2001:db8:1::/121'] } } },
  ],
  [
    'another prefix while NAT64 runs on another machine',
    {
      dns64: { prefixes: ['2001:db8:64::/96'] },
      nat64: { enabled: false },
    },
  ],
  ['one prefix written in two ways', { dns64: { prefixes: ['64:FF9B:0::/96'] } }],
  [
    'both wildcards beside the name itself',
    {
      hosts: [
        host('a', { hostnames: ['example.com'] }),
        host('b', { hostnames: ['*.example.com'] }),
        host('c', { hostnames: ['**.example.com'] }),
      ],
    },
  ],
  [
    'one host name for several servers, by protocol; and one server with several ways in at a listener',
    {
      hosts: [
        host('acme', { hostnames: ['a.example'], services: [{ listener: 'https', alpn: ['acme-tls/1'] }] }),
        host('a', {
          hostnames: ['a.example'],
          services: ['http', 'https', { listener: 'https', alpn: ['h2'], targetPort: 8443 }],
        }),
        host('b', {
          hostnames: ['a.example'],
          services: [{ listener: 'https', alpn: ['imap', 'managesieve'] }],
        }),
      ],
    },
  ],
  ['trusted proxies', { proxy: { trustedProxies: ['192.0.2.1', '198.51.100.0/24', '2001:db8::/32'] } }],
  [
    'a redirect to a listener that is called https',
    {
      hosts: [host('a', { services: ['http', 'https'], redirectToHttps: 301 })],
      proxy: { listeners: [{ name: 'http', port: 80, protocol: 'http' }, listener('https', 8443)] },
    },
  ],
  [
    'a server with several addresses',
    { hosts: [{ name: 'a', addresses: ['2001:db8::1', '2001:db8::2'], balance: 'round-robin' }] },
  ],
  ['an explicit SSH port inside the range', { hosts: [host('a', { ssh: { port: 22_001 } }), host('b')] }],
  ['DNS64 off leaves its port free', { dns64: { enabled: false }, admin: { port: 53 } }],
];

for (const [title, document] of accepted) {
  test(`accepted: ${title}`, () => {
    const loaded = loadConfig(JSON.stringify(document));
    assert.ok('config' in loaded, JSON.stringify(loaded));
  });
}
