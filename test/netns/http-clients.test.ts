/** Real clients in front of the proxy; http/network.ts draws the network. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { ensurePackages, PACKAGES } from '../../lab/packages.ts';
import { hostnameOf } from './http/addresses.ts';
import { type Network, startNetwork } from './http/network.ts';
import { SMALL } from './http/names.ts';
import { startServers } from './http/servers.ts';

const SCRIPTS = join(import.meta.dirname, 'http/clients');
const NGINX = `http://${hostnameOf('nginx')}`;
const NODE = `http://${hostnameOf('node')}`;
const PYTHON = `http://${hostnameOf('python11')}`;
/** A file with the body that ab posts. */
const FORM = 'FORM';

interface Client {
  readonly title: string;
  readonly command: readonly string[];
  /** In its output, errors included. */
  readonly expect: readonly RegExp[];
  readonly refuse?: readonly RegExp[];
}

const number = (text: string) => new RegExp(`^${text}$`, 'm');
const bench = (title: string, requests: number, kept: number, ...args: string[]): Client => ({
  title,
  command: ['ab', '-n', String(requests), '-c', '16', ...args],
  expect: [
    number(`Complete requests: +${requests}`),
    number('Failed requests: +0'),
    ...(kept > 0 ? [number(`Keep-Alive requests: +${kept}`)] : []),
  ],
  refuse: [/Non-2xx/, /errors/i],
});
const node = (...args: string[]) => [process.execPath, join(SCRIPTS, 'agents.ts'), ...args];
const python = (...args: string[]) => ['/usr/bin/python3', join(SCRIPTS, 'agents.py'), ...args];

const CLIENTS: readonly Client[] = [
  {
    title: 'curl: 20 requests over one connection',
    command: ['curl', '-sS', '-w', '%{http_code} %{num_connects}\n', `${NGINX}/small.txt?[1-20]`],
    expect: [new RegExp(`^${SMALL}200 1\n(${SMALL}200 0\n){19}$`)],
  },
  {
    title: 'curl: HTTP/1.0, kept',
    command: [
      ...['curl', '-sS', '--http1.0', '-H', 'Connection: keep-alive', '-w', '%{http_code} %{num_connects}\n'],
      `${NGINX}/small.txt?[1-3]`,
    ],
    expect: [new RegExp(`^${SMALL}200 1\n(${SMALL}200 0\n){2}$`)],
  },
  {
    title: 'curl: in parallel to two servers',
    command: [
      ...['curl', '-sS', '-Z', '--parallel-max', '8', '-w', '%{http_code}\n', '-o', '/dev/null'],
      `http://{nginx,node}.example.com/small.txt?[1-20]`,
    ],
    expect: [/(^|\n)200\n/],
    refuse: [/^[013-9]\d\d$/m, /curl:/],
  },
  {
    title: 'curl: chunks of a pipe',
    command: ['sh', '-c', `head -c 1000000 /dev/zero | curl -sS -T - -X POST ${NODE}/echo | wc -c`],
    expect: [/^1000000$/m],
  },
  {
    title: 'wget: several files over one connection',
    command: [
      'wget',
      '--no-config',
      '--no-hsts',
      '-d',
      '-O',
      '-',
      ...[1, 2, 3].map((i) => `${NGINX}/small.txt?${i}`),
    ],
    expect: [/Reusing existing connection[\s\S]*Reusing existing connection/],
    refuse: [/ERROR/],
  },
  bench('ab -k', 2000, 2000, '-k', `${NGINX}/small.txt`),
  bench('ab -k: POST', 500, 500, '-k', '-p', FORM, '-T', 'application/x-www-form-urlencoded', `${PYTHON}/`),
  bench('ab: a connection for each request', 500, 0, `${NGINX}/small.txt`),
  bench('ab -k: HEAD', 500, 500, '-k', '-i', `${NGINX}/small.txt`),
  {
    title: 'wrk',
    command: ['wrk', '-t', '2', '-c', '16', '-d', '3s', `${NGINX}/small.txt`],
    expect: [/requests in/],
    refuse: [/Socket errors/, /Non-2xx/],
  },
  {
    title: 'node:http with an agent',
    command: node('agent', '300'),
    // Agents keep their sockets by the address, which all of these servers share. On a busy machine the answer to a POST may begin
    // before the client has sent all of it: such a connection ends with its answer.
    expect: [/^ok (?:[1-9]|[1-5]\d|6[0-4]) connections$/m],
  },
  { title: 'fetch of Node', command: node('fetch', '300'), expect: [/^ok$/m] },
  { title: 'WebSocket of Node', command: node('websocket', '60'), expect: [/^ok$/m] },
  {
    title: 'urllib3 of Python',
    command: python('urllib3', '300'),
    expect: [/^ok (?:[1-9]|[1-6]\d) connections$/m],
  },
  { title: 'http.client of Python', command: python('http.client', '100'), expect: [/^ok 1 connections$/m] },
];

describe('HTTP: real clients', { concurrency: false }, () => {
  let network: Network;
  before(async () => {
    ensurePackages(PACKAGES.test, console.log);
    network = await startNetwork();
    await startServers(network, ['nginx', 'node', 'python11']);
    writeFileSync(join(network.directory, FORM), 'a=1&b=2');
  });
  after(() => network?.[Symbol.asyncDispose]());

  for (const { title, command, expect, refuse = [] } of CLIENTS) {
    it(title, async () => {
      const [program, ...args] = command.map((arg) => (arg === FORM ? join(network.directory, FORM) : arg));
      const { code, stdout, stderr } = await network.outside.attempt(program, args, { timeoutMs: 120_000 });
      const output = stdout + stderr;
      assert.equal(code, 0, output);
      for (const pattern of expect) assert.match(output, pattern);
      for (const pattern of refuse) assert.doesNotMatch(output, pattern);
    });
  }
});
