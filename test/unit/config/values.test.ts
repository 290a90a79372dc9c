/** Values that the configuration writes as one string. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fillDefaults } from '../../../src/config/load.ts';
import { boundAddresses } from '../../../src/config/values.ts';
import { planForward } from '../../../src/services/forward/service.ts';
import { planProxy } from '../../../src/services/proxy/service.ts';
import { socketsAt } from '../../../src/services/description.ts';
import { asIs } from '../../../src/texts/text.ts';
import { formatIpAddress } from '../../../src/wire/ip-address.ts';

const LISTS: readonly (readonly [listen: readonly string[], bound: readonly string[]])[] = [
  [[], []],
  [
    ['192.0.2.1', '2001:db8::1'],
    ['192.0.2.1', '2001:db8::1'],
  ],
  [['0.0.0.0', '192.0.2.1'], ['0.0.0.0']],
  [
    ['127.0.0.1', '::1', '0.0.0.0'],
    ['::1', '0.0.0.0'],
  ],
  [
    ['2001:db8::1', '::', '192.0.2.1', '::1'],
    ['::', '192.0.2.1'],
  ],
  [
    ['::', '0.0.0.0', '0:0:0:0:0:0:0:0', '0.0.0.0'],
    ['::', '0.0.0.0'],
  ],
  [['2001:db8::1', '2001:DB8:0::1'], ['2001:db8::1']],
];

test('addresses on which the kernel allows sockets on one port, for any order of the list', () => {
  for (const [listen, bound] of LISTS) assert.deepEqual(boundAddresses(listen), bound, listen.join());
});

test('listeners and the check for port conflicts use the same addresses', () => {
  const hosts = [{ name: 'web1', address: '2001:db8:1::10', hostnames: ['example.com'] }];
  for (const [listen, bound] of LISTS.slice(1)) {
    const config = fillDefaults({ hosts, proxy: { listen }, forward: { listen } });
    const ofPort = (
      plan: readonly { readonly address: Uint8Array; readonly port: number }[],
      wanted: number,
    ) => plan.filter(({ port }) => port === wanted).map(({ address }) => formatIpAddress(address));
    assert.deepEqual(ofPort(planProxy(config).listen, 443), bound);
    const { plan, ports } = planForward({ ...config, reservedPorts: [] }, {});
    assert.deepEqual(ofPort(plan.listen, ports['web1']), bound);
    assert.deepEqual(
      socketsAt(listen, 443, asIs('')).map(({ address }) => address),
      bound,
    );
  }
});
