/** The networks that "lan" stands for in several access lists. They are followed only while a list says "lan". */
import type { IpPrefix } from '../wire/ip-prefix.ts';
import { followAccess } from './follow-access.ts';
import type { FollowedOurselves } from './follow-ourselves.ts';

export interface FollowedAttached extends Disposable {
  /** The networks now, and from now on for these lists; empty if none of them says "lan". */
  of(lists: readonly { readonly allow: readonly string[] }[]): readonly IpPrefix[];
}

/** `onChange` is called when the machine has come into other networks, not within `of`. */
export function followAttached(ourselves: FollowedOurselves, onChange: () => void): FollowedAttached {
  let isAsked = false;
  const access = followAccess([], ourselves, () => {
    if (!isAsked) onChange();
  });
  return {
    of(lists) {
      isAsked = true;
      access.set(lists.some(({ allow }) => allow.includes('lan')) ? ['lan'] : []);
      isAsked = false;
      return access.prefixes;
    },
    [Symbol.dispose]: () => access[Symbol.dispose](),
  };
}
