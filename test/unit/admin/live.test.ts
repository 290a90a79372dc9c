/** Events, the live stream, history, system and log over the API. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type IncomingMessage, createServer, get } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { MAX_STREAMS } from '../../../src/admin/live-stream.ts';
import type { AppEvent } from '../../../src/runtime/events.ts';
import { NO_HARDWARE } from '../../../src/state/hardware.ts';
import { NO_ACTIONS } from '../../../src/os/appliance-actions.ts';
import { HISTORY_SERIES } from '../../../src/state/history-series.ts';
import { TOKEN, assertError, report, testAdmin, testDeps } from './fixture.ts';
import { asIs, say } from '../../../src/texts/text.ts';
import { waitUntil } from '../../../lab/wait.ts';

const dns = (name: string, client = '2001:db8:1::10'): AppEvent => ({
  kind: 'dns',
  client,
  name,
  type: 'AAAA',
  transport: 'udp',
  answer: 'cached',
  rcode: 'NOERROR',
  durationMs: 0,
});

interface Sent {
  readonly event: string;
  readonly id?: string;
  // biome-ignore lint/suspicious/noExplicitAny: each test knows the shape it reads.
  readonly data: any;
}

/** The application behind a socket, and streams from it. */
async function listening(t: TestContext, changes: Parameters<typeof testAdmin>[1] = {}) {
  const admin = await testAdmin(t, changes);
  const server = createServer(admin.app.routing);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });

  async function open(query = '', headers: Record<string, string> = {}, localAddress = '127.0.0.1') {
    const request = get({
      port,
      host: '127.0.0.1',
      localAddress,
      path: `/api/live${query}`,
      headers: { authorization: `Bearer ${TOKEN}`, ...headers },
    });
    request.on('error', () => {});
    t.after(() => void request.destroy());
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    let text = '';
    let ended = false;
    response.setEncoding('utf8');
    response.on('data', (chunk: string) => (text += chunk));
    response.on('close', () => (ended = true));
    const sent = (): Sent[] =>
      text
        .split('\n\n')
        .slice(0, -1)
        .map((block) => Object.fromEntries(block.split('\n').map((line) => line.split(/: (.*)/s))))
        .filter((fields) => 'event' in fields)
        .map((fields) => ({ ...fields, data: JSON.parse(fields.data as string) }) as unknown as Sent);
    const waitFor = async (event: string, count = 1) => {
      await waitUntil(event, () => sent().filter((each) => each.event === event).length >= count);
      return sent().filter((each) => each.event === event);
    };
    return { response, sent, waitFor, ended: () => ended, close: () => request.destroy() };
  }
  return { ...admin, open };
}

test('events by filter and page', async (t) => {
  const { request, deps } = await testAdmin(t);
  for (let i = 0; i < 5; i++) deps.live.events.put(dns(`n${i}.example.com`), Date.now());
  deps.live.events.put(
    { kind: 'service', service: 'dns64', state: 'failed', problem: asIs('no socket'), restarts: 0 },
    Date.now(),
  );
  const names = (answer: { json: () => Record<string, unknown> }) =>
    (answer.json()['events'] as { name?: string; service?: string }[]).map(
      ({ name, service }) => name ?? service,
    );
  assert.deepEqual(names(await request('GET', '/api/events?limit=2')), ['dns64', 'n4.example.com']);
  const page = await request('GET', '/api/events?kind=dns&client=2001:db8:1::/64&limit=3');
  assert.deepEqual(names(page), ['n4.example.com', 'n3.example.com', 'n2.example.com']);
  const { nextCursor } = page.json();
  const rest = await request('GET', `/api/events?kind=dns&cursor=${nextCursor}`);
  assert.deepEqual(names(rest), ['n1.example.com', 'n0.example.com']);
  assert.equal(rest.json()['nextCursor'], null);
  for (const query of [
    'kind=http',
    'client=somebody',
    'limit=0',
    'limit=501',
    'text=',
    'cursor=-1',
    'when=now',
  ]) {
    assertError(await request('GET', `/api/events?${query}`), 400, 'invalid-input');
  }
});

test('the text filter finds what the reader sees, and English', async (t) => {
  const { open, request, deps } = await listening(t);
  const german = { 'accept-language': 'de' };
  const filtered = await open('?topics=events&text=KEINER', german);
  const english = await open('?topics=events&text=KEINER');
  const everything = await open('?topics=events');
  const upstreams = '2001:db8::53';
  const problem = say('None of the upstreams answers: check the route to {upstreams}', { upstreams });
  deps.live.events.put(
    { kind: 'service', service: 'dns64', state: 'degraded', problem, restarts: 0 },
    Date.now(),
  );
  const problems = async (text: string, headers = {}) =>
    (
      (await request('GET', `/api/events?text=${text}`, headers)).json()['events'] as { problem: string }[]
    ).map((event) => event.problem);
  const inGerman = 'Keiner der gefragten Resolver antwortet: die Route zu 2001:db8::53 prüfen';
  assert.deepEqual(await problems('keiner', german), [inGerman]);
  assert.deepEqual(await problems('none%20of', german), [inGerman]);
  assert.deepEqual(await problems('keiner'), []);
  assert.equal((await problems('none%20of')).length, 1);
  const [{ data }] = await filtered.waitFor('events');
  assert.equal(data[0].problem, inGerman);
  await everything.waitFor('events');
  assert.deepEqual(english.sent(), []);
});

test('a stream begins with status, all counters and the sample; then reports changes', async (t) => {
  const values = { 'drop-ttl': 7, sent: 0 };
  const changing = { ...report('proxy'), counters: values };
  const web1 = { 'bytes-up': 10, 'bytes-down': 20, accepted: 1, connections: 1, dialling: 0 };
  const { open, deps } = await listening(t, {
    services: () => [{ ...changing, hosts: { web1: { ...web1 } } }, report('nat64')],
  });
  const { response, waitFor } = await open();
  assert.equal(response.headers['content-type'], 'text/event-stream; charset=utf-8');
  assert.equal(response.headers['cache-control'], 'no-store');
  assert.match(String(response.headers['content-security-policy']), /default-src 'none'/);
  assert.equal((await waitFor('status'))[0].data.services.length, 2);
  assert.deepEqual((await waitFor('counters'))[0].data.services, {
    proxy: { 'drop-ttl': 7, sent: 0 },
    nat64: { 'drop-ttl': 7, sent: 0 },
  });
  assert.deepEqual((await waitFor('counters'))[0].data.hosts, { web1 });
  assert.deepEqual(Object.keys((await waitFor('sample'))[0].data.values), Object.keys(HISTORY_SERIES));
  values.sent = 5;
  web1['bytes-down'] = 30;
  deps.live.events.put(dns('live.example.com'), Date.now());
  const [, changed] = await waitFor('counters', 2);
  assert.deepEqual(changed.data.services, { proxy: { sent: 5 } });
  assert.deepEqual(changed.data.hosts, { web1: { 'bytes-down': 30 } });
  const [{ data, id }] = await waitFor('events');
  assert.equal(data[0].name, 'live.example.com');
  assert.equal(id, String(data[0].id));
});

test('topics and filters; a browser that comes back misses nothing', async (t) => {
  const { open, deps } = await listening(t);
  const { events } = deps.live;
  events.put(dns('before.example.com'), Date.now());
  const seenId = events.newest;
  events.put(dns('missed.example.com'), Date.now());
  events.put(dns('missed.example.com', '2001:db8:2::9'), Date.now());
  const { waitFor, sent } = await open('?topics=events&kind=dns&client=2001:db8:1::/64', {
    'last-event-id': String(seenId),
  });
  const [{ data }] = await waitFor('events');
  assert.deepEqual(
    data.map(({ name }: { name: string }) => name),
    ['missed.example.com'],
  );
  assert.ok(sent().every(({ event }) => event === 'events'));
});

test('a browser that returns with an id from a clock that ran ahead gets all new events', async (t) => {
  const { open, deps } = await listening(t);
  const { events } = deps.live;
  events.put(dns('since.example.com'), Date.now());
  const { waitFor } = await open('?topics=events', { 'last-event-id': String(events.newest + 1e15) });
  const [{ data }] = await waitFor('events');
  assert.deepEqual(
    data.map(({ name }: { name: string }) => name),
    ['since.example.com'],
  );
});

test('a stream ends when its user is signed out, and when the process stops', async (t) => {
  const stopping = new AbortController();
  const deps = await testDeps(t);
  const { open, auth, post, request } = await listening(t, {
    ...deps,
    live: { ...deps.live, stopping: stopping.signal },
  });
  const made = await post('/api/tokens', { name: 'screen', scope: 'read', expiresInDays: null });
  assert.equal(made.status, 201, made.body);
  const { secret, id } = made.json();
  const revoked = await open('?topics=status', { authorization: `Bearer ${secret}` });
  const other = await open('?topics=status');
  await revoked.waitFor('status');
  assert.equal((await request('DELETE', `/api/tokens/${id}`)).status, 200);
  assert.deepEqual((await revoked.waitFor('end'))[0].data, { reason: 'signed-out' });
  await waitUntil('the revoked stream is closed', revoked.ended);
  assert.ok(!other.ended());
  stopping.abort();
  assert.deepEqual((await other.waitFor('end'))[0].data, { reason: 'stopping' });
  await waitUntil('the other stream is closed', other.ended);
  await auth.audit.settled();
});

test('the number of streams is limited; a closed stream makes room', async (t) => {
  const { open, request } = await listening(t);
  const streams = await Promise.all(Array.from({ length: MAX_STREAMS }, () => open('?topics=status')));
  assertError(await request('GET', '/api/live'), 429, 'too-many-streams');
  // A client without a stream gets one, and the oldest stream of the client that has all of them ends.
  const other = await open('?topics=status', {}, '127.0.0.2');
  assert.equal(other.response.statusCode, 200);
  await waitUntil('one has ended', () => streams.filter((stream) => stream.ended()).length === 1);
  assertError(await request('GET', '/api/live'), 429, 'too-many-streams');
  streams.find((stream) => !stream.ended())!.close();
  await waitUntil('room again', async () => (await open('?topics=status')).response.statusCode === 200);
});

test('a stream needs a principal, and known topics', async (t) => {
  const { request } = await testAdmin(t);
  assertError(await request('GET', '/api/live', { authorization: '' }), 401, 'unauthorized');
  assertError(await request('GET', '/api/live?topics=everything'), 400, 'invalid-input');
});

test('history: a span in steps; an impossible span is refused', async (t) => {
  const { request } = await testAdmin(t);
  const answer = await request(
    'GET',
    '/api/history?series=cpuPercent,proxyUpBytesPerSecond,cpuPercent&points=6',
  );
  assert.equal(answer.status, 200, answer.body);
  const { stepSeconds, series } = answer.json();
  assert.equal(stepSeconds, 600);
  assert.deepEqual(
    series.map(({ name, unit, mean }: { name: string; unit: string; mean: unknown[] }) => [
      name,
      unit,
      mean.length,
    ]),
    [
      ['cpuPercent', '%', 6],
      ['proxyUpBytesPerSecond', 'bytes/s', 6],
    ],
  );
  const ofHost = await request(
    'GET',
    '/api/history?series=hostUpBytesPerSecond,hostConnections&host=web1&points=6',
  );
  assert.deepEqual(
    ofHost.json().series.map(({ name, unit }: { name: string; unit: string }) => [name, unit]),
    [
      ['hostUpBytesPerSecond', 'bytes/s'],
      ['hostConnections', 'connections'],
    ],
  );
  for (const query of [
    '',
    '?series=pulse',
    '?series=cpuPercent&host=web1',
    '?series=hostUpBytesPerSecond',
    '?series=hostUpBytesPerSecond,cpuPercent&host=web1',
    '?series=cpuPercent&points=0',
    '?series=cpuPercent&points=5000',
    '?series=cpuPercent&from=yesterday',
    '?series=cpuPercent&from=2026-01-02T03:04:05Z&to=2026-01-02T03:04:04Z',
    '?series=cpuPercent&from=2025-01-02T03:04:05Z&to=2026-01-02T03:04:04Z',
    '?series=cpuPercent&from=2026-13-40T03:04:05Z',
  ]) {
    assertError(await request('GET', `/api/history${query}`), 400, 'invalid-input');
  }
});

test('system and log', async (t) => {
  const { request, deps } = await testAdmin(t);
  const system = (await request('GET', '/api/system')).json();
  assert.deepEqual(system['capabilities'], { reboot: false, factoryReset: false, ssh: false });
  assert.ok(system['disk'].freeBytes > 0 && system['memory'].totalBytes > 0);
  deps.live.logs.add(JSON.stringify({ level: 50, time: 1, msg: 'trouble', port: 53 }));
  deps.live.logs.add(JSON.stringify({ level: 30, time: 2, msg: 'fine' }));
  const { lines } = (await request('GET', '/api/logs?level=warn')).json();
  assert.deepEqual(lines, [
    { id: 1, at: '1970-01-01T00:00:00.001Z', level: 'error', message: 'trouble', fields: { port: 53 } },
  ]);
  assertError(await request('GET', '/api/logs?level=loud'), 400, 'invalid-input');
});

test('the hardware: the available facts, and a line for each in the language of the reader', async (t) => {
  const deps = await testDeps(t);
  const memory = { totalBytes: 4_005_650_432, modules: [] };
  const { request } = await testAdmin(t, {
    ...deps,
    live: { ...deps.live, hardware: async () => ({ ...NO_HARDWARE, memory }) },
  });
  const answer = (await request('GET', '/api/system/hardware')).json();
  assert.deepEqual(answer, { ...NO_HARDWARE, memory, lines: [{ title: 'Memory', text: '3.7 GiB' }] });
  const german = (await request('GET', '/api/system/hardware', { 'accept-language': 'de' })).json();
  assert.deepEqual(german['lines'], [{ title: 'Arbeitsspeicher', text: '3,7 GiB' }]);
});

test('reboot and factory reset: possible or refused depending on the machine, never by accident', async (t) => {
  const done: string[] = [];
  const deps = await testDeps(t);
  const note = (what: string) => async () => void done.push(what);
  const able = await testAdmin(t, {
    ...deps,
    live: { ...deps.live, actions: { ...NO_ACTIONS, reboot: note('reboot'), factoryReset: note('reset') } },
  });
  const { hostname } = (await able.request('GET', '/api/system')).json();
  assertError(await able.post('/api/system/factory-reset', { confirm: 'yes' }), 400, 'invalid-input');
  assert.deepEqual(done, []);
  assert.equal((await able.post('/api/system/factory-reset', { confirm: hostname })).status, 202);
  assert.equal((await able.post('/api/system/reboot')).status, 202);
  assert.deepEqual(done, ['reset', 'reboot']);

  const unable = await testAdmin(t);
  assertError(await unable.post('/api/system/reboot'), 409, 'not-possible-here');
  assertError(
    await unable.post('/api/system/factory-reset', { confirm: hostname }),
    409,
    'not-possible-here',
  );
});
