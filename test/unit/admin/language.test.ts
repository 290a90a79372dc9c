/** The language of the API's answers, in all of their parts. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import { createEngine } from '../../../src/admin/diagnostics/engine.ts';
import { languageOf, preferredLanguage } from '../../../src/admin/language.ts';
import { silentLog } from '../../../src/runtime/log.ts';
import { say } from '../../../src/texts/text.ts';
import { fakeMachine } from './diagnostics/machine.ts';
import { loaded } from '../config/loaded.ts';
import { report, testAdmin, testDeps } from './fixture.ts';

const PREFERENCES: readonly [header: string, language: 'en' | 'de' | undefined][] = [
  ['', undefined],
  ['*', undefined],
  ['fr', undefined],
  ['de', 'de'],
  ['DE-at', 'de'],
  ['den', undefined],
  ['en-GB,en;q=0.9,de;q=0.8', 'en'],
  ['fr-CH, fr;q=0.9, en;q=0.8, de;q=0.7', 'en'],
  ['en;q=0.5, de', 'de'],
  ['de;q=0, en;q=0.1', 'en'],
  ['de;q=x', 'de'],
];
for (const [header, language] of PREFERENCES) {
  test(`Accept-Language "${header}": ${language}`, () => assert.equal(preferredLanguage(header), language));
}

test('Accept-Language: any value gives one of the languages or none', () => {
  fc.assert(
    fc.property(fc.string(), (header) =>
      assert.ok(['en', 'de', undefined].includes(preferredLanguage(header))),
    ),
  );
});

test("the page's cookie comes first, then the header, then English", () => {
  const cookie = 'tombolo_session=x; tombolo_language=de';
  assert.equal(languageOf({ cookie, 'accept-language': 'en' }), 'de');
  assert.equal(languageOf({ cookie: 'tombolo_language=fr', 'accept-language': 'de' }), 'de');
  assert.equal(languageOf({}), 'en');
});

const HOST = { name: 'web1', address: '2001:db8:1::10', hostnames: ['example.com'] };
const german = { 'accept-language': 'de-DE,de;q=0.9,en;q=0.8' };

async function setUp(t: TestContext) {
  const deps = await testDeps(t);
  await deps.store.replace(loaded(JSON.stringify({ hosts: [HOST] })));
  const diagnostics = createEngine(
    { ...deps, stateDirectory: '/nowhere', log: silentLog },
    {
      machine: fakeMachine({ lookUp: async () => ({ kind: 'none' }) }),
      probe: async ({ service, port }) => [
        {
          name: 'tcp',
          service,
          port,
          hostname: null,
          state: 'fail',
          latencyMs: 1,
          detail: say('A firewall refuses the connection to {where}.', { where: 'x' }),
          certificate: null,
        },
      ],
      mdnsName: async () => undefined,
      isOpen: async () => false,
      now: () => new Date(),
      monotonicMs: () => performance.now(),
    },
  );
  t.after(() => diagnostics[Symbol.dispose]());
  const admin = await testAdmin(t, { ...deps, diagnostics });
  const post = (url: string, body: object, headers: object = german) =>
    admin.request('POST', url, { 'content-type': 'application/json', ...headers }, JSON.stringify(body));
  return { ...admin, post };
}

test('checks: the same findings, in the language of each reader', async (t) => {
  const { request, post } = await setUp(t);
  const items = (await post('/api/checks/run', {})).json()['items'];
  const inEnglish = (await request('GET', '/api/checks')).json()['items'];
  const shape = ({ id, state, area }: Record<string, unknown>) => [id, state, area];
  assert.deepEqual(items.map(shape), inEnglish.map(shape));
  for (const [i, item] of items.entries()) {
    // Names are the same in every language.
    if (!/^(?:Server|Resolver) |^(?:Proxy|DNS64|NAT64|Firewall)$/.test(item.title))
      assert.notEqual(item.title, inEnglish[i].title);
    assert.notEqual(item.why, inEnglish[i].why);
    if (!item.what.startsWith('IPv4: ')) assert.notEqual(item.what, inEnglish[i].what);
    if (item.remedy !== null) assert.notEqual(item.remedy, inEnglish[i].remedy);
  }
  const server = items.find(({ id }: { id: string }) => id === 'server/web1');
  assert.match(server.what, /Eine Firewall lehnt die Verbindung zu x ab\./);
});

test('servers, their DNS records and the network', async (t) => {
  const { request, post } = await setUp(t);
  const host = (await post('/api/hosts/web1/check', {})).json();
  assert.match(host['health'].probes[0].detail, /Eine Firewall lehnt/);
  assert.match(host['dnsRecords'][0].note, /Führt IPv4-Clients zum Gerät\./);
  const { records } = (await request('GET', '/api/hosts/web1/dns-records', german)).json();
  assert.match(records[0].detail, /gibt es noch keinen A-Eintrag/);
  const { publicIpv4 } = (await request('GET', '/api/network', german)).json();
  assert.match(publicIpv4.text, /hat die öffentliche Adresse 192\.0\.2\.1 selbst/);
});

test('explain', async (t) => {
  const { post } = await setUp(t);
  const question = { from: '203.0.113.9', protocol: 'tcp', to: 'www.example.com', port: 443 };
  const { steps, outcome } = (await post('/api/explain', question)).json();
  assert.match(steps[0].text, /^Annahme: Der A-Eintrag von www\.example\.com/);
  assert.equal(outcome.text, 'Auf TCP-Port 443 lauscht hier nichts.');
  assert.equal(
    (await post('/api/explain', question, {})).json()['outcome'].text,
    'Nothing here listens on TCP port 443.',
  );
});

test('a page set to German by its cookie', async (t) => {
  const { post } = await setUp(t);
  const question = { from: '203.0.113.9', protocol: 'icmp', to: '192.0.2.1' };
  const headers = { cookie: 'tombolo_language=de', 'accept-language': 'en' };
  assert.equal(
    (await post('/api/explain', question, headers)).json()['outcome'].text,
    'Das Gerät selbst antwortet.',
  );
});

test('a configuration: what is wrong, where, and what is expected', async (t) => {
  const { post, request } = await setUp(t);
  const document = {
    hosts: [{ name: 'Web 1', address: '192.0.2.1', hostname: 'example.com' }],
    dns64: { prefixes: [] },
    admin: { port: '80' },
  };
  const { problems } = (await post('/api/config/check', { document })).json();
  assert.deepEqual(
    problems.map(({ path, message }: { path: string; message: string }) => `${path}: ${message}`),
    [
      '/hosts/0/name: "Web 1" passt nicht; erwartet: ein Name aus Kleinbuchstaben, Ziffern und Bindestrichen, höchstens 63 Zeichen',
      '/hosts/0/address: "192.0.2.1" passt nicht; erwartet: eine IPv6-Adresse wie 2001:db8:1::10',
      '/hosts/0/hostname: unbekanntes Feld "hostname"; vielleicht „hostnames“?',
      '/dns64/prefixes: eine leere Liste passt nicht; erwartet: eine Liste mit mindestens einem NAT64-Präfix',
      '/admin/port: "80" passt nicht; erwartet: eine Portnummer von 1 bis 65535',
    ],
  );
  assert.equal(problems[3].value, 'eine leere Liste');
  assert.equal(problems[4].expected, 'eine Portnummer von 1 bis 65535');
  const text = await post('/api/config/check', { document: '{"hosts": [},' });
  assert.match(text.json()['problems'][0].message, /^JSON-Syntax: gefunden "}", erwartet: ein Wert$/);
  const collision = await post('/api/config/check', {
    document: { admin: { listen: ['0.0.0.0'], port: 443 } },
  });
  assert.equal(
    collision.json()['problems'][0].message,
    '443 ist für die Weboberfläche, aber 443 ist für den Listener https (/proxy/listeners/1/port); erwartet: Ports, die nichts anderes benutzt',
  );
  const pasted = await post('/api/config/parse-hosts', { text: 'web9' });
  assert.match(pasted.json()['problems'][0].message, /^"web9" passt nicht; erwartet: eine Zeile wie „web1 /);
  const refused = await post('/api/config/apply', { document, revision: 'x' });
  assert.equal(refused.status, 412);
  assert.match(refused.json()['message'], /^Die Konfiguration wurde inzwischen geändert, zu Stand /);
  const { rows } = (await request('GET', '/api/config/revisions', german)).json();
  assert.equal(rows.at(-1).reason, 'Die Konfiguration des ersten Starts.');
});

const REFUSALS: readonly [
  method: 'GET' | 'POST' | 'DELETE',
  url: string,
  body: object | undefined,
  headers: object,
  status: number,
  message: string,
][] = [
  ['GET', '/api/nothing', undefined, {}, 404, 'Die API hat unter dieser Adresse nichts.'],
  ['GET', '/nothing.txt', undefined, {}, 404, 'Unter dieser Adresse gibt es nichts.'],
  [
    'GET',
    '/api/status',
    undefined,
    { authorization: '' },
    401,
    'Anmelden, oder ein API-Token als „Authorization: Bearer TOKEN“ senden.',
  ],
  [
    'GET',
    '/api/status',
    undefined,
    { authorization: 'Bearer x' },
    401,
    'Das ist kein Token dieses Geräts, oder es ist abgelaufen.',
  ],
  ['POST', '/api/hosts/web9/check', {}, {}, 404, 'In der Konfiguration gibt es keinen Server „web9“.'],
  ['POST', '/api/checks/run', { id: 'no-such' }, {}, 404, 'Eine Prüfung „no-such“ gibt es nicht.'],
  ['GET', '/api/nat64/pool', undefined, {}, 409, 'NAT64 läuft nicht; der Zustand des Dienstes sagt, warum.'],
  [
    'POST',
    '/api/first-run',
    { password: 'x' },
    {},
    400,
    '/password: passt nicht; erwartet: ein Passwort von 10 bis 256 Zeichen',
  ],
  [
    'POST',
    '/api/session',
    { password: 'correct horse' },
    {},
    409,
    'Noch hat niemand ein Passwort gesetzt; mit der Ersteinrichtung beginnen.',
  ],
  [
    'POST',
    '/api/explain',
    { from: '192.0.2.1', protocol: 'tcp', to: 'a.example' },
    {},
    400,
    '/port: fehlt; erwartet: eine Portnummer von 1 bis 65535',
  ],
  [
    'POST',
    '/api/restore?dryRun=true',
    { file: 'aGVsbG8=', passphrase: 'a passphrase' },
    {},
    400,
    'Diese Datei ist keine Tombolo-Sicherung: Sie beginnt mit etwas anderem.',
  ],
  ['DELETE', '/api/tokens/none', undefined, {}, 404, 'Ein Token „none“ gibt es nicht.'],
];
for (const [method, url, body, headers, status, message] of REFUSALS) {
  test(`refused in German: ${method} ${url}: ${message}`, async (t) => {
    const { request } = await testAdmin(t);
    const type = body === undefined ? {} : { 'content-type': 'application/json' };
    const payload = body === undefined ? undefined : JSON.stringify(body);
    const response = await request(method, url, { ...german, ...type, ...headers }, payload);
    assert.equal(response.status, status, response.body);
    assert.equal(response.json()['message'], message);
  });
}

test('the state of the services, their counters and events', async (t) => {
  const { deps, request } = await testAdmin(t, {
    services: () => [
      report('forward', { state: 'degraded', problem: say('starting'), figures: { fastPath: say('off') } }),
    ],
  });
  const [service] = (await request('GET', '/api/status', german)).json()['services'];
  assert.deepEqual([service.problem, service.figures.fastPath], ['startet gerade', 'aus']);
  deps.live.events.put(
    { kind: 'service', service: 'forward', state: 'degraded', problem: say('starting'), restarts: 0 },
    Date.now(),
  );
  assert.equal((await request('GET', '/api/events', german)).json()['events'][0].problem, 'startet gerade');
  assert.equal((await request('GET', '/api/events?text=start')).json()['events'][0].problem, 'starting');
});

test('the audit log is written in English, and read in the language of its reader', async (t) => {
  const { request, post, auth, stateDirectory } = await testAdmin(t);
  const body = { password: 'a quite long one' };
  const first = await post('/api/first-run', body);
  assert.equal(first.status, 200, first.body);
  const wrong = JSON.stringify({ password: 'another long one' });
  await request('POST', '/api/session', { ...german, 'content-type': 'application/json' }, wrong);
  await auth.audit.settled();
  assert.match(await readFile(join(stateDirectory, 'audit.jsonl'), 'utf8'), /The password is wrong\./);
  const { entries } = (await request('GET', '/api/audit', german)).json();
  assert.deepEqual(
    entries.map(({ summary, detail }: Record<string, unknown>) => [summary, detail]),
    [
      ['Meldet sich an', 'Das Passwort ist falsch.'],
      ['Setzt das erste Passwort und meldet sich an', null],
    ],
  );
  const inEnglish = (await request('GET', '/api/audit')).json()['entries'];
  assert.equal(inEnglish[0].detail, 'The password is wrong.');
});
