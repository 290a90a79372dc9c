/** What DNS64 does with a name that an IPv6 client asks for, and with connections to the resolver itself. */
import { resolversOf } from '../../config/resolvers.ts';
import type { Dns64Config } from '../../config/schema.ts';
import { listensFor } from '../../net/listening.ts';
import { resolveAccessList } from '../../os/interfaces.ts';
import type { Ourselves } from '../../os/ourselves.ts';
import { createCounters } from '../../runtime/counters.ts';
import {
  type Flow,
  type Leg,
  type WayStep,
  endsHere,
  endsRefused,
  endsUnknown,
  listStep,
} from '../../runtime/explain.ts';
import { CLASS_IN, RD, Rcode, Type } from '../../wire/dns-message.ts';
import { nameFromText } from '../../wire/dns-name.ts';
import { readPlainAnswer } from '../../wire/dns-packet.ts';
import { parseIpAddress } from '../../wire/ip-address.ts';
import { parseIpPrefix } from '../../wire/ip-prefix.ts';
import { accessTable, admits } from './access.ts';
import type { Answer } from './answer.ts';
import { DNS64_COUNTERS } from './counters.ts';
import { createClient } from '../../net/client.ts';
import { createResolver } from './resolve.ts';
import { createUpstreams, isLoop } from '../../net/dns-upstreams.ts';
import { say } from '../../texts/text.ts';

/** undefined when the traffic is not for the resolver and needs no look-up. */
export async function explainDns64(
  config: Dns64Config,
  ourselves: Ourselves,
  flow: Flow,
): Promise<Leg | undefined> {
  if (flow.to === undefined && flow.name !== undefined && flow.from.includes(':')) {
    return explainLookup(config, ourselves, { ...flow, name: flow.name });
  }
  const isForUs = flow.isLocal && flow.protocol !== 'icmp' && flow.port === config.port && config.enabled;
  if (!isForUs || !listensFor(config.listen, flow)) return undefined;
  const access = accessStep(config, flow.from);
  if (!access.isOk) return endsRefused([], access.text, access);
  return endsHere([access], say('The resolver answers on port {port}.', { port: config.port }));
}

function accessStep({ allow }: Dns64Config, from: string): WayStep {
  const words = new Int32Array((parseIpAddress(from) as Uint8Array<ArrayBuffer>).buffer);
  const isListed = admits(accessTable(resolveAccessList(allow)), words[0], words[1], words[2], words[3]);
  return listStep('dns64.allow', from, isListed, 'refused-access');
}

/** Asks the upstreams of this configuration, which need not be the active one: a separate resolver without a cache. */
async function explainLookup(
  config: Dns64Config,
  ourselves: Ourselves,
  flow: Flow & { readonly name: string },
): Promise<Leg> {
  const { name } = flow;
  if (!config.enabled) {
    const text = say('DNS64 is switched off: this appliance does not answer for {name}.', { name });
    return endsUnknown([], text, { configPath: '/dns64/enabled' });
  }
  const access = accessStep(config, flow.from);
  if (!access.isOk) return endsRefused([], access.text, access);
  const counters = createCounters(DNS64_COUNTERS);
  const aborter = new AbortController();
  const resolver = createResolver({
    upstreams: createUpstreams(resolversOf(config.upstreams), counters, aborter.signal, (target) =>
      isLoop(ourselves, config, target),
    ),
    pref64: config.prefixes.flatMap((text) => parseIpPrefix(text) ?? []),
    counters,
  });
  const question = { name: nameFromText(name), type: Type.AAAA, class: CLASS_IN };
  const answer = await resolver.resolve({ ...question, dnssecOk: false, flags: RD }, createClient());
  aborter.abort();
  const found = answer && addressesOf(answer);
  if (found === undefined) {
    const text = say('{name} could not be looked up: no upstream gave an answer.', { name });
    return endsUnknown([access], text, { counter: 'error-resolution', configPath: '/dns64/upstreams' });
  }
  if (found.length === 0)
    return endsRefused([access], say('{name} has no address, neither IPv6 nor IPv4.', { name }));
  const count = (counter: keyof typeof DNS64_COUNTERS) => counters.values[counters.index[counter]];
  const addresses = found.join(', ');
  const [text, configPath] =
    count('synthesised') > 0
      ? ([
          say('{name} has no IPv6 address of its own: DNS64 makes {addresses} from its IPv4 address.', {
            name,
            addresses,
          }),
          '/dns64/prefixes',
        ] as const)
      : ([
          count('local') > 0
            ? say('{name} has the IPv6 address {addresses}, answered here.', { name, addresses })
            : say('{name} has the IPv6 address {addresses} of its own.', { name, addresses }),
          undefined,
        ] as const);
  const step: WayStep = {
    isOk: true,
    text,
    ...(count('synthesised') > 0 && { counter: 'synthesised' }),
    ...(configPath !== undefined && { configPath }),
  };
  return { steps: [access, step], next: { ...flow, to: found[0] } };
}

/** The AAAA records of an answer; undefined for a failure. */
function addressesOf({ words, messageBytes }: Answer): string[] | undefined {
  const found = readPlainAnswer(new Uint8Array(words.buffer, words.byteOffset, messageBytes));
  if (found === undefined || (found.rcode !== Rcode.NOERROR && found.rcode !== Rcode.NXDOMAIN))
    return undefined;
  return found.answers.filter(({ type }) => type === 'AAAA').map(({ data }) => data);
}
