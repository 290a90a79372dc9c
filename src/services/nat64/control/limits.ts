/** The limited resources of NAT64, as the main thread sees them. */
import type { Limit } from '../../../runtime/limits.ts';
import { say } from '../../../texts/text.ts';
import { TRANSPORT } from '../packet/packet.ts';
import { portsOf } from '../tables/port-use.ts';
import type { Settings } from '../settings/settings.ts';
import { MAX_STORED_SYNS } from '../tables/stored-syns.ts';
import { CONTROL, type SharedTables } from '../tables/tables.ts';
import { ANSWERS_PER_SECOND } from '../steps/answer-rates.ts';

const PORTS = [
  [TRANSPORT.TCP, say('TCP ports of pool4')],
  [TRANSPORT.UDP, say('UDP ports of pool4')],
  [TRANSPORT.ICMP, say('ICMP identifiers of pool4')],
] as const;
const SEE_CLIENTS = say(
  'See on the NAT64 page which server has the most of them. You can raise the limits with nat64.pool4 and nat64.maxSessions.',
);

/** `withheld`: the count of ICMP errors that were not sent. If it has grown since the last call, the rate limit was reached. */
export function createLimits(withheld: () => number) {
  let lastWithheld = withheld();
  return ({ control, maxSessions }: SharedTables, { pools }: Settings): Limit[] => {
    const nowWithheld = withheld();
    const isRateReached = nowWithheld > lastWithheld;
    lastWithheld = nowWithheld;
    return [
      {
        what: say('sessions'),
        used: control[CONTROL.SESSION_COUNT],
        size: maxSessions,
        advice: SEE_CLIENTS,
      },
      ...PORTS.map(([protocol, what]) => ({
        what,
        used: control[CONTROL.PORTS_USED + protocol] + control[CONTROL.PORTS_RESTING + protocol],
        size: portsOf(pools, protocol),
        advice: SEE_CLIENTS,
      })),
      {
        what: say('places for connections from the IPv4 side to ports that nobody has'),
        used: control[CONTROL.STORED_SYNS],
        size: MAX_STORED_SYNS,
        isHarmless: true,
        advice: say('Somebody is scanning the ports of pool4. This does no harm; there is nothing to do.'),
      },
      {
        what: say('ICMP errors in a second'),
        used: isRateReached ? ANSWERS_PER_SECOND : 0,
        size: ANSWERS_PER_SECOND,
        isHarmless: true,
        advice: say(
          'Somebody sends many packets that cannot be translated: the counters of NAT64 tell why. Others are still answered.',
        ),
      },
    ];
  };
}
