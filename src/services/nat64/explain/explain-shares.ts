/** What the shares of clients mean for a packet: the same rule as in `clients.ts`, but by walking the records. */
import type { ExplainStep } from '../questions.ts';
import { say } from '../../../texts/text.ts';
import { parseIpv6 } from '../../../wire/ip-address.ts';
import { isWithinShares } from '../tables/clients.ts';
import { type Found, refused } from './explain-parts.ts';
import { type Mapping, type TablesView, formatHost, walkBib } from '../tables/inspect.ts';
import type { Packet } from '../packet/packet.ts';
import { compileAccessList, isAllowed } from '../settings/address-list.ts';

export const SHARE_OF_PORTS = say(
  'Few ports are left, and the client or its network has far more than that: it gets no more until some end.',
);
const SHARE_OF_SESSIONS = say(
  'Few sessions are left, and the client or its network has far more than that: it gets no more until some end.',
);

/** The refusal if the client has more sessions than its share. */
export function explainSessionShare({
  clientSessions,
  networkSessions,
  use,
}: Found): ExplainStep | undefined {
  const left = use.maxSessions - use.sessions;
  return left <= 0 || isWithinShares(clientSessions, networkSessions, left)
    ? undefined
    : refused('drop-client-share', SHARE_OF_SESSIONS);
}

/**
 * The refusal if the target of a hairpinned packet has at least as many sessions as are left. The session that the packet opens on
 * its way out already counts then.
 */
export async function explainTargetShare(
  view: TablesView,
  packet: Packet,
  target: Mapping,
  { session, use }: Found,
): Promise<ExplainStep | undefined> {
  const own = session === undefined ? 1 : 0;
  const left = use.maxSessions - use.sessions - own;
  const address = parseIpv6(formatHost(target.host)) as Uint8Array;
  const client = compileAccessList([{ address, prefixBits: view.settings.clientPrefixBits }]);
  let sessions = target.isStatic ? target.sessions : 0;
  if (!target.isStatic) {
    if (isAllowed(client, packet.host)) sessions += own;
    await walkBib(view, ({ isStatic, host, sessions: ofMapping }) => {
      if (!isStatic && isAllowed(client, host)) sessions += ofMapping;
      return true;
    });
  }
  return sessions >= left ? refused('drop-client-share', SHARE_OF_SESSIONS) : undefined;
}
