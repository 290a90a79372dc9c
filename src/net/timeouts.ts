/** The timeouts of a TCP service. */

/** A change also applies to connections that are already open. */
export interface ConnectionTimeouts {
  /** For the client's first bytes; then again for the server to accept. */
  readonly handshakeTimeoutMs: number;
  /** 0: connections may be silent without limit. */
  readonly idleTimeoutMs: number;
}
