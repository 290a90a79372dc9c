/** The events of the resolver about queries: from the worker, from the main thread, over UDP and TCP. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import dnsPacket from 'dns-packet';
import type { DnsFound } from '../../../../src/services/dns64/contract.ts';
import { silentLog } from '../../../../src/runtime/log.ts';
import { startDns64 } from '../../../../src/services/dns64/service.ts';
import { EVENT_KINDS } from '../../../../src/state/event-kinds.ts';
import { createEventLog } from '../../../../src/state/event-log.ts';
import { NOBODY } from '../../net/support.ts';
import { askTcp, askUdp, scriptedUpstream, zone } from './helpers.ts';
import { freePort } from '../../net/support.ts';
import { waitUntil } from '../../../../lab/wait.ts';

const query = (name: string, type: string, flags = 0x100) =>
  dnsPacket.encode({
    type: 'query',
    id: 1,
    flags,
    questions: [{ name, type: type as 'A', class: 'IN' }],
  });

const steady = ({ client, transport, name, type, answer, rcode }: DnsFound) =>
  `${client} ${transport} ${name} ${type} ${answer} ${rcode}`;

type Dns64 = Parameters<typeof startDns64>[0]['dns64'];
const optionsOf = (port: number, upstream: string, queryLog: Dns64['queryLog']): { dns64: Dns64 } => ({
  dns64: {
    enabled: true,
    listen: ['127.0.0.1', '::1'],
    port,
    prefixes: ['64:ff9b::/96'],
    upstreams: [upstream],
    allow: ['127.0.0.1/32', '::1/128'],
    cacheEntries: 1000,
    queryLog,
  },
});

test('each query is reported with its answer', async () => {
  await using upstream = await scriptedUpstream(zone({ 'v4.example.com': { A: [{ data: '192.0.2.1' }] } }));
  using log = createEventLog({ kinds: EVENT_KINDS, serverAt: () => undefined });
  const port = await freePort();
  await using _ = await startDns64(optionsOf(port, upstream.url, 'full'), {
    log: silentLog,
    stateDirectory: '/nonexistent',
    ourselves: NOBODY,
    events: log,
  });
  const recorded = () => log.page({}, undefined, 500).events as unknown as DnsFound[];
  const steps: [what: () => Promise<unknown>, expected: string][] = [
    [
      () => askUdp(port, query('v4.example.com', 'AAAA')),
      '127.0.0.1 udp v4.example.com AAAA synthesized NOERROR',
    ],
    [() => askUdp(port, query('V4.example.com', 'AAAA')), '127.0.0.1 udp V4.example.com AAAA cached NOERROR'],
    [
      () => askUdp(port, query('v4.example.com', 'A'), { to: '::1' }),
      '::1 udp v4.example.com A forwarded NOERROR',
    ],
    [() => askTcp(port, [query('v4.example.com', 'A')]), '127.0.0.1 tcp v4.example.com A cached NOERROR'],
    [() => askUdp(port, query('no.example.com', 'A')), '127.0.0.1 udp no.example.com A forwarded NXDOMAIN'],
    [() => askUdp(port, query('localhost', 'A')), '127.0.0.1 udp localhost A local NOERROR'],
    [() => askUdp(port, query('v4.example.com', 'A', 0)), '127.0.0.1 udp v4.example.com A refused REFUSED'],
    [
      () => askUdp(port, query('v4.example.com', 'A'), { from: '127.0.0.2' }),
      '127.0.0.2 udp v4.example.com A refused REFUSED',
    ],
    [
      () => askUdp(port, Buffer.from('00010100000200000000000001610000010001', 'hex')),
      '127.0.0.1 udp   malformed FORMERR',
    ],
  ];
  for (const [ask, expected] of steps) {
    const before = recorded().length;
    await ask();
    await waitUntil(expected, () => recorded().length > before);
    assert.equal(steady(recorded()[0]), expected);
  }
});

test('the configuration decides how much is reported, at once and also for earlier events', async () => {
  await using upstream = await scriptedUpstream(zone({ 'v4.example.com': { A: [{ data: '192.0.2.1' }] } }));
  using log = createEventLog({ kinds: EVENT_KINDS, serverAt: () => 'web1' });
  const port = await freePort();
  await using dns64 = await startDns64(optionsOf(port, upstream.url, 'names'), {
    log: silentLog,
    stateDirectory: '/nonexistent',
    ourselves: NOBODY,
    events: log,
  });
  const recorded = () =>
    log
      .page({}, undefined, 500)
      .events.map((event) => steady(event as unknown as DnsFound))
      .reverse();
  /** Queries through the main thread, from the worker's cache, and over TCP; one is refused by the worker. */
  const ask = async () => {
    await askUdp(port, query('v4.example.com', 'AAAA'));
    await askUdp(port, query('v4.example.com', 'AAAA'));
    await askTcp(port, [query('v4.example.com', 'A')]);
    await askUdp(port, query('v4.example.com', 'A'), { from: '127.0.0.2' });
  };
  const answers = ['AAAA cached NOERROR', 'AAAA cached NOERROR', 'A cached NOERROR', 'A refused REFUSED'];
  const first = [
    'AAAA synthesized NOERROR',
    'AAAA cached NOERROR',
    'A forwarded NOERROR',
    'A refused REFUSED',
  ];
  const firstWords = (line: string) => line.split(' ').slice(-3).join(' ');
  const rounds: [level: Dns64['queryLog'], clients: string[], answers: string[]][] = [
    ['names', ['null'], first],
    ['off', [], []],
    ['full', ['127.0.0.1', '127.0.0.2'], answers],
    ['names', ['null'], answers],
  ];
  for (const [level, clients, expected] of rounds) {
    await dns64.reconfigure(optionsOf(port, upstream.url, level));
    if (level !== 'full')
      assert.ok(
        recorded().every((line) => !line.startsWith('127.')),
        'no client is shown',
      );
    await ask();
    await waitUntil(`${level}: the answers`, () => recorded().length >= expected.length);
    assert.deepEqual(recorded().map(firstWords).sort(), expected.toSorted(), level);
    assert.deepEqual([...new Set(recorded().map((line) => line.split(' ')[0]))].sort(), clients, level);
    assert.equal(log.page({ server: 'web1' }, undefined, 1).events.length, level === 'full' ? 1 : 0);
  }
});
