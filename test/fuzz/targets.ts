/** Every parser of bytes that come from outside: what it is fed, and what must hold whatever the bytes are. */
import assert from 'node:assert/strict';
import dnsPacket from 'dns-packet';
import { parsePreseed } from '../../firmware/preseed.ts';
import { forwardChains } from '../../src/services/nat64/checks/forward-chains.ts';
import { preferredLanguage } from '../../src/admin/language.ts';
import { fillDefaults, loadConfig } from '../../src/config/load.ts';
import { parseHosts } from '../../src/config/parse-hosts.ts';
import { parseDnsUpstream, parsePortRange } from '../../src/config/values.ts';
import { BackupError, readBackupContent } from '../../src/state/backup-seal.ts';
import {
  type ClientHelloResult,
  readClientHello,
  startClientHelloScan,
} from '../../src/wire/client-hello.ts';
import { readMessage, writeMessage } from '../../src/wire/dns-message.ts';
import { lowerByte } from '../../src/wire/dns-name.ts';
import { QueryKind, newQuery, readQuery } from '../../src/wire/dns-query.ts';
import { findHeadEnd, latin1, parseRequestHead } from '../../src/wire/http-head.ts';
import { isChunkedComplete, scanChunked, startChunkedScan } from '../../src/wire/chunked-body.ts';
import { parseResponseHead } from '../../src/wire/http-response.ts';
import { rewriteResponseHead } from '../../src/services/proxy/http-rewrite.ts';
import { readSmtpGreeting, readSshBanner, readStatusLine } from '../../src/wire/greetings.ts';
import { formatIpAddress, parseIpAddress } from '../../src/wire/ip-address.ts';
import { formatSshPublicKey, parseSshPublicKey, SSH_KEY_TYPES } from '../../src/wire/ssh-public-key.ts';
import {
  NETLINK_HEADER_BYTES,
  buildNetlinkAttribute,
  buildNetlinkMessage,
  netlinkU32,
  parseNetlinkAttributes,
  parseNetlinkMessages,
} from '../../src/wire/netlink.ts';
import { readExternalAddress } from '../../src/wire/nat-pmp.ts';
import { formatIpPrefix, parseIpPrefix } from '../../src/wire/ip-prefix.ts';
import { decodeHosts, encodeHosts } from '../../src/state/host-series.ts';
import { captureClientHello } from '../unit/wire/capture-client-hello.ts';
import { stateFileTargets } from './state-file-targets.ts';
import {
  mappedNat64Target,
  nat64FragmentsTarget,
  nat64OffloadTarget,
  nat64Target,
  snapshotTarget,
  statelessNat64Target,
} from './nat64-targets.ts';
import { english } from '../../src/texts/text.ts';
import { parseLocalRoutes } from '../../src/os/local-routes.ts';

export interface FuzzTarget {
  readonly name: string;
  /** Valid inputs, which mutations start from. */
  readonly seeds: readonly Uint8Array[];
  /** Throws when something that must hold does not. */
  readonly run: (bytes: Uint8Array) => void;
}

const text = (...lines: string[]) => lines.map((line) => Buffer.from(line, 'latin1'));

const EMPTY_CONFIG = fillDefaults({});

/** What was taken is right by itself, and each problem has its line. */
function pastedHosts(bytes: Uint8Array): void {
  const pasted = Buffer.from(bytes).toString('utf8');
  const { hosts, problems } = parseHosts(pasted, EMPTY_CONFIG);
  const lines = pasted.split(/\r\n|\n|\r/).length;
  for (const { line } of [...hosts, ...problems])
    assert.ok(line >= 1 && line <= lines, `line ${line} of ${lines}`);
  const loaded = loadConfig(
    JSON.stringify({ hosts: hosts.slice(0, 100).map(({ host }) => ({ ...host, ssh: false })) }),
  );
  assert.ok('config' in loaded, JSON.stringify(loaded));
}

const SSH_KEY =
  'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpa me@example.com';

/** What is let in is one line, without options before the key, and reads as the same key again. */
function sshPublicKey(bytes: Uint8Array): void {
  const key = parseSshPublicKey(Buffer.from(bytes).toString('utf8'));
  if (typeof key === 'string') return;
  const line = formatSshPublicKey(key);
  assert.ok(SSH_KEY_TYPES.includes(line.split(' ')[0]) && !/[\r\n]/.test(line), line);
  assert.deepEqual(parseSshPublicKey(line), key);
}

function preseed(bytes: Uint8Array): void {
  const { hostname, authorizedKeys = [] } = parsePreseed(Buffer.from(bytes).toString('utf8'));
  assert.match(hostname ?? 'none', /^[a-z0-9-]{1,63}$/);
  for (const key of authorizedKeys) sshPublicKey(Buffer.from(formatSshPublicKey(key)));
}

/** Refused as a backup error, or a list of names and contents. */
function backup(bytes: Uint8Array): void {
  try {
    const { entries } = readBackupContent(Buffer.from(bytes).toString('utf8'));
    assert.ok(
      entries.every(({ name, content }) => typeof name === 'string' && content instanceof Uint8Array),
    );
  } catch (error) {
    if (!(error instanceof BackupError)) throw error;
  }
}

/** The result of reading the bytes as they would come in two segments. */
function readInTwo(bytes: Uint8Array, cut: number): ClientHelloResult {
  const scan = startClientHelloScan();
  const first = readClientHello(bytes.subarray(0, cut), scan);
  return first.kind === 'incomplete' ? readClientHello(bytes, scan) : first;
}

function clientHello(bytes: Uint8Array): void {
  const whole = readClientHello(bytes, startClientHelloScan());
  const parts = readInTwo(bytes, bytes.length >>> 1);
  // A fault in the first half may be told before one that only the whole shows; a name never changes.
  if (whole.kind === 'complete') {
    assert.deepEqual(parts, whole);
    assert.match(whole.serverName ?? 'none', /^[\x21-\x7e]+$/);
  } else {
    assert.notEqual(parts.kind, 'complete');
  }
}

/** What has been decided stays so, however much comes after it; and something is decided in the end. */
function greetings(bytes: Uint8Array): void {
  const said = Buffer.from(bytes).toString('latin1');
  for (const read of [readStatusLine, readSshBanner, readSmtpGreeting]) {
    const answer = read(said);
    if (answer === 'incomplete') assert.ok(said.length < 8192);
    else assert.deepEqual(read(`${said}\r\n250 more\r\n`), answer);
  }
}

function requestHead(bytes: Uint8Array): void {
  // The head ends somewhere, or the parser is not asked.
  const ended = Buffer.concat([bytes, Buffer.from('\r\n\r\n')]);
  const head = parseRequestHead(ended.subarray(0, findHeadEnd(ended, 0)));
  if ('reason' in head) {
    assert.ok(head.status >= 400 && head.reason.length > 0);
    return;
  }
  // What goes on to a server must mean one request, whoever reads it.
  assert.ok(head.host.length > 0 && !/[\s/\\@]/.test(head.host), head.host);
  for (const { name, value } of head.fields) {
    assert.match(name, /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: that there is none is the point
    assert.doesNotMatch(value, /[\x00-\x08\x0a-\x1f\x7f]/);
  }
  assert.ok(latin1(bytes).includes(head.method));
}

/** A response that passes has one meaning: none of its lines holds another. */
function responseHead(bytes: Uint8Array): void {
  const ended = Buffer.concat([bytes, Buffer.from('\r\n\r\n')]);
  const head = parseResponseHead(ended.subarray(0, findHeadEnd(ended, 0)));
  if ('fault' in head) {
    assert.ok(head.fault.length > 0);
    return;
  }
  assert.ok(head.status >= 100 && head.status <= 599);
  assert.ok(typeof head.body === 'string' || (head.body >= 0 && Number.isSafeInteger(head.body)));
  // What goes on to a client is read as the same response again.
  const rewritten = parseResponseHead(Buffer.from(rewriteResponseHead(head), 'latin1'));
  assert.ok(!('fault' in rewritten), JSON.stringify(rewritten));
  assert.deepEqual([rewritten.status, rewritten.body], [head.status, head.body]);
  assert.equal(rewritten.connectionOptions.has('close'), head.status !== 101);
}

/** Its end is the same however the bytes come, and once complete nothing more belongs to it. */
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

function configuration(bytes: Uint8Array): void {
  const loaded = loadConfig(Buffer.from(bytes).toString('utf8'));
  if (!('problems' in loaded)) return;
  assert.ok(loaded.problems.length > 0);
  for (const { path, message } of loaded.problems) assert.ok(english(message).length > 0, path);
}

function addresses(bytes: Uint8Array): void {
  const input = Buffer.from(bytes).toString('latin1');
  const address = parseIpAddress(input);
  if (address !== undefined) assert.deepEqual(parseIpAddress(formatIpAddress(address)), address);
  const prefix = parseIpPrefix(input);
  if (prefix !== undefined) assert.deepEqual(parseIpPrefix(formatIpPrefix(prefix)), prefix);
  const range = parsePortRange(input);
  assert.ok(range === undefined || (range.first <= range.last && range.last <= 65_535));
  parseDnsUpstream(input);
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
      name: 'http-head',
      seeds: text(
        'GET / HTTP/1.1\r\nHost: example.com\r\nUser-Agent: curl\r\nAccept: */*\r\n\r\n',
        'POST http://example.com:80/a?b HTTP/1.1\r\nHost: x\r\nContent-Length: 12\r\nConnection: close\r\n\r\n',
        'GET /ws HTTP/1.1\r\nHost: [2001:db8::1]:80\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
        'PUT / HTTP/1.1\r\nHost: example.com\r\nTransfer-Encoding: chunked\r\nTE: trailers\r\n\r\n0\r\n\r\n',
      ),
      run: requestHead,
    },
    {
      name: 'http-response',
      seeds: text(
        'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: x\r\n\r\n',
        'HTTP/1.1 200 OK\r\nContent-Length: 12\r\nConnection: keep-alive, X-A\r\nX-A: 1\r\n\r\n',
        'HTTP/1.1 426 Upgrade Required\r\nUpgrade: websocket\r\nTransfer-Encoding: chunked\r\n\r\n',
        'HTTP/1.0 404 Not Found\r\nServer : x\r\n\r\n',
      ),
      run: responseHead,
    },
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
      name: 'netlink',
      seeds: [
        buildNetlinkMessage({ type: 24, flags: 2, sequence: 1 }, [
          Uint8Array.of(10, 96, 0, 0, 254, 3, 0, 1, 0, 0, 0, 0),
          buildNetlinkAttribute(1, parseIpAddress('64:ff9b::')!),
          buildNetlinkAttribute(4, netlinkU32(7)),
        ]),
      ],
      // What came is inside of what was read, in order.
      run(bytes) {
        let offset = 0;
        for (const { body } of parseNetlinkMessages(bytes)) {
          assert.ok(body.byteOffset - bytes.byteOffset >= offset + NETLINK_HEADER_BYTES);
          offset = body.byteOffset - bytes.byteOffset + body.length;
          assert.ok(offset <= bytes.length);
          for (const [type, value] of parseNetlinkAttributes(body, 12)) {
            assert.ok(type <= 0x3fff && value.byteOffset + value.length <= body.byteOffset + body.length);
          }
        }
      },
    },
    {
      name: 'nft-ruleset',
      seeds: text(
        '{"nftables":[{"chain":{"family":"ip","table":"filter","name":"FORWARD","hook":"forward","policy":"drop"}},' +
          '{"rule":{"family":"ip","table":"filter","chain":"FORWARD","expr":[{"match":{"op":"==","left":{"meta":{"key":"iifname"}},"right":"nat64"}},{"accept":null}]}},' +
          '{"rule":{"family":"ip","table":"filter","chain":"FORWARD","expr":[{"vmap":{"key":{"meta":{"key":"oifname"}},"data":{"set":[["nat64",{"jump":{"target":"FORWARD"}}]]}}}]}}]}',
      ),
      run(bytes) {
        for (const { verdict } of forwardChains(Buffer.from(bytes).toString('utf8'), 'nat64'))
          assert.ok(['accept', 'drop', 'unknown'].includes(verdict));
      },
    },
    {
      name: 'history-hosts',
      seeds: [
        encodeHosts(
          new Map([['web1', { mean: Float32Array.of(1, 2, 3, 4), highest: Float32Array.of(5, 6, 7, 8) }]]),
        ),
      ],
      // What was read is written so that it is read again; names of foreign bytes may have become longer than fits.
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
    {
      name: 'accept-language',
      seeds: text('de-DE,de;q=0.9,en;q=0.8', 'fr, *;q=0.5'),
      run: (bytes) =>
        assert.ok([undefined, 'en', 'de'].includes(preferredLanguage(Buffer.from(bytes).toString('latin1')))),
    },
    {
      name: 'config',
      seeds: text(
        '{"hosts":[{"name":"web1","address":"2001:db8:1::10","hostnames":["example.com","*.example.com"]}]}',
        '{"proxy":{"listeners":[{"name":"https","port":443,"protocol":"tls"}]},"admin":{"port":8064}}',
        '{"nat64":{"prefix":"64:ff9b::/96","pool4":[{"address":"auto","ports":"32768-65535"}]}}',
      ),
      run: configuration,
    },
    {
      name: 'pasted-hosts',
      seeds: text(
        'web1 2001:db8:1::10 www.example.com *.example.com\n# comment\n2001:db8:1::11 web2\n',
        'name,address,hostnames,ssh\nweb1,2001:db8:1::10,"www.example.com example.com",22001\r\nweb2,2001:db8:1::11,,no\r\n',
        'Name;IPv6;Hostnames;Services\nweb1;"2001:db8:1::10";a.example.com, b.example.com;http https\n',
        '[{"name":"web1","address":"2001:db8:1::10"},\n{"name":"web2","address":"2001:db8:1::11","hostnames":["b.example.com"]}]',
        '{"hosts":[{"name":"web1","address":"2001:db8:1::10","ssh":false}]}',
      ),
      run: pastedHosts,
    },
    {
      name: 'preseed',
      seeds: text(
        `[system]\nhostname = "bar" # one\n[ssh]\nenabled = true\nauthorized_keys = [\n "${SSH_KEY}", # me\n '${SSH_KEY}'\n]\n`,
      ),
      run: preseed,
    },
    {
      name: 'ssh-public-key',
      seeds: text(SSH_KEY, `sk-ssh-ed25519@openssh.com ${SSH_KEY.slice(12)}`, `no-pty ${SSH_KEY}`),
      run: sshPublicKey,
    },
    {
      name: 'backup',
      seeds: text(
        '{"createdAt":"2026-01-02T03:04:05Z","version":"1","hostname":"tombolo","entries":[{"name":"config.json","content":"e30="}]}',
      ),
      run: backup,
    },
    {
      name: 'addresses',
      seeds: text(
        '2001:db8::1',
        '::ffff:192.0.2.1',
        '192.0.2.0/24',
        '64:ff9b::/96',
        '22001-22999',
        'udp://[2001:db8::1]:53',
      ),
      run: addresses,
    },
    ...stateFileTargets(),
    {
      name: 'local-routes',
      // RTM_NEWROUTE: local 192.0.2.1, with RTA_TABLE and RTA_DST; then NLMSG_DONE.
      seeds: [
        Buffer.from(
          '2c00000018000200010000000000000002200000ff02fe020000000008000f00ff00000008000100c0000201' +
            '1400000003000200010000000000000000000000',
          'hex',
        ),
      ],
      run(bytes) {
        for (const { address, prefixBits } of parseLocalRoutes(bytes).prefixes)
          assert.ok(address.length === 16 && prefixBits >= 0 && prefixBits <= 128);
      },
    },
    nat64Target('nat64', {}),
    nat64OffloadTarget(),
    mappedNat64Target(),
    nat64FragmentsTarget(),
    statelessNat64Target(),
    snapshotTarget(),
  ];
}
