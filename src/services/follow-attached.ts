/** The networks that "lan" stands for in the access lists of servers. They are followed only while a server says "lan". */
import type { HostConfig } from '../config/schema.ts';
import { followAccess } from '../os/follow-access.ts';
import type { FollowedOurselves } from '../os/follow-ourselves.ts';
import type { IpPrefix } from '../wire/ip-prefix.ts';

export interface FollowedAttached extends Disposable {
  /** The networks now, and from now on for these servers; empty if none of them says "lan". */
  of(hosts: readonly Pick<HostConfig, 'allow'>[]): readonly IpPrefix[];
}

/** `onChange` is called when the machine has come into other networks, not within `of`. */
export function followAttached(ourselves: FollowedOurselves, onChange: () => void): FollowedAttached {
  let isAsked = false;
  const access = followAccess([], ourselves, () => {
    if (!isAsked) onChange();
  });
  return {
    of(hosts) {
      isAsked = true;
      access.set(hosts.some(({ allow }) => allow.includes('lan')) ? ['lan'] : []);
      isAsked = false;
      return access.prefixes;
    },
    [Symbol.dispose]: () => access[Symbol.dispose](),
  };
}
