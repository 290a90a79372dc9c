/** In which language the API answers, and that it does so in all of its parts. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import { createEngine } from '../../../src/admin/diagnostics/engine.ts';
import { languageOf, preferredLanguage } from '../../../src/admin/language.ts';
import { silentLog } from '../../../src/runtime/log.ts';
import { say } from '../../../src/texts/text.ts';
import { fakeMachine } from './diagnostics/machine.ts';
import { testAdmin, testDeps } from './fixture.ts';

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

test('Accept-Language: whatever it says, it is one of the languages or none', () => {
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
  await deps.store.replace(JSON.stringify({ hosts: [HOST] }));
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
    if (!/^(?:Server|Resolver) /.test(item.title)) assert.notEqual(item.title, inEnglish[i].title);
    assert.notEqual(item.why, inEnglish[i].why);
    if (!item.what.startsWith('IPv4: ')) assert.notEqual(item.what, inEnglish[i].what);
    if (item.mend !== null) assert.notEqual(item.mend, inEnglish[i].mend);
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
  assert.match(steps[0].text, /^Angenommen wird, dass www\.example\.com hierher führt/);
  assert.equal(outcome.text, 'Auf TCP-Port 443 lauscht hier nichts.');
  assert.equal(
    (await post('/api/explain', question, {})).json()['outcome'].text,
    'Nothing here listens on TCP port 443.',
  );
});

test('a page that was set to German by its cookie', async (t) => {
  const { post } = await setUp(t);
  const question = { from: '203.0.113.9', protocol: 'icmp', to: '192.0.2.1' };
  const headers = { cookie: 'tombolo_language=de', 'accept-language': 'en' };
  assert.equal(
    (await post('/api/explain', question, headers)).json()['outcome'].text,
    'Das Gerät selbst antwortet.',
  );
});
