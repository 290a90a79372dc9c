/** Connection errors in plain words: what the error means, and what to check. */
import { type Text, say } from '../texts/text.ts';

const CONNECT_WORDS: Readonly<Record<string, (where: string) => Text>> = {
  ECONNREFUSED: (where) =>
    say('Nothing takes connections at {where}: the program does not run, or listens elsewhere.', { where }),
  ETIMEDOUT: (where) =>
    say('No answer from {where}: the server is off, or a firewall drops the packets.', { where }),
  EHOSTUNREACH: (where) =>
    say('{where} cannot be reached: nobody on the network has this address at the moment.', { where }),
  ENETUNREACH: (where) =>
    say("There is no route to {where}: the appliance is not on the server's network.", { where }),
  EADDRNOTAVAIL: (where) =>
    say('There is no own IPv6 address from which {where} could be reached.', { where }),
  EACCES: (where) => say('A firewall refuses the connection to {where}.', { where }),
};

/** Why a TCP connection could not be made. */
export function explainConnectError(error: unknown, where: string): Text {
  const code = errorCode(error);
  return CONNECT_WORDS[code]?.(where) ?? say('The connection to {where} failed: {code}.', { where, code });
}

/** Why a TLS handshake on an open connection failed. */
export function explainTlsError(error: unknown, hostname: string): Text {
  const code = errorCode(error);
  if (/WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|HTTP_REQUEST|UNEXPECTED_MESSAGE/.test(code)) {
    return say('It answers, but not with TLS.');
  }
  if (/UNRECOGNIZED_NAME/.test(code))
    return say('It has no site "{hostname}" (TLS alert unrecognized_name).', { hostname });
  if (/UNSUPPORTED_PROTOCOL|PROTOCOL_VERSION/.test(code))
    return say('It speaks only TLS versions older than 1.2.');
  if (/ALERT/.test(code))
    return say('It ended the TLS handshake with an alert ({alert}).', {
      alert: code.replace(/^ERR_SSL_/, ''),
    });
  if (code === 'ETIMEDOUT') return say('It takes the connection, but the TLS handshake gets no answer.');
  if (code === 'ECONNRESET' || code === 'EPIPE')
    return say('It closed the connection during the TLS handshake.');
  return say('The TLS handshake failed: {code}.', { code });
}

/** Why no greeting or answer arrived on an open connection. */
export function explainReadError(error: unknown, what: Text): Text {
  const code = errorCode(error);
  if (code === 'ETIMEDOUT') return say('It takes the connection, but sends no {what}.', { what });
  if (code === 'ECONNRESET' || code === 'EPIPE')
    return say('It closed the connection without {what}.', { what });
  return say('No {what}: {code}.', { what, code });
}

/** The code of a Node error, or its message. */
export function errorCode(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return code ?? message ?? String(error);
}
