/** The services do not depend on the panel: if its port is taken, everything else runs, and the problem is still shown. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { Cleanup, freePort, receive } from '../net/support.ts';
import { PATIENCE_MS, type StatusLike, spawnAppliance } from './appliance.ts';
import { waitUntil } from '../../../lab/wait.ts';

test("another program uses the panel's port: the rest serves, the screen and the command line report it, and the port is opened when it is free", async () => {
  await using cleanup = new Cleanup();
  const [panel, tls, taken] = [await freePort(), await freePort(), await freePort()];
  const holders = [panel, taken].map((port) =>
    createServer((socket) => void socket.destroy()).listen(port, '127.0.0.1'),
  );
  cleanup.defer(() => holders.forEach((holder) => holder.close()));
  await Promise.all(holders.map((holder) => once(holder, 'listening')));
  const appliance = spawnAppliance(cleanup, {
    hosts: [
      {
        name: 'a',
        address: '2001:db8:1::10',
        hostnames: ['example.com'],
        services: ['free', 'taken'],
        ssh: false,
      },
    ],
    proxy: {
      listen: ['127.0.0.1'],
      listeners: [
        { name: 'free', port: tls, protocol: 'tls' },
        { name: 'taken', port: taken, protocol: 'tls' },
      ],
    },
    dns64: { enabled: false },
    forward: { sshPorts: '2201-2210' },
    nat64: { enabled: false },
    admin: { listen: ['127.0.0.1'], port: panel, allow: ['127.0.0.0/8'] },
    shutdownSeconds: 0,
  });
  await appliance.logged('started');
  assert.ok(appliance.has('admin: cannot listen') || appliance.log().includes('EADDRINUSE'), appliance.log());

  const client = await cleanup.connect(tls);
  client.write('GET / HTTP/1.1\r\n\r\n');
  assert.ok((await receive(client)).bytes.length > 0, 'the proxy answers');

  const screen = () =>
    JSON.parse(readFileSync(join(appliance.stateDirectory, 'console.json'), 'utf8')) as StatusLike & {
      problem: string;
    };
  const isReported = () => [panel, taken].every((port) => hasOwner(port).test(screen().problem));
  const hasOwner = (port: number) =>
    new RegExp(`127\\.0\\.0\\.1:${port}[^;]*taken by [^;]*process ${process.pid}\\)`);
  // The file is written when the panel has started.
  await waitUntil(
    'the screen',
    () => existsSync(join(appliance.stateDirectory, 'console.json')) && isReported(),
    { timeoutMs: PATIENCE_MS },
  );
  const { exitCode, answer, stderr } = await appliance.cliStatus();
  assert.equal(exitCode, 5, stderr);
  assert.deepEqual([answer?.status, answer?.services], [screen().status, screen().services]);

  holders[0].close();
  await waitUntil(
    'the panel',
    async () => (await appliance.get(panel, '/api/health').catch(() => undefined))?.status === 200,
    { timeoutMs: PATIENCE_MS },
  );
  const status = (await (await appliance.get(panel, '/api/status')).json()) as StatusLike;
  assert.equal(status.services.find(({ name }) => name === 'admin')?.state, 'running');
  assert.match(status.services.find(({ name }) => name === 'proxy')?.problem ?? '', hasOwner(taken));
  const events = (await (await appliance.get(panel, '/api/events?kind=notice')).json()) as {
    events: { text: string }[];
  };
  assert.ok(
    events.events.some(({ text }) => text.includes(`127.0.0.1:${panel}`)),
    JSON.stringify(events),
  );

  // A change that moves the panel to a port in use is refused with the reason.
  const config = (await (await appliance.get(panel, '/api/config')).json()) as {
    revision: string;
    document: { admin: object };
  };
  const response = await fetch(`http://127.0.0.1:${panel}/api/config/apply`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${appliance.token()}`,
      'content-type': 'application/json',
      connection: 'close',
    },
    body: JSON.stringify({
      document: {
        ...config.document,
        proxy: { listeners: [] },
        hosts: [],
        admin: { ...config.document.admin, port: taken },
      },
      revision: config.revision,
      confirmSeconds: 0,
    }),
  });
  const refused = await response.text();
  assert.ok(response.status >= 400, refused);
  assert.match(refused, new RegExp(`could not listen on 127\\.0\\.0\\.1:${taken}`));
  assert.equal((await appliance.get(panel, '/api/health')).status, 200);
  appliance.process.kill('SIGTERM');
  assert.equal(await appliance.ended(), 0);
});
