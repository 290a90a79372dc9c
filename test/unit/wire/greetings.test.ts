import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  MAX_GREETING_BYTES,
  readSmtpGreeting,
  readSshBanner,
  readStatusLine,
} from '../../../src/wire/greetings.ts';

const READERS = { readStatusLine, readSshBanner, readSmtpGreeting };

const TABLE: readonly [keyof typeof READERS, string, unknown][] = [
  ['readStatusLine', 'HTTP/1.1 200 OK\r\nServer: x\r\n', { status: 200, reason: 'OK' }],
  ['readStatusLine', 'HTTP/1.0 404 Not Found\r\n', { status: 404, reason: 'Not Found' }],
  ['readStatusLine', 'HTTP/1.1 204 \r\n', { status: 204, reason: '' }],
  ['readStatusLine', 'HTTP/1.1 204\r\n', { status: 204, reason: '' }],
  ['readStatusLine', '', 'incomplete'],
  ['readStatusLine', 'HTT', 'incomplete'],
  ['readStatusLine', 'HTTP/1.1 200', 'incomplete'],
  ['readStatusLine', 'HTTP/2 200 OK\r\n', undefined],
  ['readStatusLine', 'HTTP/1.1 999 OK\r\n', undefined],
  ['readStatusLine', 'SSH-2.0-x', undefined],
  ['readStatusLine', '\x15\x03\x01', undefined],
  ['readStatusLine', `HTTP/1.1 200 ${'x'.repeat(MAX_GREETING_BYTES)}`, undefined],
  ['readSshBanner', 'SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n', { protocol: '2.0', software: 'OpenSSH_9.2p1' }],
  ['readSshBanner', 'SSH-1.99-old\n', { protocol: '1.99', software: 'old' }],
  ['readSshBanner', 'Welcome\r\nSSH-2.0-dropbear_2022\r\n', { protocol: '2.0', software: 'dropbear_2022' }],
  ['readSshBanner', 'SSH-2.0-Open', 'incomplete'],
  ['readSshBanner', 'Welcome\r\n', 'incomplete'],
  ['readSshBanner', 'SSH-2.0\r\n', undefined],
  ['readSshBanner', 'x'.repeat(MAX_GREETING_BYTES), undefined],
  ['readSmtpGreeting', '220 mx.example.com ESMTP\r\n', { code: 220, text: 'mx.example.com ESMTP' }],
  ['readSmtpGreeting', '220\r\n', { code: 220, text: '' }],
  ['readSmtpGreeting', '220-mx.example.com\r\n220 go on\r\n', { code: 220, text: 'mx.example.com' }],
  ['readSmtpGreeting', '220-mx.example.com\r\n', 'incomplete'],
  ['readSmtpGreeting', '554 no\r\n', { code: 554, text: 'no' }],
  ['readSmtpGreeting', '22', 'incomplete'],
  ['readSmtpGreeting', '220-a\r\n250 b\r\n', undefined],
  ['readSmtpGreeting', '* OK IMAP4 ready\r\n', undefined],
];

for (const [reader, input, expected] of TABLE) {
  test(`${reader} of ${JSON.stringify(input.slice(0, 40))}`, () => {
    assert.deepEqual(READERS[reader](input), expected);
  });
}

for (const [name, read] of Object.entries(READERS)) {
  test(`${name} decides once: later data does not change its answer`, () => {
    const lines = fc.array(
      fc.oneof(
        fc.constantFrom('HTTP/1.1 200 OK', 'SSH-2.0-x', '220-a', '220 b', 'hello', ''),
        fc.string({ maxLength: 20 }),
      ),
    );
    fc.assert(
      fc.property(lines, fc.string(), (parts, more) => {
        const text = parts.map((part) => `${part}\r\n`).join('');
        const answer = read(text);
        if (answer !== 'incomplete') assert.deepEqual(read(text + more), answer);
      }),
    );
  });

  test(`${name} does not wait for ever`, () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1, maxLength: 50 }), (text) => {
        assert.notEqual(read(text.repeat(Math.ceil(MAX_GREETING_BYTES / text.length))), 'incomplete');
      }),
    );
  });
}
