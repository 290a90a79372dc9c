/**
 * The types of data from the backend. Types only, so the page contains none of the backend's code. The types of a service are
 * in its `contract.ts`, for its own page.
 */
export type * from '../../../src/admin/contract/apply.ts';
export type * from '../../../src/admin/contract/auth.ts';
export type * from '../../../src/admin/contract/backup.ts';
export type * from '../../../src/admin/contract/checks.ts';
export type * from '../../../src/admin/contract/common.ts';
export type * from '../../../src/admin/contract/explain.ts';
export type * from '../../../src/admin/contract/live.ts';
export type * from '../../../src/admin/contract/parse-hosts.ts';
export type * from '../../../src/admin/contract/status.ts';
export type * from '../../../src/admin/contract/system-ssh.ts';
export type * from '../../../src/admin/contract/system.ts';
export type * from '../../../src/config/schema.ts';
export type { ConnectionEvent } from '../../../src/net/connection-event.ts';
export type { TcpSharesAnswer } from '../../../src/net/shares-answer.ts';
