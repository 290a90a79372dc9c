/** Paths through the appliance, under configurations that are not active. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { WayRequest } from '../../../src/admin/explain/way.ts';
import { english } from '../../../src/texts/text.ts';
import { assess } from '../../../src/admin/explain/assertions.ts';
import { type IpPrefix, parseIpPrefix } from '../../../src/wire/ip-prefix.ts';
import { DOCUMENT, INTERNET, SERVER, configOf, explainersFor, way } from './explain-world.ts';

/** The outcome as "kind server address port". If they matter, what the steps must say, in order: "service: text [counter] (path)". */
type Row = [title: string, request: Partial<WayRequest>, outcome: string, steps: RegExp[]];

const fromInternet: Row[] = [
  [
    'HTTPS by name',
    { to: 'WWW.example.com', port: 443 },
    'server web1 2001:db8:1::10 443',
    [
      /^network: Assumption: the A record of www\.example\.com/,
      /^proxy: The listener https has port 443: TLS by server name\. \(\/proxy\/listeners\/1\)/,
      /^proxy: www\.example\.com leads to web1, \[2001:db8:1::10\]:443\. \[tls-routed\] \(\/hosts\/0\/hostnames\)/,
      /^proxy: The server sees the address of this appliance/,
    ],
  ],
  [
    'a wildcard',
    { to: 'a.example.com', port: 80 },
    'server web1 2001:db8:1::10 80',
    [/./, /HTTP by Host/, /\[http-routed\]/, /./],
  ],
  [
    'a name too deep below a wildcard',
    { to: 'a.b.example.com', port: 443 },
    'refused',
    [
      /./,
      /./,
      /^proxy: No server has the name a\.b\.example\.com at the listener https\. \[refused-tls-unknown-name\]/,
    ],
  ],
  [
    'a name of another listener',
    { to: 'shop.example.org', port: 80 },
    'refused',
    [
      /./,
      /./,
      /web2 has the name, but does not use the listener http\. \[refused-http-unknown-host\] \(\/hosts\/1\/services\)/,
    ],
  ],
  [
    'the client’s address is passed on',
    { to: 'shop.example.org', port: 443 },
    'server web2 2001:db8:1::11 443',
    [/./, /./, /./, /PROXY header \(version 2\)/],
  ],
  [
    'an address instead of a name: TLS',
    { to: '203.0.113.1', port: 443 },
    'refused',
    [/is not an address of this appliance/, /./, /\[refused-tls-no-name\]/],
  ],
  [
    'an address instead of a name: HTTP',
    { to: '203.0.113.1', port: 80 },
    'refused',
    [/./, /./, /No server has the name 203\.0\.113\.1/],
  ],
  [
    'a listener without servers',
    { to: 'www.example.com', port: 993 },
    'refused',
    [/./, /listener imaps \(port 993\) is closed/],
  ],
  [
    'SSH, by the configured port',
    { to: '203.0.113.1', port: 22_001 },
    'server web1 2001:db8:1::10 22',
    [/./, /^forward: Port 22001 is the SSH port of web1.*\[accepted\] \(\/hosts\/0\/ssh\)/],
  ],
  [
    'an unused port',
    { to: 'www.example.com', port: 22 },
    'refused',
    [/./, /^network: Nothing here listens on TCP port 22/],
  ],
  [
    'the admin page, from a foreign network',
    { to: '203.0.113.1', port: 8064 },
    'refused',
    [/./, /^admin: admin\.allow does not list 203\.0\.113\.50\. \[refused-source\] \(\/admin\/allow\)/],
  ],
  [
    'the admin page, from its network',
    { from: '192.0.2.7', to: '203.0.113.1', port: 8064 },
    'appliance',
    [/./, /admin\.allow lists/, /answers on port 8064/],
  ],
  [
    'the resolver, from a foreign network',
    { to: '203.0.113.1', port: 53, protocol: 'udp' },
    'refused',
    [/./, /^dns64: dns64\.allow does not list/],
  ],
  [
    'a static mapping of a server',
    { to: '198.51.100.1', port: 5353, protocol: 'udp' },
    'server web2 2001:db8:1::11 53',
    [
      /^nat64: A static mapping leads 198\.51\.100\.1 port 5353 to \[2001:db8:1::11\]:53\. \(\/nat64\/static\/0\)/,
    ],
  ],
  [
    'a static mapping of another host',
    { to: '198.51.100.1', port: 8443 },
    'nat64 2001:db8:1::77 443',
    [/static\/1/],
  ],
  [
    'a port of the pool',
    { to: '198.51.100.1', port: 40_000 },
    'refused',
    [/has no static mapping.*kept for 6 seconds.*\[syns-stored\]/],
  ],
  [
    'the same over UDP',
    { to: '198.51.100.1', port: 40_000, protocol: 'udp' },
    'refused',
    [/\[drop-no-bib-entry\] \(\/nat64\/static\)/],
  ],
  [
    'an address mapping',
    { to: '192.0.2.9', port: 25 },
    'server web1 2001:db8:1::10 25',
    [/192\.0\.2\.9 belongs to \[2001:db8:1::10\] as a whole/],
  ],
  ['a ping', { to: '203.0.113.1', protocol: 'icmp' }, 'appliance', [/./, /The appliance itself answers/]],
  ['an IPv6 address', { to: '2001:db8:1::10', port: 443 }, 'refused', [/cannot reach the IPv6 address/]],
];

const fromServer: Row[] = [
  [
    'a name with IPv4 only: DNS64, then NAT64',
    { to: 'ipv4.example.net', port: 443 },
    'nat64 203.0.113.9 443',
    [
      /^dns64: dns64\.allow lists/,
      /^dns64: ipv4\.example\.net has no IPv6 address of its own: DNS64 makes 64:ff9b::cb00:7109.*\[synthesised\]/,
      /^nat64: 64:ff9b::cb00:7109 is inside the NAT64 prefix/,
      /outside that prefix/,
      /unicast/,
      /^nat64: nat64\.allow lists/,
      /./,
      /0 BIB entries/,
      /./,
      /leaves the appliance for 203\.0\.113\.9/,
    ],
  ],
  [
    'a name with IPv6: direct',
    { to: 'ipv6.example.net', port: 443 },
    'direct 2001:db8:9::9 443',
    [/./, /of its own/, /over IPv6/],
  ],
  [
    'a name of a server',
    { to: 'web2.example.net', port: 443 },
    'server web2 2001:db8:1::11 443',
    [/./, /./, /./],
  ],
  [
    'a name without addresses',
    { to: 'none.example.net', port: 443 },
    'refused',
    [/./, /has no address, neither/],
  ],
  ['localhost', { to: 'localhost', port: 80 }, 'direct ::1 80', [/./, /answered here/, /./]],
  [
    'an IPv4 address',
    { to: '203.0.113.9', protocol: 'icmp' },
    'nat64 203.0.113.9',
    [/./, /./, /./, /./, /./, /./, /./, /./],
  ],
  [
    'a private address behind the well-known prefix',
    { to: '64:ff9b::10.0.0.1', port: 80 },
    'refused',
    [/./, /./, /./, /./, /\[drop-non-global\] \(\/nat64\/prefix\)/],
  ],
  [
    'a client that may not be translated',
    { from: '2001:db8:2::1', to: '64:ff9b::203.0.113.9', port: 80 },
    'refused',
    [/./, /./, /./, /\[drop-not-allowed\] \(\/nat64\/allow\)/],
  ],
  [
    'a client that may not query',
    { from: '2001:db8:2::1', to: 'ipv4.example.net', port: 80 },
    'refused',
    [/^dns64: dns64\.allow does not list 2001:db8:2::1\. \[refused-access\]/],
  ],
  [
    'another server',
    { to: '2001:DB8:1:0::11', port: 25 },
    'server web2 2001:db8:1::11 25',
    [/without this appliance/],
  ],
  [
    'a static mapping of a neighbour: hairpinning',
    { to: '64:ff9b::198.51.100.1', port: 8443 },
    'nat64 2001:db8:1::77 443',
    [
      /./,
      /./,
      /./,
      /./,
      /./,
      /./,
      /./,
      /^nat64: 198\.51\.100\.1 port 8443 is the mapping of 2001:db8:1::77 port 443/,
    ],
  ],
  [
    'an address mapping of a neighbour: hairpinning',
    { to: '64:ff9b::192.0.2.9', port: 25 },
    'server web1 2001:db8:1::10 25',
    [/./, /./, /./, /./, /./, /./, /./, /hairpinning/, /^nat64: 192\.0\.2\.9 belongs to \[2001:db8:1::10\]/],
  ],
  ['a name that leads back here, at an unused port', { to: 'www.example.com', port: 444 }, 'refused', []],
];

const describeWay = (rows: Row[], from: string) => {
  for (const [title, changes, outcome, steps] of rows) {
    test(title, async () => {
      const found = await way({ from, protocol: 'tcp', to: '', ...changes });
      const { kind, server, address, port } = found.outcome;
      const lines = found.steps.map(
        ({ service, text, counter, configPath }) =>
          `${service}: ${english(text)}${counter === undefined ? '' : ` [${counter}]`}${configPath === undefined ? '' : ` (${configPath})`}`,
      );
      assert.equal(
        [kind, server, address, port].filter((each) => each !== null).join(' '),
        outcome,
        lines.join('\n'),
      );
      if (steps.length > 0) assert.equal(lines.length, steps.length, lines.join('\n'));
      for (const [i, pattern] of steps.entries()) assert.match(lines[i], pattern);
      for (const [i, { isOk }] of found.steps.entries())
        assert.equal(isOk, outcome !== 'refused' || i < lines.length - 1, lines[i]);
      assert.notEqual(english(found.outcome.text), '');
    });
  }
};

describe('from the IPv4 Internet', () => describeWay(fromInternet, INTERNET));
describe('from the servers', () => describeWay(fromServer, SERVER));

/** Connections that would reach the panel at an own address: the path ends at the dial, with the counter that counts it. */
const ownAddress: [title: string, port: number, refusal: RegExp][] = [
  ['TLS by name', 443, /^proxy: The address of web1, 2001:db8:1::10, is one of this appliance itself/],
  ['HTTP by name', 80, /^proxy: The address of web1, 2001:db8:1::10, is one of this appliance itself/],
  ['SSH', 22_001, /^forward: The address of web1, 2001:db8:1::10, is one of this appliance itself/],
];
for (const [title, port, refusal] of ownAddress) {
  test(`a server at an address of this appliance is refused: ${title}`, async () => {
    const own = [parseIpPrefix('2001:db8:1::10') as IpPrefix];
    const request = { from: INTERNET, protocol: 'tcp', to: 'www.example.com', port } as const;
    const { outcome, steps } = await way(request, DOCUMENT, {}, own);
    const last = steps.at(-1)!;
    assert.equal(outcome.kind, 'refused');
    assert.match(`${last.service}: ${english(last.text)}`, refusal);
    assert.deepEqual([last.counter, last.configPath], ['server-ourselves', '/hosts/0/address']);
    const { outcome: elsewhere } = await way(request);
    assert.equal(elsewhere.kind, 'server');
  });
}

test('an assertion that a server is reached fails when its address is ours', async () => {
  const config = configOf({
    ...DOCUMENT,
    assertions: [{ name: 'the shop', from: INTERNET, to: 'www.example.com', port: 443, expect: 'web1' }],
  });
  const own = [parseIpPrefix('2001:db8:1::10') as IpPrefix];
  const state = async (addresses: readonly IpPrefix[]) =>
    (await assess(config, await explainersFor(config, {}, addresses)))[0].state;
  assert.deepEqual([await state([]), await state(own)], ['passed', 'failed']);
});
