/** The timeouts and limits of a TCP service. */

/** What is configured (`limits`); what is left out is shared by the rules of shares.ts alone. */
export interface ConnectionLimits {
  /** At most as many as there is memory and descriptors for. */
  readonly connections?: number | undefined;
  readonly connectionsPerClient?: number | undefined;
  readonly newConnectionsPerSecondPerClient?: number | undefined;
  readonly connectionsPerServer?: number | undefined;
  /** How long nothing may arrive in the direction that is left, when the other one has ended. */
  readonly halfClosedTimeoutMs: number;
}

/** A change also applies to connections that are already open. */
export interface ConnectionTimeouts extends ConnectionLimits {
  /** For the client's first bytes; then again for the server to accept. */
  readonly handshakeTimeoutMs: number;
  /** 0: connections may be silent without limit. */
  readonly idleTimeoutMs: number;
}
