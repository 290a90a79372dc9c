/** The proxy's own answers to requests that reach no server. */
import type { Loop } from '../../../net/loop.ts';
import { Method } from '../../../wire/http1/head.ts';
import type { HttpFault } from '../../../wire/http1/fault.ts';
import { RETRY_AFTER_SECONDS, type Refused, locationOf } from '../decide.ts';
import type { HttpClient } from './client.ts';
import { refuseClient } from './ends.ts';

/** How soon a client may try again when its name could not be looked up. */
const LOOKUP_AGAIN_SECONDS = 5;

/** The request is malformed, or nothing that is served here. */
export function refuseFault(loop: Loop, client: HttpClient, { kind, status, reason }: HttpFault): 0 {
  refuseClient(loop, client, client.context.index[`refused-http-${kind}`], status as 400, reason);
  return 0;
}

/** The name leads nowhere, or not this client. */
export function refuseDecided(loop: Loop, client: HttpClient, decided: Refused, target: string): 0 {
  const { connection } = client;
  const host = client.host === '' ? 'the default server' : client.host;
  const { index } = client.context;
  connection.name = client.host;
  connection.server = decided.backend?.name ?? null;
  switch (decided.refused) {
    case 'redirect': {
      const { status, port } = decided.redirect;
      const location = locationOf(host, port, target);
      const fields = [`Location: ${location}`];
      refuseClient(loop, client, index['http-redirected'], status, `this site is at ${location}`, fields);
      break;
    }
    case 'not-allowed':
      refuseClient(
        loop,
        client,
        index['refused-http-not-allowed'],
        403,
        `your address may not reach ${host}`,
      );
      break;
    case 'maintenance': {
      const fields = [`Retry-After: ${RETRY_AFTER_SECONDS}`];
      refuseClient(loop, client, index['refused-http-maintenance'], 503, `${host} is in maintenance`, fields);
      break;
    }
    case 'no-lookup':
    case 'lookup-share': {
      const counter = index[`refused-http-${decided.refused}`];
      const fields = [`Retry-After: ${LOOKUP_AGAIN_SECONDS}`];
      refuseClient(loop, client, counter, 503, `${host} cannot be looked up now`, fields);
      break;
    }
    case 'no-address':
      refuseClient(
        loop,
        client,
        index['refused-http-no-address'],
        421,
        `no server here has the name ${host}`,
      );
      break;
    default:
      // 421 (RFC 9110 section 15.5.20): the problem is not a missing resource, as with 404, but the wrong server.
      refuseClient(
        loop,
        client,
        index['refused-http-unknown-host'],
        421,
        `no server here has the name ${host}`,
      );
  }
  return 0;
}

/** OPTIONS or TRACE with Max-Forwards: 0 (RFC 9110 section 7.6.2): this proxy is the last recipient. */
export function answerLastHop(loop: Loop, client: HttpClient): 0 {
  const { index } = client.context;
  const reason = 'this is the proxy before the server';
  const fields = ['Allow: GET, HEAD, POST, PUT, DELETE, PATCH, OPTIONS'];
  const status = client.method === Method.options ? 200 : 405;
  refuseClient(loop, client, index['http-last-hop'], status, reason, fields);
  return 0;
}
