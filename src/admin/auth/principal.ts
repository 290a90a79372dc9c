/** Who sends a request, and what they may do. */
import type { Scope } from '../contract/common.ts';

export interface Principal {
  readonly kind: 'session' | 'token' | 'bootstrap';
  /** For the audit log and the history of revisions: "owner", "token NAME", "bootstrap token". */
  readonly name: string;
  readonly scope: Scope;
  /** The id of the session or the API token; null for the bootstrap token. */
  readonly id: string | null;
  /** False once signed out, revoked or expired. A stream checks it again while it is open. */
  isValid(): boolean;
}

const RANK: Readonly<Record<Scope, number>> = { read: 1, configure: 2, system: 3 };

export const allows = (held: Scope, asked: Scope): boolean => RANK[held] >= RANK[asked];
