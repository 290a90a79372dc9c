/** The contract's areas that the present page uses, in one place for it. New code imports from contract/. */
export type * from './contract/common.ts';
export type * from './contract/nat64.ts';
export type * from './contract/status.ts';
