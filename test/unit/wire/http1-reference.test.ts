/** The parsers on bytes against the naive ones on strings: the same verdicts, and the same messages sent on. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createClientFields } from '../../../src/wire/http1/client-fields.ts';
import {
  CHUNKED,
  FIELD_SHIFT,
  Field,
  Method,
  type MessageHead,
  UNTIL_CLOSE,
  createMessageHead,
  hostText,
  latin1Text,
  targetText,
} from '../../../src/wire/http1/head.ts';
import { parseRequest } from '../../../src/wire/http1/request.ts';
import { parseResponse } from '../../../src/wire/http1/response.ts';
import { writeRequestHead, writeResponseHead } from '../../../src/wire/http1/write.ts';
import {
  type HttpField,
  fieldValues,
  findHeadEnd,
  listMembers,
  parseRequestHead,
} from './naive/http-head.ts';
import { parseResponseHead } from './naive/http-response.ts';
import { parseIpAddress } from '../../../src/wire/ip-address.ts';
import { NAMES, requestHeads, responseHeads } from './http1-arbitrary.ts';

const RUNS = { numRuns: 5000 };
const head = createMessageHead();
const CLIENT = createClientFields(parseIpAddress('192.0.2.1')!, 'http');

const FRAMING = /^(content-length|transfer-encoding)$/i;
const HOP_BY_HOP = /^(connection|keep-alive|upgrade|te|proxy-connection|http2-settings)$/i;

/** With room behind the head for what is written. */
function bufferOf(text: string): Buffer {
  const bytes = Buffer.alloc(text.length + 8192);
  bytes.write(text, 'latin1');
  return bytes;
}

function fieldsOf({ fields, fieldCount }: MessageHead, bytes: Uint8Array): HttpField[] {
  return Array.from({ length: fieldCount }, (_, i) => {
    const row = i << FIELD_SHIFT;
    return {
      name: latin1Text(bytes, fields[row + Field.lineStart], fields[row + Field.nameEnd]),
      value: latin1Text(bytes, fields[row + Field.valueStart], fields[row + Field.valueEnd]),
    };
  });
}

/** All of it, as plain data. */
const contentOf = (head: MessageHead) => ({
  ...head,
  fields: Array.from(head.fields.subarray(0, head.fieldCount << FIELD_SHIFT)),
});

const optionsOf = (options: ReadonlySet<string>) => [
  options.has('close'),
  options.has('keep-alive'),
  options.has('upgrade'),
];
const flagsOf = (head: MessageHead) => [
  head.connectionClose,
  head.connectionKeepAlive,
  head.connectionUpgrade,
];

test('requests: as the reference', () => {
  let accepted = 0;
  fc.assert(
    fc.property(requestHeads, (text) => {
      const bytes = bufferOf(text);
      const end = parseRequest(head, bytes, 0, text.length);
      const naiveEnd = findHeadEnd(bytes.subarray(0, text.length), 0);
      if (naiveEnd === -1) return assert.ok(end <= 0);
      const naive = parseRequestHead(bytes.subarray(0, naiveEnd));
      if ('kind' in naive) return assert.equal(end, -1, naive.reason);
      accepted++;
      const { connectionOptions, ...message } = naive;
      assert.equal(end, naiveEnd, `${head.fault?.reason}`);
      assert.deepEqual(
        {
          method: latin1Text(bytes, head.start, head.methodEnd),
          target: targetText(head, bytes),
          minorVersion: head.minorVersion,
          authority: latin1Text(bytes, head.authorityStart, head.authorityEnd),
          host: hostText(head, bytes),
          fields: fieldsOf(head, bytes),
          contentLength: head.bodyBytes === CHUNKED ? undefined : head.bodyBytes,
        },
        message,
      );
      assert.deepEqual(flagsOf(head), optionsOf(connectionOptions));
      const passing = naive.fields.filter(({ name }) => {
        const known = NAMES.find(([each]) => each === name);
        return (
          !/^(host|connection|upgrade)$/i.test(name) &&
          (known === undefined || known[1]) &&
          !connectionOptions.has(name.toLowerCase())
        );
      });
      const written = writeRequestHead(head, bytes, end, bytes.length, CLIENT, 0);
      const again = parseRequestHead(bytes.subarray(end, written));
      assert.ok(!('kind' in again), JSON.stringify(again));
      assert.deepEqual(again.fields[0], { name: 'Host', value: naive.authority });
      const arrived = again.fields.slice(1, -6);
      const isFraming = ({ name }: HttpField) => FRAMING.test(name);
      const others = (fields: readonly HttpField[]) => fields.filter((field) => !isFraming(field));
      assert.deepEqual(others(arrived), others(passing));
      assert.equal(arrived.filter(isFraming).length, passing.filter(isFraming).length);
      assert.equal(again.contentLength, naive.contentLength);
    }),
    RUNS,
  );
  assert.ok(accepted > RUNS.numRuns / 6, `${accepted}`);
});

test('responses: as the reference', () => {
  let accepted = 0;
  fc.assert(
    fc.property(responseHeads, (text) => {
      const bytes = bufferOf(text);
      const end = parseResponse(head, bytes, 0, text.length, Method.get);
      const naiveEnd = findHeadEnd(bytes.subarray(0, text.length), 0);
      if (naiveEnd === -1) return assert.ok(end <= 0);
      const naive = parseResponseHead(bytes.subarray(0, naiveEnd));
      if ('fault' in naive) return assert.equal(end, -1, naive.fault);
      accepted++;
      const { connectionOptions, ...message } = naive;
      assert.equal(end, naiveEnd, `${head.fault?.reason}`);
      const { bodyBytes } = head;
      assert.deepEqual(
        {
          minorVersion: head.minorVersion,
          status: head.status,
          reason: latin1Text(bytes, head.reasonStart, head.reasonEnd),
          fields: fieldsOf(head, bytes),
          body: bodyBytes === CHUNKED ? 'chunked' : bodyBytes === UNTIL_CLOSE ? 'until-close' : bodyBytes,
        },
        message,
      );
      assert.deepEqual(flagsOf(head), optionsOf(connectionOptions));
      const passing = naive.fields.filter(
        ({ name }) =>
          !HOP_BY_HOP.test(name) && !FRAMING.test(name) && !connectionOptions.has(name.toLowerCase()),
      );
      const written = writeResponseHead(head, bytes, end, bytes.length, 0, 0);
      const again = parseResponseHead(bytes.subarray(end, written));
      assert.ok(!('fault' in again), JSON.stringify(again));
      assert.deepEqual([again.status, again.body, again.reason], [naive.status, naive.body, naive.reason]);
      assert.deepEqual(
        again.fields.slice(0, -1).filter(({ name }) => !FRAMING.test(name)),
        passing,
      );
      const isBare = naive.status < 200 || naive.status === 204;
      const lengths = fieldValues(again.fields, 'content-length').map(Number);
      assert.deepEqual(lengths, isBare || head.contentLength === -1 ? [] : [head.contentLength]);
      const codings = (fields: readonly HttpField[]) =>
        fieldValues(fields, 'transfer-encoding').flatMap(listMembers);
      assert.deepEqual(codings(again.fields), isBare ? [] : codings(naive.fields));
    }),
    RUNS,
  );
  assert.ok(accepted > RUNS.numRuns / 6, `${accepted}`);
});

test('wherever the bytes are cut, the result is the same', () => {
  const parts = createMessageHead();
  for (const [heads, parse] of [
    [requestHeads, parseRequest],
    [
      responseHeads,
      (head: MessageHead, bytes: Uint8Array, from: number, to: number, seen?: number) =>
        parseResponse(head, bytes, from, to, Method.get, seen),
    ],
  ] as const) {
    fc.assert(
      fc.property(heads, (text) => {
        const bytes = bufferOf(text);
        const whole = parse(head, bytes, 0, text.length);
        let result = 0;
        for (let to = 0; result === 0 && to <= text.length; to++) {
          result = parse(parts, bytes, 0, to, Math.max(to - 1, 0));
          const anew = parse(parts, bytes, 0, to);
          // What has been seen spares work, and at most puts a refusal off to the end of the line.
          if (result !== 0) assert.equal(anew, result);
        }
        assert.equal(result, whole);
        if (whole > 0) assert.deepEqual(contentOf(parts), contentOf(head));
      }),
      { numRuns: 500 },
    );
  }
});
