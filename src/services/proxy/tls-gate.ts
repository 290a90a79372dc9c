/** The gate of a TLS listener: the server name in the ClientHello selects the server; refusals are TLS alerts. */
import { CLOSE, type Examiner, type Gate, MORE, type Refusal, RESET, type Verdict } from '../../net/gate.ts';
import type { SourceOf } from '../../net/mapped-source.ts';
import { appendOpening, createOpeningBytes, keepOpening } from '../../net/opening-bytes.ts';
import { type ClientHelloResult, readClientHello, startClientHelloScan } from '../../wire/client-hello.ts';
import { TlsAlert, type TlsAlertDescription, encodeTlsAlert } from '../../wire/tls-alert.ts';
import type { ProxyCounterIndex } from './counters.ts';
import { LOOKUP_SHARE, type Refused, type RefusedKind, decide } from './decide.ts';
import { type HostTable, KNOWN } from './host-table.ts';
import { encodeHttpAnswer } from './http-answer.ts';
import { protocolInUse } from './offered.ts';
import { type PeerOf, buildPreamble } from './preamble.ts';

const HTTP_METHODS = /^(?:GET|HEAD|POST|PUT|DELETE|OPTIONS|PATCH|CONNECT|TRACE|PRI) /;

const NO_BYTES = new Uint8Array(0);

const alert = (counter: number, description: TlsAlertDescription | undefined): Refusal => ({
  counter,
  answer: description === undefined ? null : encodeTlsAlert(description),
  reset: false,
});

export function createTlsGate(
  table: HostTable,
  index: ProxyCounterIndex,
  peerOf: PeerOf,
  sourceOf: SourceOf,
): Gate {
  const refusals: Readonly<Record<RefusedKind, Refusal>> = {
    'unknown-name': alert(index['refused-tls-unknown-name'], TlsAlert.unrecognizedName),
    'no-name': alert(index['refused-tls-no-name'], TlsAlert.missingExtension),
    'no-address': alert(index['refused-tls-no-address'], TlsAlert.unrecognizedName),
    'no-lookup': alert(index['refused-tls-no-lookup'], TlsAlert.internalError),
    'lookup-share': alert(index['refused-tls-lookup-share'], TlsAlert.internalError),
    'not-allowed': alert(index['refused-tls-not-allowed'], TlsAlert.accessDenied),
    maintenance: alert(index['refused-tls-maintenance'], TlsAlert.internalError),
  };
  const serverFailed = alert(-1, TlsAlert.internalError);

  function refuseFault(result: ClientHelloResult & { kind: 'refused' }, bytes: Uint8Array): Refusal {
    if (result.fault !== 'not-tls') return alert(index[`refused-tls-${result.fault}`], result.alert);
    // A browser that opened the port of https:// with http:// shows a page with the reason.
    if (HTTP_METHODS.test(String.fromCharCode(...bytes.subarray(0, 8)))) {
      const reason = 'this port speaks TLS: use https:// instead of http://';
      return { counter: index['refused-tls-http'], answer: encodeHttpAnswer(400, reason), reset: false };
    }
    return alert(index['refused-tls-not-tls'], undefined);
  }

  function refuse({ refused, backend }: Refused, name: string | undefined): Verdict {
    // A TLS connection is never redirected.
    const refusal = refusals[refused as RefusedKind];
    const server = backend?.name ?? null;
    return { kind: 'refuse', refusal, name: name ?? null, server, accessLog: backend?.accessLog };
  }

  /** Looks the name up; undefined if it is known now. */
  function waitFor(name: string, clientFd: number): Verdict | undefined {
    const client = peerOf(clientFd)?.address;
    if (client === undefined) return { kind: 'refuse', refusal: RESET };
    const awaited = table.names!.ask(name, client);
    if (awaited === KNOWN) return undefined;
    return awaited === undefined ? refuse(LOOKUP_SHARE, name) : { kind: 'wait', awaited };
  }

  function begin(): Examiner {
    const opening = createOpeningBytes();
    let scan = startClientHelloScan();
    return {
      push(chunk, clientFd, arrival): Verdict {
        const bytes = appendOpening(opening, chunk);
        const result = readClientHello(bytes, scan);
        if (result.kind === 'incomplete') {
          keepOpening(opening, bytes);
          return MORE;
        }
        if (result.kind === 'refused') return { kind: 'refuse', refusal: refuseFault(result, bytes) };
        const { serverName } = result;
        const asking = table.needsClient ? peerOf(clientFd)?.address : undefined;
        const backend = decide(table, serverName, asking, undefined, result);
        if (backend.refused === 'not-asked') {
          keepOpening(opening, bytes);
          scan = startClientHelloScan(); // all of it is read again then
          return waitFor(serverName!, clientFd) ?? this.push(NO_BYTES, clientFd, arrival);
        }
        if (backend.refused !== null) return refuse(backend, serverName);
        const client = backend.clientAddress === 'none' ? undefined : peerOf(clientFd);
        const protocol = protocolInUse(result);
        const asks = { fd: clientFd, arrival, address: client, authority: serverName, protocol };
        const preamble = buildPreamble(backend, asks, bytes);
        if (preamble === undefined) return { kind: 'refuse', refusal: RESET };
        return {
          kind: 'route',
          counter: index['tls-routed'],
          name: serverName ?? '',
          route: {
            server: backend.name,
            serverAddress: backend.serverAddress,
            addresses: backend.addresses,
            source: backend.clientAddress === 'mapped' ? sourceOf(client!) : undefined,
            accessLog: backend.accessLog,
            preamble,
          },
        };
      },
      timedOut: () => CLOSE,
    };
  }

  return { begin, route: null, accessLog: table.accessLog, serverFailed: () => serverFailed };
}
