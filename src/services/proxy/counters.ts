/** The counters of the proxy: those of the engine, and one for each reason of refusal. */
import { tcpCounterTable } from '../../net/counters.ts';

export const proxyCounterTable = {
  ...tcpCounterTable,
  'tls-routed': 'TLS connections whose server name led to a server',
  'http-routed': 'HTTP requests whose Host led to a server',
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
