/** The DNS records to publish for a server, and whether they are published. Pure. */
import { addressesOf, isByProtocolOnly } from '../../config/host-services.ts';
import type { HostConfig } from '../../config/schema.ts';
import { formatIpv6, parseIpv4, parseIpv6 } from '../../wire/ip-address.ts';
import { isNeverRouted, isNonGlobal } from '../../wire/ipv4-scope.ts';
import type { DnsRecordFound, LiveDnsRecordFound, PublicIpv4Found } from './found.ts';
import type { Lookup } from '../../os/machine.ts';
import { type Text, say } from '../../texts/text.ts';

/**
 * For every name, an A record that leads IPv4 clients to the appliance, and an AAAA record that leads IPv6 clients directly to
 * the server.
 */
export function recordsToPublish(
  host: Pick<HostConfig, 'name' | 'address' | 'addresses' | 'hostnames' | 'services'>,
  { address, kind }: PublicIpv4Found,
): DnsRecordFound[] {
  const whyNoAddress =
    kind !== 'none'
      ? say(
          'The public address of your router: it shows it on its status page. Its ports must be forwarded to the appliance.',
        )
      : say('The appliance has no IPv4 address yet.');
  // In the DNS "*." stands for any number of labels (RFC 4592 section 2.1.1).
  // IPv6 clients do not pass here, so no rule by protocol chooses their server: the names lead to the server of all others.
  const direct = isByProtocolOnly(host) ? [] : addressesOf(host);
  const names = new Set(host.hostnames.map((name) => name.replace(/^\*\*\./, '*.')));
  return [...names].flatMap((name): DnsRecordFound[] => [
    {
      name,
      type: 'A',
      value: address,
      zoneLine: address === null ? null : `${name}. A ${address}`,
      note: address === null ? whyNoAddress : say('Leads IPv4 clients to the appliance.'),
    },
    ...direct.map((each) => ({
      name,
      type: 'AAAA' as const,
      value: each,
      zoneLine: `${name}. AAAA ${each}`,
      note: say('Leads IPv6 clients directly to {name}.', { name: host.name }),
    })),
  ]);
}

/** The name to query to see whether a record exists: for a wildcard, any name below it. */
export const nameToAsk = (name: string): string => name.replace(/^\*\./, 'tombolo-check.');

/** The record with the result of the lookup. `wanted`: the values of all records of this name and type that are to be published. */
export function compareRecord(
  record: DnsRecordFound,
  lookup: Lookup,
  resolver: string,
  wanted: readonly (string | null)[] = [record.value],
): LiveDnsRecordFound {
  const live = (state: LiveDnsRecordFound['state'], detail: Text, found: readonly string[] = []) => ({
    ...record,
    state,
    found: [...found],
    detail,
  });
  if (lookup.kind === 'failed')
    return live(
      'unknown',
      say('{resolver} could not be asked: {reason}.', { resolver, reason: lookup.reason }),
    );
  if (lookup.kind === 'none')
    return live(
      'fail',
      say('There is no {type} record for {name} yet.', { type: record.type, name: record.name }),
    );
  const { values } = lookup;
  const list = values.join(', ');
  if (record.value === null) return judgeUnknownAddress(values, live);
  const own = normalize(record.value);
  if (!values.some((value) => normalize(value) === own)) {
    return live(
      'fail',
      say('{name} leads to {list}, not to {value}.', { name: record.name, list, value: record.value }),
      values,
    );
  }
  const known = wanted.map((value) => normalize(value ?? ''));
  return values.every((value) => known.includes(normalize(value)))
    ? live('ok', say('Has arrived.'), values)
    : live(
        'warn',
        say('Has arrived, but beside other addresses ({list}): some clients go elsewhere.', { list }),
        values,
      );
}

/** Behind NAT the value cannot be compared, but a private address is always wrong. */
function judgeUnknownAddress(
  values: readonly string[],
  live: (state: LiveDnsRecordFound['state'], detail: Text, found?: readonly string[]) => LiveDnsRecordFound,
): LiveDnsRecordFound {
  const list = values.join(', ');
  const isPublic = values.every((value) => {
    const address = parseIpv4(value);
    return address !== undefined && !isNonGlobal(address) && !isNeverRouted(address);
  });
  return isPublic
    ? live(
        'unknown',
        say('Leads to {list}. This must be the public address of your router.', { list }),
        values,
      )
    : live('fail', say('Leads to {list}, which nobody on the Internet can reach.', { list }), values);
}

/** The canonical form of an address. */
function normalize(text: string): string {
  const bytes = parseIpv6(text);
  return bytes === undefined ? text : formatIpv6(bytes);
}
