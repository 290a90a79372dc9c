/** Every shape that comes from the backend: types only, so that none of its code is in the page. */
export type * from '../../../src/admin/contract/apply.ts';
export type * from '../../../src/admin/contract/auth.ts';
export type * from '../../../src/admin/contract/checks.ts';
export type * from '../../../src/admin/contract/common.ts';
export type * from '../../../src/admin/contract/live.ts';
export type * from '../../../src/admin/contract/nat64.ts';
export type * from '../../../src/admin/contract/status.ts';
export type * from '../../../src/admin/contract/system-ssh.ts';
export type * from '../../../src/config/schema.ts';
