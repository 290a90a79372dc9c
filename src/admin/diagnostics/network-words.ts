/** Errors of connections in plain words: what it means, and what to look at. */

const CONNECT_WORDS: Readonly<Record<string, (where: string) => string>> = {
  ECONNREFUSED: (where) =>
    `Nothing takes connections at ${where}: the program does not run, or listens elsewhere.`,
  ETIMEDOUT: (where) => `No answer from ${where}: the server is off, or a firewall drops the packets.`,
  EHOSTUNREACH: (where) =>
    `${where} cannot be reached: nobody on the network has this address at the moment.`,
  ENETUNREACH: (where) => `There is no route to ${where}: the appliance is not on the server's network.`,
  EADDRNOTAVAIL: (where) => `There is no own IPv6 address from which ${where} could be reached.`,
  EACCES: (where) => `A firewall refuses the connection to ${where}.`,
};

/** Why a TCP connection could not be made. */
export function explainConnectError(error: unknown, where: string): string {
  const code = errorCode(error);
  return CONNECT_WORDS[code]?.(where) ?? `The connection to ${where} failed: ${code}.`;
}

/** Why a TLS handshake on an open connection failed. */
export function explainTlsError(error: unknown, hostname: string | null): string {
  const code = errorCode(error);
  if (/WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|HTTP_REQUEST|UNEXPECTED_MESSAGE/.test(code)) {
    return 'It answers, but not with TLS.';
  }
  if (/UNRECOGNIZED_NAME/.test(code)) return `It knows no site "${hostname}" (TLS alert unrecognized_name).`;
  if (/UNSUPPORTED_PROTOCOL|PROTOCOL_VERSION/.test(code))
    return 'It speaks only TLS versions older than 1.2.';
  if (/ALERT/.test(code))
    return `It ended the TLS handshake with an alert (${code.replace(/^ERR_SSL_/, '')}).`;
  if (code === 'ETIMEDOUT') return 'It takes the connection, but the TLS handshake gets no answer.';
  if (code === 'ECONNRESET' || code === 'EPIPE') return 'It closed the connection during the TLS handshake.';
  return `The TLS handshake failed: ${code}.`;
}

/** Why no greeting or answer came on an open connection. */
export function explainReadError(error: unknown, what: string): string {
  const code = errorCode(error);
  if (code === 'ETIMEDOUT') return `It takes the connection, but sends no ${what}.`;
  if (code === 'ECONNRESET' || code === 'EPIPE') return `It closed the connection without ${what}.`;
  return `No ${what}: ${code}.`;
}

/** The code of a Node error, or its message. */
export function errorCode(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return code ?? message ?? String(error);
}
