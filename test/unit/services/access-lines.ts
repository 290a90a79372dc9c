/** Reads the lines of an access log in a test. */
import assert from 'node:assert/strict';
import { waitUntil } from '../../../lab/wait.ts';
import type { LineOutput } from '../../../src/runtime/log-output.ts';

export type Line = Record<string, string | number | boolean | null>;

export interface Lines {
  readonly output: LineOutput;
  /** All lines so far, parsed. */
  all(): Line[];
  /** Waits for so many, and takes them. */
  take(count: number): Promise<Line[]>;
}

export function collectLines(): Lines {
  let text = '';
  const all = () =>
    text
      .split('\n')
      .slice(0, -1)
      .map((line) => {
        assert.match(line, /^[ -~]+$/);
        return JSON.parse(line) as Line;
      });
  return {
    output: { write: (more) => void (text += more), isBusy: false },
    all,
    async take(count) {
      await waitUntil(`${count} lines`, () => all().length >= count, { explain: () => text });
      const taken = all();
      assert.equal(taken.length, count, text);
      text = '';
      return taken;
    },
  };
}

/** What a line says of an HTTP request, without what differs from run to run. */
export function requestOf(line: Line): string {
  const { method, host, path, server, status, answeredBy, bytesUp, bytesDown, reason } = line;
  const flags = ['reused', 'retried', 'upgraded'].filter((flag) => line[flag] === true);
  return [
    `${method} ${host} ${path} -> ${server}: ${status} by ${answeredBy}, ${bytesUp} up ${bytesDown} down`,
    ...flags,
    ...(reason === null ? [] : [`(${reason})`]),
  ].join(' ');
}

/** What a line says of a connection. */
export const connectionOf = ({ service, listener, name, server, reason }: Line): string =>
  `${service} ${listener} ${name} -> ${server}: ${reason}`;
