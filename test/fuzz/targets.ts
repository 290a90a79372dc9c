/** Every parser of bytes from outside: its inputs, and the invariants for any bytes. */
import assert from 'node:assert/strict';
import dnsPacket from 'dns-packet';
import {
  type ClientHello,
  type ClientHelloResult,
  readClientHello,
  startClientHelloScan,
} from '../../src/wire/client-hello.ts';
import { readMessage, writeMessage } from '../../src/wire/dns-message.ts';
import { lowerByte } from '../../src/wire/dns-name.ts';
import { QueryKind, newQuery, readQuery } from '../../src/wire/dns-query.ts';
import { isChunkedComplete, scanChunked, startChunkedScan } from '../../src/wire/chunked-body.ts';
import { readSmtpGreeting, readSshBanner, readStatusLine } from '../../src/wire/greetings.ts';
import { readExternalAddress } from '../../src/wire/nat-pmp.ts';
import { decodeHosts, encodeHosts } from '../../src/state/host-series.ts';
import { captureClientHello } from '../unit/wire/capture-client-hello.ts';
import { httpTargets } from './http-targets.ts';
import { kernelTargets } from './kernel-targets.ts';
import { peopleTargets } from './people-targets.ts';
import { proxyTargets } from './proxy-targets.ts';
import { stateFileTargets } from './state-file-targets.ts';
import { type FuzzTarget, text } from './target.ts';
import {
  mappedNat64Target,
  nat64FragmentsTarget,
  nat64OffloadTarget,
  nat64Target,
  snapshotTarget,
  statelessNat64Target,
} from './nat64-targets.ts';

/** The result of reading the bytes as if they arrived in two segments. */
function readInTwo(bytes: Uint8Array, cut: number): ClientHelloResult {
  const scan = startClientHelloScan();
  const first = readClientHello(bytes.subarray(0, cut), scan);
  return first.kind === 'incomplete' ? readClientHello(bytes, scan) : first;
}

/** The protocols that are offered: none of them is empty. */
function offered({ offers, offersFrom, offersTo }: ClientHello): string[] {
  const protocols: string[] = [];
  for (let at = offersFrom; offers !== null && at < offersTo; at += 1 + offers[at]) {
    assert.ok(offers[at] > 0 && at + 1 + offers[at] <= offersTo);
    protocols.push(Buffer.from(offers.subarray(at + 1, at + 1 + offers[at])).toString('latin1'));
  }
  return protocols;
}

function clientHello(bytes: Uint8Array): void {
  const whole = readClientHello(bytes, startClientHelloScan());
  const parts = readInTwo(bytes, bytes.length >>> 1);
  // A fault in the first half may be reported before one that only the whole shows; a name never changes.
  if (whole.kind === 'complete') {
    assert.ok(parts.kind === 'complete');
    assert.equal(parts.serverName, whole.serverName);
    assert.deepEqual(offered(parts), offered(whole));
    assert.match(whole.serverName ?? 'none', /^[\x21-\x7e]+$/);
  } else {
    assert.notEqual(parts.kind, 'complete');
  }
}

/** A decision does not change with more data, and there is always a decision in the end. */
function greetings(bytes: Uint8Array): void {
  const said = Buffer.from(bytes).toString('latin1');
  for (const read of [readStatusLine, readSshBanner, readSmtpGreeting]) {
    const answer = read(said);
    if (answer === 'incomplete') assert.ok(said.length < 8192);
    else assert.deepEqual(read(`${said}\r\n250 more\r\n`), answer);
  }
}

/** Its end does not depend on how the bytes arrive, and after the end no more bytes belong to it. */
function chunkedBody(bytes: Uint8Array): void {
  const whole = startChunkedScan();
  const length = scanChunked(whole, bytes);
  assert.ok(length <= bytes.length && (length === bytes.length || length < 0 || isChunkedComplete(whole)));
  const parts = startChunkedScan();
  const cut = bytes.length >>> 1;
  const first = scanChunked(parts, bytes.subarray(0, cut));
  const second = first < cut ? 0 : scanChunked(parts, bytes.subarray(cut));
  assert.equal(first < 0 || second < 0 ? -1 : first + second, length);
  if (length >= 0) assert.equal(isChunkedComplete(parts), isChunkedComplete(whole));
}

function dnsMessage(bytes: Uint8Array): void {
  // In lower case, because compression may give a name the case of an earlier one (RFC 4343 section 4).
  const message = readMessage(bytes.map(lowerByte));
  const written = message && writeMessage(message);
  if (message === undefined || written === undefined) return;
  assert.deepEqual(readMessage(written.bytes), message);
}

function dnsQuery(bytes: Uint8Array): void {
  const query = newQuery();
  const kind = readQuery(bytes, 0, bytes.length, query);
  assert.ok(Object.values(QueryKind).includes(kind as never));
  assert.ok(query.questionEnd <= bytes.length);
}

/** The targets; their seeds come from real clients and encoders. */
export async function fuzzTargets(): Promise<FuzzTarget[]> {
  const hellos = await Promise.all([
    captureClientHello({ servername: 'www.example.com', ALPNProtocols: ['h2', 'http/1.1'] }),
    captureClientHello({ servername: 'a.example.org', maxVersion: 'TLSv1.2' }),
    captureClientHello({}),
  ]);
  const name = 'www.example.com';
  const question = { type: 'A', name } as const;
  return [
    { name: 'client-hello', seeds: hellos, run: clientHello },
    {
      name: 'chunked-body',
      seeds: text(
        '5\r\nhello\r\n0\r\n\r\nGET / HTTP/1.1\r\n\r\n',
        'a;b="c"\r\n0123456789\r\n10 \r\n0123456789abcdef\r\n0\r\nA: b\r\nC: d\r\n\r\n',
      ),
      run: chunkedBody,
    },
    {
      name: 'dns-message',
      seeds: [
        dnsPacket.encode({ type: 'query', id: 1, flags: 0x100, questions: [question] }),
        dnsPacket.encode({
          type: 'response',
          id: 1,
          flags: 0x8180,
          questions: [question],
          answers: [
            { type: 'CNAME', name, ttl: 60, data: 'web.example.com' },
            { type: 'A', name: 'web.example.com', ttl: 60, data: '192.0.2.1' },
            { type: 'MX', name, ttl: 60, data: { preference: 10, exchange: 'mx.example.com' } },
            { type: 'TXT', name, ttl: 60, data: ['v=spf1 -all'] },
          ],
          authorities: [
            {
              type: 'SOA',
              name: 'example.com',
              ttl: 60,
              data: {
                mname: 'ns.example.com',
                rname: 'hostmaster.example.com',
                serial: 1,
                refresh: 2,
                retry: 3,
                expire: 4,
                minimum: 5,
              },
            },
          ],
          additionals: [
            { type: 'OPT', name: '.', udpPayloadSize: 1232, flags: 0, flag_do: false, options: [] } as never,
          ],
        }),
      ],
      run: dnsMessage,
    },
    {
      name: 'dns-query',
      seeds: [
        dnsPacket.encode({ type: 'query', id: 1, flags: 0x100, questions: [question] }),
        dnsPacket.encode({
          type: 'query',
          id: 1,
          flags: 0x110,
          questions: [{ type: 'AAAA', name }],
          additionals: [
            {
              type: 'OPT',
              name: '.',
              udpPayloadSize: 4096,
              flags: 0x8000,
              flag_do: true,
              options: [],
            } as never,
          ],
        }),
      ],
      run: dnsQuery,
    },
    {
      name: 'nat-pmp',
      seeds: [Uint8Array.of(0, 128, 0, 0, 0, 0, 0, 9, 203, 0, 113, 7)],
      run: (bytes) => {
        const address = readExternalAddress(bytes);
        assert.ok(address === undefined || (address > 0 && address <= 0xffffffff && bytes.length === 12));
      },
    },
    {
      name: 'history-hosts',
      seeds: [
        encodeHosts(
          new Map([['web1', { mean: Float32Array.of(1, 2, 3, 4), highest: Float32Array.of(5, 6, 7, 8) }]]),
        ),
      ],
      // The result is written so that it can be read again; names of foreign bytes may have become too long.
      run(bytes) {
        const hosts = decodeHosts(bytes);
        if ([...hosts.keys()].some((name) => Buffer.byteLength(name) > 255)) return;
        assert.deepEqual(decodeHosts(encodeHosts(hosts)), hosts);
      },
    },
    {
      name: 'greetings',
      seeds: text(
        'HTTP/1.1 200 OK\r\nServer: x\r\n\r\n',
        'Welcome\r\nSSH-2.0-OpenSSH_9.2p1 Debian-2\r\n',
        '220-mx.example.com ESMTP\r\n220 hello\r\n',
      ),
      run: greetings,
    },
    ...httpTargets(),
    ...proxyTargets(),
    ...peopleTargets(),
    ...kernelTargets(),
    ...stateFileTargets(),
    nat64Target('nat64', {}),
    nat64OffloadTarget(),
    mappedNat64Target(),
    nat64FragmentsTarget(),
    statelessNat64Target(),
    snapshotTarget(),
  ];
}
