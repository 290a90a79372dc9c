/** The counters of the proxy: those of the engine, and one for each reason of refusal. */
import { tcpCounterTable } from '../../net/counters.ts';

export const proxyCounterTable = {
  ...tcpCounterTable,
  'tls-routed': 'TLS connections whose server name led to a server',
  'http-routed': 'HTTP requests whose Host led to a server',
  'aaaa-routed':
    'TLS connections and HTTP requests that were led to an address of their name in DNS (proxy.allowedPrefixes)',
  'aaaa-asked': 'Look-ups of names that no server has (proxy.allowedPrefixes)',
  'aaaa-stale':
    'Times that an earlier answer was used for longer: no resolver answered, or the client had its share of look-ups',
  'aaaa-displaced': 'Names forgotten at the limit for the name of another client: their clients had the most',
  'upstream-queries': 'Look-ups of names: queries sent to resolvers (dns64.upstreams)',
  'upstream-tcp': 'Look-ups of names: queries sent to resolvers over TCP',
  'upstream-timeouts': 'Look-ups of names: queries that a resolver left unanswered',
  'upstream-errors':
    'Look-ups of names: queries that a resolver answered with an error, or that could not be sent',
  'upstream-ourselves':
    'Look-ups of names: times a resolver was not asked because it is our own, which makes addresses up (DNS64)',
  'upstream-ignored':
    'Look-ups of names: datagrams from a resolver that answer no query: malformed, wrong ID or wrong question',
  'refused-tls-no-address':
    'TLS: no server has the server name, and in DNS it has no address inside proxy.allowedPrefixes (alert unrecognized_name)',
  'refused-tls-no-lookup':
    'TLS: no server has the server name, and no resolver answers (alert internal_error)',
  'refused-tls-lookup-share':
    'TLS: too many names were being looked up, in total or for this client (alert internal_error)',
  'refused-http-no-address':
    'HTTP: no server has the Host, and in DNS it has no address inside proxy.allowedPrefixes (421)',
  'refused-http-no-lookup': 'HTTP: no server has the Host, and no resolver answers (503)',
  'refused-http-lookup-share': 'HTTP: too many names were being looked up, in total or for this client (503)',
  'refused-tls-unknown-name': 'TLS: no server has the server name (alert unrecognized_name)',
  'refused-tls-no-name': 'TLS: the client named no server (alert missing_extension)',
  'refused-tls-not-allowed':
    'TLS: the access list of the server does not have the client (alert access_denied)',
  'refused-tls-maintenance': 'TLS: the server is in maintenance (alert internal_error)',
  'refused-tls-malformed': 'TLS: the ClientHello is malformed (alert decode_error, or what fits)',
  'refused-tls-oversized': 'TLS: the ClientHello is too long (alert record_overflow or decode_error)',
  'refused-tls-http': 'TLS: the client speaks plain HTTP (answered with 400)',
  'refused-tls-not-tls': 'TLS: the client speaks another protocol (closed)',
  'refused-http-no-host': 'HTTP: the request names no server (400)',
  'refused-http-unknown-host': 'HTTP: no server has the Host (421)',
  'refused-http-not-allowed': 'HTTP: the access list of the server does not have the client (403)',
  'refused-http-maintenance': 'HTTP: the server is in maintenance (503)',
  'http-redirected': 'HTTP: requests that were redirected to https (301, 308)',
  'refused-http-malformed': 'HTTP: the request is malformed or ambiguous (400)',
  'refused-http-oversized': 'HTTP: the request head is too long (431)',
  'refused-http-unsupported':
    'HTTP: version, method, scheme or transfer coding that is not served (421, 501, 505)',
  'http-upgraded': 'HTTP: WebSockets that their server opened (101)',
  'http-bad-answer':
    'HTTP: the answer of the server is malformed, or opens something that was not asked for (502)',
  'http-last-hop': 'HTTP: OPTIONS and TRACE that this proxy answered, because Max-Forwards was 0',
  'http-reused': 'HTTP: requests sent over a connection to the server that was used before',
  'http-retried': 'HTTP: requests sent again, because the server had closed the used connection',
  'http-timeout': 'HTTP: the server did not begin its answer in time (504)',
  'http-answer-cut': 'HTTP: the server closed in the middle of an answer (reset)',
  'http-no-answer': 'HTTP: the server closed without an answer (502)',
} as const;

export type ProxyCounterIndex = { readonly [Name in keyof typeof proxyCounterTable]: number };
