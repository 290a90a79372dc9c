/**
 * What the page shows of real clients, on the lab's own network (lab/world.ts draws it): a stream is open while curl, ssh,
 * openssl and dig run, and each appears with the right fields.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, it, type TestContext } from 'node:test';
import type { LiveEvent } from '../../src/admin/contract/live.ts';
import type { ConnectionEvent } from '../../src/net/connection-event.ts';
import type { DnsEvent } from '../../src/services/dns64/contract.ts';
import type { CountersAnswer, HostTraffic } from '../../src/admin/contract/status.ts';
import { type Appliance, startAppliance } from '../../lab/appliance.ts';
import { environmentOf, prepareChecks } from '../../lab/checks.ts';
import type { Child } from '../../lab/host.ts';
import { ensurePackages, PACKAGES } from '../../lab/packages.ts';
import { requireTun } from '../../lab/preflight.ts';
import { waitUntil } from '../../lab/wait.ts';
import { buildWorld, type World } from '../../lab/world.ts';
import { ADDRESSES, IPV4_ONLY } from '../../lab/zone.ts';
import { ADDRESSES as HTTP_ADDRESSES } from './http/addresses.ts';
import { forwarded, request } from './http/forms.ts';

/** What the proxy adds to the head of a request for the server: fields about the client of the lab. */
const LARGE = { line: 'GET /large', authority: 'example.com' };
const ADDED_BYTES =
  forwarded(LARGE).replaceAll(HTTP_ADDRESSES.client, ADDRESSES.client).length - request(LARGE).length;

describe('live', { concurrency: false }, () => {
  let world: World;
  let appliance: Appliance;
  let stream: Child;

  before(async () => {
    ensurePackages(PACKAGES.lab, console.log);
    requireTun();
    world = await buildWorld();
    appliance = await startAppliance(world);
    await prepareChecks(world, appliance);
    const token = readFileSync(appliance.tokenFile, 'utf8').trim();
    stream = world.hosts.appliance.spawn('curl', [
      '-sSN',
      '-H',
      `Authorization: Bearer ${token}`,
      'http://127.0.0.1:8064/api/live',
    ]);
    await waitUntil('the stream', async () => stream.output().includes('event: counters'));
  });
  after(() => world?.[Symbol.asyncDispose]());

  const streamed = (): LiveEvent[] =>
    stream
      .output()
      .split('\n\n')
      .filter((block) => block.startsWith('event: events'))
      .flatMap((block) => JSON.parse(/^data: (.*)$/m.exec(block)?.[1] ?? '[]') as LiveEvent[]);

  /** Runs a command on a host, and resolves with the streamed events that it caused, once the last of them has arrived. */
  async function eventsOf<Event extends LiveEvent>(
    host: keyof World['hosts'],
    command: string,
    isMine: (event: LiveEvent) => boolean,
    count: number,
  ): Promise<Event[]> {
    const before = streamed().length;
    await world.hosts[host].attempt('sh', ['-c', command], { env: environmentOf(world) });
    const mine = () => streamed().slice(before).filter(isMine) as Event[];
    await waitUntil(`${count} events of: ${command}`, async () => mine().length >= count, {
      explain: () => JSON.stringify(streamed().slice(before)),
    });
    return mine();
  }
  /** Of connections with this name: late events of others may still arrive. */
  const connections = (command: string, service: string, name: string | null, count: number) =>
    eventsOf<ConnectionEvent>(
      'client',
      command,
      (event) => event.kind === 'connection' && event.service === service && event.name === name,
      count,
    );

  it('curl over HTTPS: opened and closed, by name, with its bytes', async () => {
    const [opened, closed] = await connections(
      'curl -sS -m 5 https://example.com/',
      'proxy',
      'example.com',
      2,
    );
    for (const event of [opened, closed]) {
      assert.equal(event.client, ADDRESSES.client);
      assert.equal(event.listener, 'https');
      assert.equal(event.name, 'example.com');
      assert.equal(event.server, 'web1');
    }
    assert.deepEqual([opened.what, closed.what], ['opened', 'closed']);
    assert.equal(opened.connection, closed.connection);
    assert.ok(closed.bytesUp > 500 && closed.bytesDown > 1000, JSON.stringify(closed));
    assert.match(closed.reason ?? '', /^closed/);
  });

  it('curl over HTTP to a server behind PROXY v1', async () => {
    const [, closed] = await connections('curl -sS -m 5 http://example.org/', 'proxy', 'example.org', 2);
    assert.deepEqual([closed.listener, closed.name, closed.server], ['http', 'example.org', 'web2']);
  });

  it('openssl with an unknown name: refused, with the name and the reason', async () => {
    const command = `openssl s_client -connect ${ADDRESSES.appliance4}:443 -servername nobody.example.net </dev/null`;
    const [refused] = await connections(command, 'proxy', 'nobody.example.net', 1);
    assert.equal(refused.what, 'refused');
    assert.equal(refused.name, 'nobody.example.net');
    assert.equal(refused.server, null);
    assert.equal(refused.reason, 'refused-tls-unknown-name');
    assert.match(refused.explanation ?? '', /no server has the server name/);
  });

  it('ssh through the forwarded port', async () => {
    const [opened, closed] = await connections('ssh -F "$LAB/ssh_config" web2 true', 'forward', null, 2);
    assert.deepEqual([opened.what, opened.server, opened.listener], ['opened', 'web2', 'web2']);
    assert.equal(opened.client, ADDRESSES.client);
    assert.equal(closed.what, 'closed');
    assert.ok(closed.bytesUp > 1000 && closed.durationMs > 0, JSON.stringify(closed));
  });

  it('dig: synthesised from an upstream, then from the cache', async () => {
    const dig = `dig +short AAAA ${IPV4_ONLY}; dig +short AAAA ${IPV4_ONLY}; dig +short MX ${IPV4_ONLY}`;
    const isMine = (event: LiveEvent) => event.kind === 'dns' && event.client === ADDRESSES.web1;
    const events = await eventsOf<DnsEvent>('web1', dig, isMine, 3);
    const words = events.map(({ name, type, answer, rcode }) => `${name} ${type} ${answer} ${rcode}`);
    // The first look-up by the appliance was done by the code that started it.
    assert.ok(words.includes(`${IPV4_ONLY} AAAA cached NOERROR`), words.join('\n'));
    assert.ok(words.includes(`${IPV4_ONLY} MX forwarded NOERROR`), words.join('\n'));
  });

  it('the log has the streamed events, by filter', async () => {
    const { events, lost } = (await appliance.api(
      `/api/events?kind=connection&client=${ADDRESSES.client}&server=web2&limit=500`,
    )) as { events: ConnectionEvent[]; lost: number };
    assert.ok(events.length >= 4);
    assert.ok(events.every(({ server, client }) => server === 'web2' && client === ADDRESSES.client));
    assert.equal(lost, 0);
  });

  it('traffic by server: exactly the transferred bytes, under its name only', async () => {
    const counted = async () => {
      const { hosts } = (await appliance.api('/api/counters')) as CountersAnswer;
      return Object.fromEntries(hosts.map(({ name, counters }) => [name, counters]));
    };
    await waitUntil('no earlier connection is left', async () =>
      Object.values(await counted()).every(({ connections }) => connections === 0),
    );
    const before = await counted();
    assert.deepEqual(Object.keys(before), ['web1', 'web2', 'web3']);
    // 3 MB each way through SSH: long enough to be spliced. The event says how many bytes SSH itself has added.
    const [, closed] = await connections(
      'head -c 3000000 /dev/zero | ssh -F "$LAB/ssh_config" web2 cat | wc -c',
      'forward',
      null,
      2,
    );
    // And over HTTP as many bytes as curl itself reports as sent and received.
    const write = '%{size_request} %{size_header} %{size_download}';
    const { stdout: sizes } = await world.hosts.client.attempt(
      'curl',
      ['-sS', '-m', '30', '-o', '/dev/null', '-w', write, 'http://example.com/large'],
      { env: environmentOf(world) },
    );
    const [sent, head, body] = sizes.split(' ').map(Number);
    assert.ok(body > 1_000_000, sizes);
    await waitUntil('the end of both', async () =>
      Object.values(await counted()).every(({ connections }) => connections === 0),
    );
    const after = await counted();
    const grown = (name: string) =>
      Object.fromEntries(
        Object.entries(after[name]).map(([counter, value]) => [
          counter,
          value - before[name][counter as keyof HostTraffic],
        ]),
      );
    assert.ok(closed.bytesUp > 3_000_000 && closed.bytesDown > 3_000_000, JSON.stringify(closed));
    for (const [name, { bytesUp, bytesDown }] of [
      ['web2', closed],
      ['web1', { bytesUp: sent + ADDED_BYTES, bytesDown: head + body }],
    ] as const) {
      const expected = { 'bytes-up': bytesUp, 'bytes-down': bytesDown, accepted: 1, connections: 0 };
      assert.deepEqual(grown(name), expected, name);
    }
    assert.deepEqual(grown('web3'), { 'bytes-up': 0, 'bytes-down': 0, accepted: 0, connections: 0 });
    const { stdout: metrics } = await appliance.request('/metrics', ['-f']);
    assert.match(
      metrics,
      new RegExp(`^tombolo_host_up_bytes_total\\{host="web2"\\} ${after['web2']['bytes-up']}$`, 'm'),
    );
  });

  it('metrics for Prometheus, and the cost of an open page', async (t: TestContext) => {
    const { stdout } = await appliance.request('/metrics', ['-f']);
    assert.match(stdout, /^tombolo_proxy_tls_routed_total [1-9]/m);
    assert.match(stdout, /^tombolo_forward_accepted_total [1-9]/m);
    assert.match(stdout, /^tombolo_dns64_hits_total [1-9]/m);
    const ticks = () => {
      const fields = readFileSync(`/proc/${appliance.child.pid}/stat`, 'latin1').split(') ')[1].split(' ');
      return Number(fields[11]) + Number(fields[12]);
    };
    const [from, startedMs] = [ticks(), performance.now()];
    // Without traffic nothing else is sent: every tenth tick contains the status.
    const statusEvents = () => stream.output().split('event: status').length;
    const before = statusEvents();
    await waitUntil('ten more ticks of the stream', async () => statusEvents() > before, {
      timeoutMs: 30_000,
    });
    const percent = (((ticks() - from) / 100) * 1e5) / (performance.now() - startedMs);
    const rss = appliance.memory().rssBytes;
    t.diagnostic(`with a page open: ${percent.toFixed(2)} % of a core, ${(rss / 1e6).toFixed(1)} MB`);
  });
});
