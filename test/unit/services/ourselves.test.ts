/** Proxy and forwarder never connect to an address of the machine itself, in any form, even if it became ours later. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { type FollowedOurselves, followOurselves } from '../../../src/os/follow-ourselves.ts';
import { type Ourselves, compileOurselves } from '../../../src/os/ourselves.ts';
import { startForward } from '../../../src/services/forward/service.ts';
import { startProxy } from '../../../src/services/proxy/service.ts';
import { type IpPrefix, parseIpPrefix } from '../../../src/wire/ip-prefix.ts';
import { Cleanup, LIMITS, MAPPED, NOBODY, freePort, hostAt, receive } from '../net/support.ts';
import { captureClientHello } from '../wire/capture-client-hello.ts';
import { waitUntil } from '../../../lab/wait.ts';

const prefix = (text: string) => parseIpPrefix(text) as IpPrefix;

/** This machine; 2001:db8:64::/96 is a NAT64 prefix. */
function thisMachine(cleanup: Cleanup): FollowedOurselves {
  const followed = followOurselves([prefix('2001:db8:64::/96')]);
  cleanup.defer(() => followed[Symbol.dispose]());
  return followed;
}

/** Addresses of a server that lead to loopback here, whatever other addresses the machine has. */
const FORMS = [
  '::1',
  '::',
  '::ffff:127.0.0.1',
  '::ffff:127.9.9.9',
  '::ffff:0.0.0.0',
  '64:ff9b::127.0.0.1',
  '2001:db8:64::127.0.0.1',
];

const hello = await captureClientHello({ servername: 'example.com' });
/** A fatal internal_error (RFC 8446 section 6), as if a server cannot be reached. */
const INTERNAL_ERROR = '15030300020250';

/** A proxy for HTTP and TLS on 127.0.0.1, and on ::1 at the same ports, where the server is supposed to be. */
async function start(cleanup: Cleanup, address: string, ourselves: FollowedOurselves) {
  const [http, https] = [await freePort(), await freePort()];
  const proxy = cleanup.use(
    await startProxy(
      {
        proxy: {
          listen: ['127.0.0.1', '::1'],
          listeners: [
            { name: 'http', port: http, protocol: 'http' },
            { name: 'https', port: https, protocol: 'tls' },
          ],
          ...MAPPED,
          handshakeTimeoutMs: 10_000,
          responseTimeoutMs: 60_000,
          idleTimeoutMs: 60_000,
        },
        hosts: [hostAt('web1', { address, hostnames: ['example.com'], services: ['http', 'https'] })],
      },
      { ...cleanup.context, ourselves },
    ),
  );
  const say = async (port: number, bytes: string | Uint8Array) => {
    const client = await cleanup.connect(port);
    client.write(bytes);
    const { bytes: answer } = await receive(client);
    client.destroy();
    return answer;
  };
  return { proxy, http, https, say };
}

const descriptors = () => readdirSync('/proc/self/fd').length;

for (const address of FORMS) {
  test(`proxy: a server at ${address} is refused, and takes no further socket`, async () => {
    await using cleanup = new Cleanup();
    const { proxy, http, https, say } = await start(cleanup, address, thisMachine(cleanup));
    const before = descriptors();
    assert.equal((await say(https, hello)).toString('hex'), INTERNAL_ERROR);
    const answer = (await say(http, 'GET / HTTP/1.1\r\nHost: example.com\r\n\r\n')).toString();
    assert.match(answer, /^HTTP\/1\.1 502 /);
    assert.match(answer, /the address of the server is that of this proxy itself/);
    const { accepted, 'server-ourselves': refused, 'server-unreachable': unreachable } = proxy.counters();
    assert.deepEqual({ accepted, refused, unreachable }, { accepted: 2, refused: 2, unreachable: 0 });
    await waitUntil('the sockets of both clients are closed', () => descriptors() <= before);
  });

  test(`forward: a server at ${address} is refused, whatever the port`, async () => {
    await using cleanup = new Cleanup();
    let reached = 0;
    const panel = await cleanup.listen((socket) => {
      reached++;
      socket.end('the panel');
    });
    const port = await freePort();
    const forward = cleanup.use(
      await startForward(
        {
          forward: { listen: ['127.0.0.1'], sshPorts: `${port}`, limits: LIMITS },
          hosts: [hostAt('web1', { address, ssh: { targetPort: panel } })],
          reservedPorts: [],
        },
        { ...cleanup.context, ourselves: thisMachine(cleanup) },
      ),
    );
    const { bytes } = await receive(cleanup.open(port));
    assert.equal(bytes.length, 0);
    assert.equal(forward.counters()['server-ourselves'], 1);
    assert.equal(reached, 0);
  });
}

test('without this check one ClientHello loops: this shows what the tests above prevent', async () => {
  await using cleanup = new Cleanup();
  const { proxy, https } = await start(cleanup, '::1', NOBODY);
  const client = await cleanup.connect(https);
  client.write(hello);
  await waitUntil('the loop', () => proxy.counters()['accepted'] >= 20);
  client.destroy();
});

test('an address that becomes ours is refused from then on, and reached again when it is no longer ours', async () => {
  await using cleanup = new Cleanup();
  const listeners = new Set<(ourselves: Ourselves) => void>();
  let current: Ourselves = NOBODY.current;
  const ourselves: FollowedOurselves = {
    get current() {
      return current;
    },
    onChange(listener) {
      listeners.add(listener);
      return { [Symbol.dispose]: () => void listeners.delete(listener) };
    },
  };
  const become = (next: Ourselves) => {
    current = next;
    for (const listener of listeners) listener(next);
  };
  const target = await cleanup.listen((socket) => socket.end('a server'));
  const port = await freePort();
  const forward = cleanup.use(
    await startForward(
      {
        forward: { listen: ['127.0.0.1'], sshPorts: `${port}`, limits: LIMITS },
        hosts: [hostAt('web1', { ssh: { targetPort: target } })],
        reservedPorts: [],
      },
      { ...cleanup.context, ourselves },
    ),
  );
  const ask = async () => (await receive(cleanup.open(port))).bytes.toString();
  assert.equal(await ask(), 'a server');
  become(compileOurselves([], []));
  await waitUntil('the address is refused', async () => (await ask()) === '');
  become(NOBODY.current);
  await waitUntil('the address is reached', async () => (await ask()) === 'a server');
  await forward[Symbol.asyncDispose]();
  assert.equal(listeners.size, 0);
});
