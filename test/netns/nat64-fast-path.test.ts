/**
 * The kernel's part of NAT64. First its program, packet by packet, compared with our thread's translation of the same packet
 * (nat64/program-tests.ts): the committed object and, if there is a compiler, an object compiled from the present source. Then
 * the running program between real stacks:
 *
 *   island ----------- appliance --------------- router ------------------ internet
 *   2001:db8:1::10     2001:db8:1::1             198.51.100.254            203.0.113.9
 *                      198.51.100.1
 *
 * (the topology of nat64/topology.ts). Needs Linux 6.6: on an older kernel the tests fail, and report it.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { OBJECT_FILE } from '../../src/services/nat64/kernel/fast-path-record.ts';
import { SUMS_FILE, compileBpf, compilerVersion, mayCompile } from '../../tools/build-bpf.ts';
import { testProgram } from './nat64/program-tests.ts';
import { ping } from './nat64/programs.ts';
import { type Appliance, INTERNET6, type Topology, createTopology } from './nat64/topology.ts';
import { translate } from '../../src/texts/text.ts';
import { waitUntil } from '../../lab/wait.ts';

describe('the program in the kernel', () => testProgram(OBJECT_FILE));

describe('the program, compiled anew', { skip: mayCompile() ? false : 'no clang here' }, () => {
  const directory = mkdtempSync(join(tmpdir(), 'tombolo-bpf-'));
  const file = join(directory, 'fast-path.bpf.o');
  before(() => compileBpf(file));
  after(() => rmSync(directory, { recursive: true }));

  test('the compiler that made the committed object makes it again', (t) => {
    if (!readFileSync(SUMS_FILE, 'utf8').startsWith(`# ${compilerVersion()}\n`))
      return t.skip(`made by another: ${compilerVersion()}`);
    assert(readFileSync(file).equals(readFileSync(OBJECT_FILE)));
  });
  testProgram(file);
});

const BYTES = 40_000_000;
const SERVER = `
  const { createHash, randomBytes } = require('crypto');
  require('net').createServer({ allowHalfOpen: true }, (socket) => {
    const data = randomBytes(${BYTES});
    socket.on('error', () => {});
    socket.on('data', () => {});
    socket.on('end', () => socket.end());
    socket.write(createHash('sha256').update(data).digest());
    socket.write(data);
  }).listen(8080, '0.0.0.0', () => console.log('ready'));
  const echo = require('dgram').createSocket('udp4');
  echo.on('message', (message, { port, address }) => echo.send(message, port, address));
  echo.bind(5300);`;
const download = `
  const hash = require('crypto').createHash('sha256');
  const socket = require('net').connect(8080, '${INTERNET6}');
  let first = Buffer.alloc(0), got = 0;
  socket.on('data', (chunk) => {
    const missing = 32 - first.length;
    first = Buffer.concat([first, chunk.subarray(0, missing)]);
    hash.update(chunk.subarray(missing));
    got += chunk.length;
    if (got === ${BYTES} + 32) {
      console.log(hash.digest().equals(first) ? 'intact' : 'damaged');
      socket.end();
    }
  });`;
/** Sends datagrams and gets them back, one every two milliseconds, until it is killed; prints how many came back. */
const chatter = `
  const socket = require('dgram').createSocket('udp6');
  let answers = 0;
  socket.on('message', () => console.log(++answers));
  setInterval(() => socket.send('x', 5300, '${INTERNET6}'), 2);`;

describe('the kernel and our thread together', () => {
  let net: Topology;
  let appliance: Appliance;
  before(async () => {
    net = await createTopology();
    const server = net.start('internet', process.execPath, '-e', SERVER);
    await new Promise<void>((resolve) => server.stdout?.once('data', () => resolve()));
    appliance = await net.startAppliance();
  });
  after(() => net?.[Symbol.asyncDispose]());
  const node = (script: string) => net.run('island', process.execPath, '-e', script);
  const counter = async (name: string) => (await appliance.counters())[name];

  test('it is on the devices that have addresses, and follows changes of them', async () => {
    const devices = async () =>
      String(translate((await appliance.status()).figures)['fastPath'])
        .split(', ')
        .sort();
    await waitUntil('all three', async () => (await devices()).join() === 'lan,lan2,wan');
    await net.run(
      'appliance',
      'ip',
      'link',
      'add',
      'extra',
      'up',
      'type',
      'veth',
      'peer',
      'name',
      'other-end',
    );
    await net.run('appliance', 'ip', 'address', 'add', '192.0.2.1/24', 'dev', 'extra');
    await net.run('appliance', 'ip', 'link', 'set', 'other-end', 'up');
    await waitUntil('the new device', async () => (await devices()).includes('extra'));
    await net.run('appliance', 'ip', 'link', 'del', 'extra');
    await waitUntil('without the device', async () => !(await devices()).includes('extra'));
  });

  test('a download arrives intact, nearly all of it through the kernel, and its flow is taken back', async () => {
    assert.equal((await node(download)).trim(), 'intact');
    await waitUntil('counted', async () => (await counter('packets-fast-path')) > (BYTES / 1500) * 0.8);
    await waitUntil(
      'taken back',
      async () => (await counter('flows-taken-back')) === (await counter('flows-handed-over')),
    );
    const { 'packets-4to6': all, 'packets-fast-path': fast } = await appliance.counters();
    assert(all > fast / 2);
  });

  test('known flows continue while the process is stopped, and are handed over again after the worker has died', async () => {
    const child = net.start('island', process.execPath, '-e', chatter);
    let answers = 0;
    child.stdout?.on('data', (text: Buffer) => {
      answers = Number(text.toString().trim().split('\n').at(-1));
    });
    const handedOver = await counter('flows-handed-over');
    await waitUntil('handed over', async () => (await counter('flows-handed-over')) > handedOver);
    appliance.pause();
    try {
      const before = answers;
      await waitUntil('answers meanwhile', async () => answers > before + 100);
    } finally {
      appliance.resume();
    }
    await appliance.ask({ ask: 'fail' });
    await waitUntil('restarted', async () => (await appliance.status()).restarts === 1);
    const before = answers;
    await waitUntil('answers', async () => answers > before + 20);
    // The new worker takes over the maps empty; the flow is handed over again.
    await waitUntil('handed over again', async () => (await counter('flows-handed-over')) > handedOver + 1);
    child.kill('SIGKILL');
  });

  test('a source that is no longer allowed is refused at once, with or without a flow', async () => {
    const child = net.start('island', process.execPath, '-e', chatter);
    const handedOver = await counter('flows-handed-over');
    await waitUntil('handed over', async () => (await counter('flows-handed-over')) > handedOver);
    await appliance.ask({ ask: 'reconfigure', nat64: { allow: ['2001:db8:3::/64'] } });
    const refused = await counter('drop-not-allowed');
    // The kernel's counters are read once a second.
    await waitUntil('taken over', async () => (await counter('drop-not-allowed')) > refused + 600);
    const fast = await counter('packets-fast-path');
    await waitUntil('more refused', async () => (await counter('drop-not-allowed')) > refused + 1200);
    assert.equal(await counter('packets-fast-path'), fast);
    child.kill('SIGKILL');
    await appliance.ask({ ask: 'reconfigure', nat64: {} });
  });

  test('when it is switched off, our thread translates every packet', async () => {
    await appliance.ask({ ask: 'reconfigure', nat64: { fastPath: false } });
    assert.equal(translate((await appliance.status()).figures)['fastPath'], 'off');
    const fast = await counter('packets-fast-path');
    assert.equal((await node(download)).trim(), 'intact');
    assert.equal(await counter('packets-fast-path'), fast);
  });

  test('without the right to load programs it is off and reports why, and everything else works', async () => {
    await appliance.stop();
    const lost = '-bpf,-sys_admin';
    const wrapper = ['setpriv', '--no-new-privs', `--bounding-set=${lost}`, `--inh-caps=${lost}`];
    appliance = await net.startAppliance({}, ...wrapper);
    const { state, figures } = await appliance.status();
    assert.equal(state, 'running');
    assert.match(String(translate(figures)['fastPath']), /^off: .*EPERM$/);
    assert.equal((await node(download)).trim(), 'intact');
    assert.equal(await counter('packets-fast-path'), 0);
    await appliance.stop();
    appliance = await net.startAppliance();
  });

  test('after a stop no program is left behind', async () => {
    await appliance.ask({ ask: 'reconfigure', nat64: {} });
    await appliance.stop();
    await ping(net, 'internet', '198.51.100.1');
  });
});
