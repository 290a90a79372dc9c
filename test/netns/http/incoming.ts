/** What a socket has received, compared with what it must have received: without a Date that the proxy has added. */
import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { withoutAddedDate } from '../../added-date.ts';
import type { OwnAnswer } from './row.ts';

/** How long a byte may be awaited: long enough for a busy machine. No right answer takes this long. */
const PATIENCE_MS = 15_000;

/** For error messages. */
const KEPT_BYTES = 100_000;

export interface Incoming {
  /** Takes exactly these bytes; rejects when others come, or too few. */
  takeExactly(text: string): Promise<void>;
  /** Takes a head, whatever it says, and returns it. */
  takeHead(): Promise<string>;
  /** Takes everything until the end, which must be the beginning of this text, or all of it. */
  takeAtMost(text: string): Promise<void>;
  /** Takes one of our own answers, and returns its head. */
  takeOwnAnswer(expected: OwnAnswer): Promise<string>;
  /** Resolves when the peer has ended or reset the connection. */
  ended(timeoutMs?: number, what?: string): Promise<void>;
  /** How the peer ended it; undefined before. */
  readonly how: 'end' | 'reset' | undefined;
  ignoreRest(): void;
  assertNothingLeft(who?: string): void;
  /** For error messages. */
  shown(): string;
}

export function createIncoming(socket: Socket): Incoming {
  let bytes = '';
  let total = '';
  let how: Incoming['how'];
  let isIgnored = false;
  let wake = () => {};
  socket.on('data', (chunk: Buffer) => {
    if (isIgnored) return;
    bytes = withoutAddedDate(bytes + chunk.toString('latin1'));
    if (total.length < KEPT_BYTES) total += chunk.toString('latin1');
    wake();
  });
  const end = (manner: 'end' | 'reset') => {
    how ??= manner;
    wake();
  };
  socket.on('end', () => end('end'));
  socket.on('error', () => end('reset'));
  socket.on('close', () => end('reset'));

  /** Waits until `isDone` or the end of the connection. */
  async function until(isDone: () => boolean, what: () => string, timeoutMs = PATIENCE_MS): Promise<void> {
    const deadline = performance.now() + timeoutMs;
    while (!isDone()) {
      const left = deadline - performance.now();
      if (left <= 0) throw new Error(`${what()}\nnot within ${timeoutMs} ms; all that came:\n${shown()}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  const shown = () =>
    `${JSON.stringify(total.length > 6000 ? `${total.slice(0, 6000)}...` : total)}${how === undefined ? '' : ` (${how})`}`;
  const isBeginning = (text: string) => text.startsWith(bytes.slice(0, text.length));

  async function takeHead(): Promise<string> {
    await until(
      () => bytes.includes('\r\n\r\n') || how !== undefined,
      () => 'waited for a head',
    );
    const end = bytes.indexOf('\r\n\r\n') + 4;
    assert.ok(end > 3, `no head: ${shown()}`);
    const head = bytes.slice(0, end);
    bytes = bytes.slice(end);
    return head;
  }

  return {
    async takeExactly(text) {
      await until(
        () => bytes.length >= text.length || !isBeginning(text) || how !== undefined,
        () => `waited for ${JSON.stringify(text.slice(0, 6000))}`,
      );
      // A readable difference instead of two long lines.
      if (!bytes.startsWith(text)) assert.equal(bytes.slice(0, text.length + 200), text);
      bytes = bytes.slice(text.length);
    },
    async takeAtMost(text) {
      await until(
        () => how !== undefined || !isBeginning(text),
        () => 'waited for the end of the connection',
      );
      assert.ok(
        isBeginning(text) && bytes.length <= text.length,
        `got more than ${JSON.stringify(text.slice(0, 6000))}:\n${shown()}`,
      );
      bytes = '';
    },
    takeHead,
    async takeOwnAnswer({ status, isHead }) {
      const head = await takeHead();
      const got = Number(/^HTTP\/1\.1 (\d{3}) [^\r\n]*\r\n/.exec(head)?.[1]);
      assert.ok([status].flat().includes(got), `wanted ${[status].flat().join(' or ')}, got ${shown()}`);
      const length = Number(/\r\nContent-Length: (\d+)\r\n/i.exec(head)?.[1]);
      assert.ok(length >= 0, `no Content-Length in ${head}`);
      if (isHead === true) return head;
      await until(
        () => bytes.length >= length || how !== undefined,
        () => `waited for the ${length} bytes of our own answer`,
      );
      assert.ok(bytes.length >= length, `our own answer is cut off: ${shown()}`);
      bytes = bytes.slice(length);
      return head;
    },
    async ended(timeoutMs, what = 'waited for the end of the connection') {
      await until(
        () => how !== undefined,
        () => what,
        timeoutMs,
      );
    },
    get how() {
      return how;
    },
    ignoreRest() {
      isIgnored = true;
      bytes = '';
    },
    assertNothingLeft(who = '') {
      assert.equal(bytes, '', `${who}: more came than it should get`);
    },
    shown,
  };
}
