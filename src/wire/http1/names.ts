/** The field names that are judged: recognised by a hash that is formed while a name is read. */
import { FOLDED_TOKEN, octetsOf } from './octets.ts';

/** Ids in the field table. 0: any other name. */
export const FieldName = {
  host: 1,
  connection: 2,
  contentLength: 3,
  transferEncoding: 4,
  keepAlive: 5,
  upgrade: 6,
  expect: 7,
  maxForwards: 8,
  via: 9,
  trailer: 10,
  /** Other fields for one connection. */
  hopByHop: 11,
  /** For the first proxy, which is this one (RFC 9110 section 11.7). */
  proxyAuthorization: 12,
  proxyAuthenticate: 13,
  /** What only a proxy may say of a client. */
  claim: 14,
  /** Of what a message holds or who sends it: not allowed in trailers (RFC 9110 section 6.5.1). */
  headOnly: 15,
  webSocketKey: 16,
  webSocketVersion: 17,
  webSocketAccept: 18,
  authorization: 19,
  wwwAuthenticate: 20,
  date: 21,
} as const;
export type FieldNameId = (typeof FieldName)[keyof typeof FieldName];

const NAMES: readonly (readonly [id: FieldNameId, ...names: string[]])[] = [
  [FieldName.host, 'host'],
  [FieldName.connection, 'connection'],
  [FieldName.contentLength, 'content-length'],
  [FieldName.transferEncoding, 'transfer-encoding'],
  [FieldName.keepAlive, 'keep-alive'],
  [FieldName.upgrade, 'upgrade'],
  [FieldName.expect, 'expect'],
  [FieldName.maxForwards, 'max-forwards'],
  [FieldName.via, 'via'],
  [FieldName.trailer, 'trailer'],
  // RFC 9110 section 7.6.1, and RFC 7540 section 3.2.1.
  [FieldName.hopByHop, 'proxy-connection', 'te', 'http2-settings'],
  [FieldName.proxyAuthorization, 'proxy-authorization'],
  [FieldName.proxyAuthenticate, 'proxy-authenticate', 'proxy-authentication-info'],
  [
    FieldName.claim,
    // The client's address: what proxies and content delivery networks report, and servers trust.
    'forwarded',
    'forwarded-for',
    'forwarded-for-ip',
    'cf-connecting-ip',
    'cf-connecting-ipv6',
    'cf-pseudo-ipv4',
    'client-ip',
    'fastly-client-ip',
    'proxy-client-ip',
    'real-ip',
    'true-client-ip',
    'wl-proxy-client-ip',
    'x-appengine-user-ip',
    'x-azure-clientip',
    'x-azure-socketip',
    'x-client-ip',
    'x-cluster-client-ip',
    'x-envoy-external-address',
    'x-forwarded',
    'x-host',
    'x-http-host-override',
    'x-original-forwarded-for',
    'x-original-host',
    'x-original-remote-addr',
    'x-originating-ip',
    'x-proxyuser-ip',
    'x-real-ip',
    'x-real-port',
    'x-remote-addr',
    'x-remote-ip',
    // The scheme: a server may send a cookie for TLS only, or not redirect.
    'cf-visitor',
    'front-end-https',
    'x-arr-ssl',
    'x-client-scheme',
    'x-https',
    'x-protocol',
    'x-scheme',
    'x-ssl',
    'x-url-scheme',
    // The target: rules of a server for a path are passed by (IIS, Symfony, ingress-nginx).
    'x-original-uri',
    'x-original-url',
    'x-rewrite-url',
    // CGI's HTTP_PROXY (CVE-2016-5385).
    'proxy',
    // Who the user is: what a server believes of its proxy when it believes X-Forwarded-For of it.
    'client-cert',
    'client-cert-chain',
    'remote-email',
    'remote-groups',
    'remote-name',
    'remote-user',
    'ssl-client-cert',
    'ssl-client-verify',
    'x-client-cert',
    'x-client-verify',
    'x-remote-group',
    'x-remote-groups',
    'x-remote-user',
  ],
  [FieldName.headOnly, 'content-encoding', 'content-range', 'content-type', 'cookie', 'set-cookie'],
  [FieldName.authorization, 'authorization'],
  [FieldName.wwwAuthenticate, 'www-authenticate'],
  [FieldName.date, 'date'],
  [FieldName.webSocketKey, 'sec-websocket-key'],
  [FieldName.webSocketVersion, 'sec-websocket-version'],
  [FieldName.webSocketAccept, 'sec-websocket-accept'],
];

/** Every name that begins so is a claim. */
const CLAIM_PREFIXES = [
  'x-auth-request-',
  'x-authentik-',
  'x-forwarded-',
  'x-remote-extra-',
  'x-ssl-client-',
  'x-webauth-',
].map(octetsOf);
const X = 120;

/** The hash of a name, byte by byte of FOLDED_TOKEN, from 0. Equal names have equal hashes; the opposite is checked. */
export const nextHash = (hash: number, folded: number): number => (Math.imul(hash, 31) + folded) | 0;

const entries = NAMES.flatMap(([id, ...names]) => names.map((name) => ({ id, octets: octetsOf(name) })));
const hashOf = (octets: Uint8Array): number => octets.reduce(nextHash, 0);

const SLOT_BITS = 11;
const slotOf = (hash: number, factor: number): number => Math.imul(hash, factor) >>> (32 - SLOT_BITS);

/** An odd factor with which no two names share a slot. */
function findFactor(): number {
  const hashes = entries.map(({ octets }) => hashOf(octets));
  for (let factor = 0x9e3779b1 | 0; ; factor = (factor + 2) | 0) {
    if (new Set(hashes.map((hash) => slotOf(hash, factor))).size === hashes.length) return factor;
  }
}

const FACTOR = findFactor();
/** By slot: 1 + index of the only entry that can have such a hash, or 0. */
const ENTRY_AT = new Uint8Array(1 << SLOT_BITS);
entries.forEach(({ octets }, i) => {
  ENTRY_AT[slotOf(hashOf(octets), FACTOR)] = i + 1;
});
const ENTRY_ID = Uint8Array.from(entries, ({ id }) => id);
const ENTRY_OCTETS = entries.map(({ octets }) => octets);

/**
 * The id of a field name: 0 when it is not known, negative when it is in disguise, that is, only equal when "_" and other
 * characters are taken as "-".
 */
export function fieldNameId(bytes: Uint8Array, start: number, end: number, hash: number): number {
  const entry = ENTRY_AT[slotOf(hash, FACTOR)];
  if (entry !== 0) {
    const name = ENTRY_OCTETS[entry - 1];
    if (name.length === end - start) {
      const match = compareName(bytes, start, name);
      if (match !== 0) return match * ENTRY_ID[entry - 1];
    }
  }
  return FOLDED_TOKEN[bytes[start]] === X && hasClaimPrefix(bytes, start, end) ? FieldName.claim : 0;
}

/** 1: the bytes at `start` are the name; -1: in disguise; 0: they are not. */
function compareName(bytes: Uint8Array, start: number, name: Uint8Array): number {
  let match = 1;
  for (let i = 0; i < name.length; i++) {
    const byte = bytes[start + i];
    if (FOLDED_TOKEN[byte] !== name[i]) return 0;
    // A letter of either case, a digit, or the hyphen itself.
    if (byte !== name[i] && (byte | 32) !== name[i]) match = -1;
  }
  return match;
}

function hasClaimPrefix(bytes: Uint8Array, start: number, end: number): boolean {
  for (let i = 0; i < CLAIM_PREFIXES.length; i++) {
    const prefix = CLAIM_PREFIXES[i];
    if (end - start >= prefix.length && compareName(bytes, start, prefix) !== 0) return true;
  }
  return false;
}

const idSet = (...ids: FieldNameId[]): Uint8Array => {
  const set = new Uint8Array(32);
  for (const id of ids) set[id] = 1;
  return set;
};

/**
 * What a request loses on its way (RFC 9110 section 7.6.1): fields for this connection, claims, credentials for a proxy.
 * Host is written anew.
 */
export const DROPPED_OF_REQUESTS = idSet(
  FieldName.host,
  FieldName.connection,
  FieldName.keepAlive,
  FieldName.upgrade,
  FieldName.hopByHop,
  FieldName.proxyAuthorization,
  FieldName.claim,
);

/** What a response loses. Proxy-Authenticate is for the next client alone (RFC 9110 section 11.7.1), which asked no proxy. */
export const DROPPED_OF_RESPONSES = idSet(
  FieldName.connection,
  FieldName.keepAlive,
  FieldName.upgrade,
  FieldName.hopByHop,
  FieldName.proxyAuthenticate,
);

/**
 * What Connection must not name (RFC 9110 section 7.6.1): fields for every recipient whose loss would change what the message
 * means here and there.
 */
export const NOT_NOMINATED = idSet(
  FieldName.host,
  FieldName.contentLength,
  FieldName.transferEncoding,
  FieldName.expect,
  FieldName.maxForwards,
);

/** Hashes of the names that no trailer may have (RFC 9110 section 6.5.1): all that are known here but those of WebSocket. */
const FORBIDDEN_TRAILERS: ReadonlySet<number> = new Set(
  entries
    .filter(
      ({ id }) => (id < FieldName.webSocketKey && id !== FieldName.via) || id === FieldName.authorization,
    )
    .map(({ octets }) => hashOf(octets)),
);
const PREFIX_HASHES: ReadonlySet<number> = new Set(CLAIM_PREFIXES.map(hashOf));

/**
 * A trailer's name is not allowed. Only its hash is known, because its bytes may have come one by one: another name with the
 * same hash would be refused too, but none is missed.
 */
export const isForbiddenTrailer = (hash: number): boolean => FORBIDDEN_TRAILERS.has(hash);
/** What has been read of a trailer's name is the beginning of a claim. */
export const isForbiddenTrailerPrefix = (hash: number): boolean => PREFIX_HASHES.has(hash);
