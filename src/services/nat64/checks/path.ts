import { formatIpv6, mappedIpv4, parseIpAddress } from '../../../wire/ip-address.ts';
import { parseIpPrefix } from '../../../wire/ip-prefix.ts';
import { embedIpv4 } from '../../../wire/rfc6052.ts';
import { type Check, type Finding, fail, ok, unknown } from '../../check.ts';
import { mayAskUpstreams, upstreamServers } from '../../../config/resolvers.ts';
import type { Nat64Queries } from '../questions.ts';
import { say, sentences } from '../../../texts/text.ts';

export const nat64Path: Check = {
  id: 'nat64-path',
  area: 'nat64',
  isCheap: mayAskUpstreams,
  title: say('The way through NAT64'),
  why: say(
    'The servers reach the IPv4 Internet through NAT64. A real packet takes this way here, and its answer comes back.',
  ),
  needs: ['default-route-4', 'addresses', 'forward-policy', 'kernel-state'],
  async run({ machine, config, queries }): Promise<Finding | readonly Finding[]> {
    const { nat64 } = config;
    if (!nat64.enabled) return [];
    const prefix = parseIpPrefix(nat64.prefix);
    const upstream = upstreamServers(config).find(({ family }) => family === 4);
    const ipv4 = mappedIpv4(upstream?.address ?? new Uint8Array(16));
    if (prefix === undefined || upstream === undefined || ipv4 === undefined) {
      return unknown(say('There is no IPv4 resolver in dns64.upstreams that could be asked through NAT64.'));
    }
    const target = embedIpv4(prefix, ipv4);
    const path = machine.pathTo(target);
    if ('problem' in path) {
      return fail(
        say('The appliance cannot reach {address}: {problem}.', {
          address: formatIpv6(target),
          problem: path.problem,
        }),
        say('See the check of the service NAT64; the appliance also needs an IPv6 address of its own.'),
      );
    }
    const direct = await machine.lookUp([upstream.server], '.', 'NS');
    if (direct.kind === 'failed') {
      return unknown(
        say('The test asks {resolver} through NAT64, but that does not answer without NAT64 either.', {
          resolver: upstream.text,
        }),
      );
    }
    const through = await machine.lookUp([`[${formatIpv6(target)}]:${upstream.port}`], '.', 'NS');
    if (through.kind !== 'failed') {
      return ok(
        say('{resolver} answers through NAT64, asked at {address}.', {
          resolver: upstream.text,
          address: formatIpv6(target),
        }),
      );
    }
    const isWellFormed = parseIpAddress(path.source) !== undefined;
    const explanation = isWellFormed
      ? await (queries('nat64') as Nat64Queries | undefined)?.explain({
          client: path.source,
          destination: formatIpv6(target),
          protocol: 'udp',
          destinationPort: upstream.port,
        })
      : undefined;
    const refusal = explanation?.steps.find(({ isOk }) => !isOk);
    if (refusal?.counter === 'drop-not-allowed') {
      return unknown(
        sentences(say('nat64.allow does not list the appliance itself, so it cannot try.'), refusal.text),
      );
    }
    return fail(
      sentences(
        say('{resolver} answers directly, but not through NAT64 (asked at {address} from {source}).', {
          resolver: upstream.text,
          address: formatIpv6(target),
          source: path.source,
        }),
        refusal?.text,
      ),
      say(
        'A firewall of the appliance may drop what it forwards: it must accept packets from and to the NAT64 device. The counters of NAT64 tell what it dropped itself.',
      ),
    );
  },
};
