import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import {
  AF_UNIX,
  MSG_DONTWAIT,
  POLLIN,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
  bind,
  check,
  close,
  pinned,
  poll,
  recvfrom,
  socket,
} from '../../../src/os/libc.ts';
import { connectServiceManager, encodeUnixAddress } from '../../../src/os/sd-notify.ts';

const directory = mkdtempSync(join(tmpdir(), 'tombolo-notify-'));
after(() => rmSync(directory, { recursive: true }));

/** The end of the socket that systemd has. */
function listen(path: string) {
  const fd = check(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), 'socket');
  const address = encodeUnixAddress(path);
  check(bind(fd, address, address.length), `bind ${path}`);
  const buffer = pinned(256);
  const receive = (): string | undefined => {
    const bytes = recvfrom(fd, buffer, buffer.length, MSG_DONTWAIT, null, null);
    return bytes < 0 ? undefined : new TextDecoder().decode(buffer.subarray(0, bytes));
  };
  return {
    receive,
    /** Blocks the thread, so it can only wait for messages that are already on their way. */
    waitMs(timeoutMs: number) {
      const entry = pinned(8);
      const view = new DataView(entry.buffer);
      view.setInt32(0, fd, true);
      view.setInt16(4, POLLIN, true);
      return poll(entry, 1, timeoutMs);
    },
    [Symbol.dispose]: () => void close(fd),
  };
}

const SOCKETS = [
  ['a path', join(directory, 'notify')],
  ['an abstract name', `@tombolo-test-${process.pid}`],
  ['the longest path', join(directory, 'x'.repeat(107 - directory.length - 1))],
] as const;

describe('sd_notify', () => {
  for (const [title, path] of SOCKETS) {
    test(`${title}: READY, STOPPING`, () => {
      using systemd = listen(path);
      using manager = connectServiceManager({ NOTIFY_SOCKET: path });
      assert.equal(manager.watchdogIntervalMs, undefined);
      manager.ready();
      manager.stopping(18_000);
      assert.equal(systemd.receive(), 'READY=1');
      assert.equal(systemd.receive(), 'STOPPING=1\nEXTEND_TIMEOUT_USEC=18000000');
      assert.equal(systemd.receive(), undefined);
    });
  }

  test('the watchdog is fed only while the event loop runs', async () => {
    const path = `@tombolo-watchdog-${process.pid}`;
    using systemd = listen(path);
    using manager = connectServiceManager({
      NOTIFY_SOCKET: path,
      WATCHDOG_USEC: '40000',
      WATCHDOG_PID: String(process.pid),
    });
    assert.equal(manager.watchdogIntervalMs, 20);
    assert.equal(systemd.waitMs(100), 0, 'nothing while the loop is blocked');
    for (let fed = 0; fed < 3; ) {
      await new Promise((resolve) => setTimeout(resolve, 1));
      const message = systemd.receive();
      if (message === undefined) continue;
      assert.equal(message, 'WATCHDOG=1');
      fed++;
    }
  });

  test('a long start gets more time until it is finished', (t) => {
    t.mock.timers.enable({ apis: ['setInterval'] });
    const path = `@tombolo-start-${process.pid}`;
    using systemd = listen(path);
    using manager = connectServiceManager({ NOTIFY_SOCKET: path });
    assert.equal(systemd.receive(), undefined);
    t.mock.timers.tick(20_000);
    for (let sign = 0; sign < 2; sign++) assert.equal(systemd.receive(), 'EXTEND_TIMEOUT_USEC=60000000');
    manager.ready();
    assert.equal(systemd.receive(), 'READY=1');
    t.mock.timers.tick(20_000);
    assert.equal(systemd.receive(), undefined);
  });

  const NO_WATCHDOG: [string, NodeJS.ProcessEnv][] = [
    ['not requested', {}],
    ['for another process', { WATCHDOG_USEC: '40000', WATCHDOG_PID: '1' }],
    ['not a number', { WATCHDOG_USEC: 'soon' }],
    ['zero', { WATCHDOG_USEC: '0' }],
  ];
  for (const [title, environment] of NO_WATCHDOG) {
    test(`no watchdog: ${title}`, () => {
      using manager = connectServiceManager({ NOTIFY_SOCKET: '/run/none', ...environment });
      assert.equal(manager.watchdogIntervalMs, undefined);
    });
  }

  test('without a socket nothing is sent and nothing fails', () => {
    using manager = connectServiceManager({ WATCHDOG_USEC: '40000' });
    assert.equal(manager.watchdogIntervalMs, undefined);
    manager.ready();
    manager.stopping(18_000);
  });

  test('a socket without a receiver: READY throws with its name, STOPPING does not', () => {
    using manager = connectServiceManager({ NOTIFY_SOCKET: '/run/tombolo-none/notify' });
    assert.throws(() => manager.ready(), /notify systemd at "\/run\/tombolo-none\/notify": ENOENT/);
    manager.stopping(18_000);
  });

  for (const path of ['notify', '@', `/${'x'.repeat(107)}`, `@${'x'.repeat(108)}`, '/a\0b']) {
    test(`refused: ${JSON.stringify(path.slice(0, 12))} of ${path.length}`, () => {
      assert.throws(() => connectServiceManager({ NOTIFY_SOCKET: path }), /expected/);
    });
  }
});
