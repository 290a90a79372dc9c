/**
 * The shapes that come from the backend: types only, so that none of its code is in the page. Those of a service are in its
 * `contract.ts`, for its own page.
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
