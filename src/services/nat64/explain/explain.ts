/**
 * What would happen to a packet of a client, step by step. The verdict on the packet itself comes from the code of the data plane:
 * such a packet is made and passed to `determineTuple6`. The rest is read from the tables, in the same way as in inspect.ts.
 */
import type { ExplainRequest, ExplainStep, Explanation } from '../questions.ts';
import { formatIpv4, formatIpv6 } from '../../../wire/ip-address.ts';
import { IPV6, IPV6_HEADER_BYTES } from '../../../wire/ipv6.ts';
import { type Nat64Prefix, extractIpv4 } from '../../../wire/nat64-prefix.ts';
import { COUNTER, CONTINUE, NAT64_COUNTERS, type Nat64Counter, type Verdict, isDrop } from '../counters.ts';
import { determineTuple6 } from '../steps/incoming-tuple-6.ts';
import { passed, refused } from './explain-parts.ts';
import { stepsOfTables } from './explain-tables.ts';
import { formatHost, type TablesView } from '../tables/inspect.ts';
import { probePacket } from './probe-packet.ts';
import { type Text, type Value, asIs, either, listOf, say } from '../../../texts/text.ts';
import { eamIpv4At } from '../settings/stateless.ts';

/** The facts that are used in the sentences. */
interface Facts {
  readonly request: ExplainRequest;
  readonly destination: string;
  readonly prefix: Value;
  readonly remote: string;
  /** The destination has an address mapping. */
  readonly hasEam: boolean;
}

interface Check {
  readonly counter: Nat64Counter;
  readonly ok: (facts: Facts) => Text;
  readonly refused: (facts: Facts) => Text;
}

/** What `determineTuple6` checks about the addresses, in the same order. */
const CHECKS: readonly Check[] = [
  {
    counter: 'drop-destination',
    ok: ({ destination, prefix, remote, hasEam }) =>
      hasEam
        ? say('{destination} stands for {remote} by an address mapping (RFC 7757).', { destination, remote })
        : say('{destination} is inside the NAT64 prefix {prefix} and stands for {remote}.', {
            destination,
            prefix,
            remote,
          }),
    refused: ({ destination, prefix }) =>
      say('{destination} is outside the NAT64 prefix {prefix}: it is routed, not translated.', {
        destination,
        prefix,
      }),
  },
  {
    counter: 'drop-source-in-prefix',
    ok: ({ request }) =>
      say('{client} is outside that prefix, as a client must be.', { client: request.client }),
    refused: ({ request }) =>
      say('{client} is itself inside the NAT64 prefix: the packet would loop.', { client: request.client }),
  },
  {
    counter: 'drop-source-invalid',
    ok: ({ request }) =>
      say('{client} is a unicast address that answers can be sent to.', { client: request.client }),
    refused: ({ request }) =>
      say('{client} is not a routable unicast address, so no answer could be sent to it.', {
        client: request.client,
      }),
  },
  {
    counter: 'drop-not-allowed',
    ok: ({ request }) =>
      say("nat64.allow lists {client}, or it is the appliance's own.", { client: request.client }),
    refused: ({ request }) =>
      say('{list} does not list {address}.', { list: 'nat64.allow', address: request.client }),
  },
  {
    counter: 'drop-non-global',
    ok: ({ remote }) => say('{remote} may be reached through this prefix.', { remote }),
    refused: ({ remote, prefix }) =>
      say('{remote} is private or reserved; {prefix} must not stand for it (RFC 6052 section 3.1).', {
        remote,
        prefix,
      }),
  },
  {
    counter: 'drop-denied',
    ok: ({ remote }) => say('{list} does not list {address}.', { list: 'nat64.denyIpv4', address: remote }),
    refused: ({ remote }) => say('{list} lists {address}.', { list: 'nat64.denyIpv4', address: remote }),
  },
];

const COUNTER_NAMES = Object.keys(NAT64_COUNTERS) as Nat64Counter[];

/** Explains what would happen to the packet now. This changes nothing. */
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
  const mapped = eamIpv4At(settings, packet.view, start + IPV6.DESTINATION);
  const { prefixBits } = settings.prefixes[Math.max(prefixIndex, 0)];
  if (packet.isStateless && prefixIndex > 0) {
    const text = say('{client} has an IPv4 address of its own, and is translated through {prefix} only.', {
      client: request.client,
      prefix: formatPrefix(settings.prefix),
    });
    return { isTranslated: false, steps: [refused('drop-destination', text)] };
  }
  // In stateless mode, hosts may have addresses in the prefix.
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
        ? either(settings.prefixes.map(formatPrefix))
        : formatPrefix(settings.prefixes[prefixIndex]),
    // `packet.remoteAddress` is only set if all checks pass.
    remote: formatIpv4(mapped ?? extractIpv4(prefixBits, packet.view, start + IPV6.DESTINATION)),
    hasEam: mapped !== undefined,
  });
  if (verdict === CONTINUE) steps.push(...(await stepsOfTables(view, packet, request, nowSeconds)));
  return { isTranslated: steps.every(({ isOk }) => isOk), steps };
}

const formatPrefix = ({ word0, word1, word2, prefixBits }: Nat64Prefix): string =>
  `${formatHost(Int32Array.of(word0, word1, word2, 0))}/${prefixBits}`;

/** The checks, up to the one that refused. */
function stepsOfVerdict(checks: readonly Check[], verdict: Verdict, facts: Facts): ExplainStep[] {
  const steps: ExplainStep[] = [];
  for (const { counter, ok, refused: text } of checks) {
    if (verdict === COUNTER[counter]) return [...steps, refused(counter, text(facts))];
    steps.push(passed(ok(facts)));
  }
  if (isDrop(verdict)) {
    const counter = COUNTER_NAMES[verdict];
    steps.push(refused(counter, listOf([asIs(NAT64_COUNTERS[counter]), '.'], '')));
  }
  return steps;
}
