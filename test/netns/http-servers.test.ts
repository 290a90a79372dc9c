/** Real servers behind the proxy, asked by curl; http/network.ts draws the network. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { ensurePackages, PACKAGES } from '../../lab/packages.ts';
import { hostnameOf } from './http/addresses.ts';
import { type Network, startNetwork } from './http/network.ts';
import { patternBytes } from './http/pattern.ts';
import { LARGE_BYTES, SMALL } from './http/names.ts';
import { type WebServer, rootOf, startServers } from './http/servers.ts';

interface Habits {
  readonly title: string;
  readonly ranges: boolean;
  /** Says 100 before it reads a body. */
  readonly continues: boolean;
}

/** What each server does in its own way. */
const HABITS: Record<WebServer, Habits> = {
  nginx: { title: 'nginx', ranges: true, continues: true },
  apache: { title: 'Apache', ranges: true, continues: true },
  node: { title: 'node:http', ranges: true, continues: true },
  python10: { title: 'http.server of Python, HTTP/1.0', ranges: false, continues: false },
  python11: { title: 'http.server of Python, HTTP/1.1', ranges: false, continues: true },
};

describe('HTTP: real servers', { concurrency: false }, () => {
  let network: Network;
  before(async () => {
    ensurePackages(PACKAGES.test, console.log);
    network = await startNetwork();
    await startServers(network);
    writeFileSync(join(network.directory, 'upload.bin'), patternBytes(LARGE_BYTES, 1));
  });
  after(() => network?.[Symbol.asyncDispose]());

  /** Runs curl; `%{...}` of -w is behind the body. */
  const curl = async (...args: string[]) =>
    (await network.outside.run('curl', ['-sS', '-m', '50', ...args], { timeoutMs: 60_000 })).stdout;

  for (const name of Object.keys(HABITS) as WebServer[]) {
    const { title, ranges, continues } = HABITS[name];
    const url = (path: string) => `http://${hostnameOf(name)}/${path}`;
    const stored = (file: string) => readFileSync(join(rootOf(network, name), 'up', file));
    const work = (file: string) => join(network.directory, file);

    describe(title, { concurrency: false }, () => {
      it('GET, 404 and HEAD over one connection', async () => {
        const said = await curl(
          ...['-w', '%{http_code} %{num_connects}\n', '-o', '/dev/null', url('missing'), url('small.txt')],
          ...['--next', '-sS', '-I', '-w', '%{http_code} %{num_connects}\n', url('small.txt')],
        );
        assert.ok(said.startsWith(`404 1\n${SMALL}200 0\n`), said);
        assert.match(said, new RegExp(`^Content-Length: ${SMALL.length}\\r$`, 'im'));
        assert.match(said, /200 0\n$/);
      });

      it('a large file', async () => {
        const to = work(`down-${name}`);
        assert.equal(await curl('-o', to, '-w', '%{http_code}', url('large.bin')), '200');
        assert.ok(readFileSync(to).equals(patternBytes(LARGE_BYTES)), 'the content differs');
      });

      it('a large file for HTTP/1.0', async () => {
        const to = work(`down10-${name}`);
        assert.equal(await curl('--http1.0', '-o', to, '-w', '%{http_code}', url('large.bin')), '200');
        assert.ok(readFileSync(to).equals(patternBytes(LARGE_BYTES)), 'the content differs');
      });

      if (ranges) {
        it('a range', async () => {
          const range = ['-r', '1000000-1000999', '-o', work('range'), '-w', '%{http_code}'];
          assert.equal(await curl(...range, url('large.bin')), '206');
          const wanted = patternBytes(LARGE_BYTES).subarray(1_000_000, 1_001_000);
          assert.ok(readFileSync(work('range')).equals(wanted), 'the content differs');
        });
      }

      const chunks = ['-H', 'Transfer-Encoding: chunked'];
      // Without an answer curl sends the body after this time.
      const waits = ['-H', 'Expect: 100-continue', '--expect100-timeout', continues ? '40' : '1'];
      for (const [how, ...args] of [
        ['with a length', '-H', 'Expect:'],
        ['in chunks', '-H', 'Expect:', ...chunks],
        ['after 100', ...waits],
        ['in chunks after 100', ...waits, ...chunks],
      ]) {
        it(`a large upload ${how}`, async () => {
          const file = how.replaceAll(' ', '-');
          const status = await curl(
            ...[
              '-T',
              work('upload.bin'),
              ...args,
              '-o',
              '/dev/null',
              '-w',
              '%{http_code}',
              url(`up/${file}`),
            ],
          );
          assert.match(status, /^20[14]$/);
          assert.ok(stored(file).equals(patternBytes(LARGE_BYTES, 1)), 'the content differs');
        });
      }

      it('a small upload and its download over one connection', async () => {
        writeFileSync(work('small'), SMALL);
        const said = await curl(
          ...['-T', work('small'), '-o', '/dev/null', '-w', '%{num_connects} ', url('up/small')],
          ...['--next', '-sS', '-w', '%{http_code} %{num_connects}', url('up/small')],
        );
        assert.equal(said, `1 ${SMALL}200 0`);
      });
    });
  }

  it('nginx refuses an upload while it runs: 413 arrives', async () => {
    const { stdout } = await network.outside.attempt(
      'curl',
      [
        ...['-sS', '-m', '50', '-H', 'Expect:', '-T', join(network.directory, 'upload.bin')],
        ...['-o', '/dev/null', '-w', '%{http_code}', `http://${hostnameOf('nginx')}/limited/x`],
      ],
      { timeoutMs: 60_000 },
    );
    assert.equal(stdout, '413');
  });

  it('node:http echoes a body while it comes', async () => {
    const to = join(network.directory, 'echo');
    const url = `http://${hostnameOf('node')}/echo`;
    const chunks = ['-H', 'Transfer-Encoding: chunked', '-H', 'Expect:'];
    const file = join(network.directory, 'upload.bin');
    assert.equal(await curl('-X', 'POST', '-T', file, ...chunks, '-o', to, '-w', '%{http_code}', url), '200');
    assert.ok(readFileSync(to).equals(patternBytes(LARGE_BYTES, 1)), 'the content differs');
  });
});
