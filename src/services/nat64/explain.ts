/**
 * What would happen to a packet of a client, step by step. The verdict on the packet itself is the data plane's own: such
 * a packet is made and given to `determineTuple6`. What the tables would do to it is read from them, as inspect.ts does.
 */
import type { ExplainRequest, ExplainStep, Explanation } from '../../runtime/nat64-queries.ts';
import { formatIpv4, formatIpv6 } from '../../wire/ip-address.ts';
import { IPV6, IPV6_HEADER_BYTES } from '../../wire/ipv6.ts';
import { type Nat64Prefix, extractIpv4 } from '../../wire/nat64-prefix.ts';
import { COUNTER, CONTINUE, NAT64_COUNTERS, type Nat64Counter, type Verdict } from './counters.ts';
import { determineTuple6 } from './incoming-tuple-6.ts';
import { passed, refused, stepsOfTables } from './explain-tables.ts';
import { formatHost, type TablesView } from './inspect.ts';
import { probePacket } from './probe-packet.ts';

/** What is known when a sentence is made. */
interface Facts {
  readonly request: ExplainRequest;
  readonly destination: string;
  readonly prefix: string;
  readonly remote: string;
}

interface Check {
  readonly counter: Nat64Counter;
  readonly ok: (facts: Facts) => string;
  readonly refused: (facts: Facts) => string;
}

/** What `determineTuple6` asks of the addresses, in its order. */
const CHECKS: readonly Check[] = [
  {
    counter: 'drop-destination',
    ok: ({ destination, prefix, remote }) =>
      `${destination} is inside the NAT64 prefix ${prefix} and stands for ${remote}.`,
    refused: ({ destination, prefix }) =>
      `${destination} is outside the NAT64 prefix ${prefix}: it is no address for NAT64, but one to be routed.`,
  },
  {
    counter: 'drop-source-in-prefix',
    ok: ({ request }) => `${request.client} is outside that prefix, as a client must be.`,
    refused: ({ request }) => `${request.client} is itself inside the NAT64 prefix: the packet would loop.`,
  },
  {
    counter: 'drop-source-invalid',
    ok: ({ request }) => `${request.client} is a unicast address that answers can be sent to.`,
    refused: ({ request }) =>
      `${request.client} is no unicast address of a host on another link, so no answer could be sent to it.`,
  },
  {
    counter: 'drop-not-allowed',
    ok: ({ request }) => `nat64.allow lists ${request.client}, or it is the appliance's own.`,
    refused: ({ request }) => `nat64.allow does not list ${request.client}.`,
  },
  {
    counter: 'drop-non-global',
    ok: ({ remote }) => `${remote} may be reached through this prefix.`,
    refused: ({ remote, prefix }) =>
      `${remote} is private or reserved; ${prefix} must not stand for it (RFC 6052 section 3.1).`,
  },
  {
    counter: 'drop-denied',
    ok: ({ remote }) => `nat64.denyIpv4 does not list ${remote}.`,
    refused: ({ remote }) => `nat64.denyIpv4 lists ${remote}.`,
  },
];

const COUNTER_NAMES = Object.keys(NAT64_COUNTERS) as Nat64Counter[];

/** Explains what would happen to the packet now; nothing is changed by it. */
export async function explain(
  view: TablesView,
  request: ExplainRequest,
  nowSeconds: number,
): Promise<Explanation> {
  const { settings } = view;
  const packet = probePacket(settings, request);
  const { start } = packet;
  const destination = formatIpv6(packet.bytes.slice(start + IPV6.DESTINATION, start + IPV6_HEADER_BYTES));
  const verdict = determineTuple6(settings, packet);
  const { prefixIndex } = packet;
  const { prefixBits } = settings.prefixes[Math.max(prefixIndex, 0)];
  if (packet.isStateless && prefixIndex > 0) {
    const text = `${request.client} has an IPv4 address of its own, and is translated through ${formatPrefix(settings.prefix)} only.`;
    return { isTranslated: false, steps: [refused('drop-destination', text)] };
  }
  // In stateless mode hosts may have addresses of the prefix.
  const checks = CHECKS.filter(
    ({ counter }) =>
      !(counter === 'drop-source-in-prefix' && settings.isStateless) &&
      !(counter === 'drop-denied' && settings.denied4.length === 0),
  );
  const steps = stepsOfVerdict(checks, verdict, {
    request,
    destination,
    prefix:
      prefixIndex === -1
        ? settings.prefixes.map(formatPrefix).join(' and ')
        : formatPrefix(settings.prefixes[prefixIndex]),
    // The packet's own is set only when all is well.
    remote: formatIpv4(extractIpv4(prefixBits, packet.view, start + IPV6.DESTINATION)),
  });
  if (verdict === CONTINUE) steps.push(...(await stepsOfTables(view, packet, request, nowSeconds)));
  return { isTranslated: steps.every(({ isOk }) => isOk), steps };
}

const formatPrefix = ({ word0, word1, word2, prefixBits }: Nat64Prefix): string =>
  `${formatHost({ word0, word1, word2, word3: 0 })}/${prefixBits}`;

/** The checks up to the one that refused. */
function stepsOfVerdict(checks: readonly Check[], verdict: Verdict, facts: Facts): ExplainStep[] {
  const steps: ExplainStep[] = [];
  for (const { counter, ok, refused: text } of checks) {
    if (verdict === COUNTER[counter]) return [...steps, refused(counter, text(facts))];
    steps.push(passed(ok(facts)));
  }
  if (verdict !== CONTINUE) {
    const counter = COUNTER_NAMES[verdict];
    steps.push(refused(counter, `${NAT64_COUNTERS[counter]}.`));
  }
  return steps;
}
