/** The DNS records to publish for a server, and whether they have arrived. Pure. */
import type { HostConfig } from '../../config/schema.ts';
import { formatIpv6, parseIpv4, parseIpv6 } from '../../wire/ip-address.ts';
import { isNeverRouted, isPrivate } from '../../wire/ipv4-scope.ts';
import type { DnsRecord, LiveDnsRecord, PublicIpv4 } from '../contract/checks.ts';
import type { Lookup } from './machine.ts';

/** For every name an A record that leads IPv4 clients to the appliance, and an AAAA record that leads IPv6 clients past it. */
export function recordsToPublish(
  host: Pick<HostConfig, 'name' | 'address' | 'hostnames'>,
  { address, kind }: PublicIpv4,
): DnsRecord[] {
  const whyNoAddress =
    kind !== 'none'
      ? 'The public address of your router: it shows it on its status page. Its ports must be forwarded to the appliance.'
      : 'The appliance has no IPv4 address yet.';
  return host.hostnames.flatMap((name): DnsRecord[] => [
    {
      name,
      type: 'A',
      value: address,
      zoneLine: address === null ? null : `${name}. A ${address}`,
      note: address === null ? whyNoAddress : 'Leads IPv4 clients to the appliance.',
    },
    {
      name,
      type: 'AAAA',
      value: host.address,
      zoneLine: `${name}. AAAA ${host.address}`,
      note: `Leads IPv6 clients directly to ${host.name}.`,
    },
  ]);
}

/** What to ask for to see whether a record is there: any name stands for a wildcard. */
export const nameToAsk = (name: string): string => name.replace(/^\*\./, 'tombolo-check.');

/** The record with what was found. */
export function compareRecord(record: DnsRecord, lookup: Lookup, resolver: string): LiveDnsRecord {
  const live = (state: LiveDnsRecord['state'], detail: string, found: readonly string[] = []) => ({
    ...record,
    state,
    found: [...found],
    detail,
  });
  if (lookup.kind === 'failed') return live('unknown', `${resolver} could not be asked: ${lookup.reason}.`);
  if (lookup.kind === 'none')
    return live('fail', `There is no ${record.type} record for ${record.name} yet.`);
  const { values } = lookup;
  const list = values.join(', ');
  if (record.value === null) return judgeUnknownAddress(values, live);
  const wanted = normalize(record.value);
  if (!values.some((value) => normalize(value) === wanted)) {
    return live('fail', `${record.name} leads to ${list}, not to ${record.value}.`, values);
  }
  return values.length === 1
    ? live('ok', 'Has arrived.', values)
    : live('warn', `Has arrived, but beside other addresses (${list}): some clients go elsewhere.`, values);
}

/** Behind NAT nothing can be compared, but a private address is wrong in any case. */
function judgeUnknownAddress(
  values: readonly string[],
  live: (state: LiveDnsRecord['state'], detail: string, found?: readonly string[]) => LiveDnsRecord,
): LiveDnsRecord {
  const list = values.join(', ');
  const isPublic = values.every((value) => {
    const address = parseIpv4(value);
    return address !== undefined && !isPrivate(address) && !isNeverRouted(address);
  });
  return isPublic
    ? live('unknown', `Leads to ${list}. This must be the public address of your router.`, values)
    : live('fail', `Leads to ${list}, which nobody on the Internet can reach.`, values);
}

/** One spelling for each address. */
function normalize(text: string): string {
  const bytes = parseIpv6(text);
  return bytes === undefined ? text : formatIpv6(bytes);
}
