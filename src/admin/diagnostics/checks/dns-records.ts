import type { LiveDnsRecord } from '../../contract/checks.ts';
import { type Check, type Finding, ok } from '../check.ts';
import { worstOf } from '../health.ts';
import { lookUpRecords } from '../network.ts';

export const dnsRecords: Check = {
  id: 'dns-records',
  area: 'names',
  title: 'DNS records',
  why: 'Clients find the servers by these names: IPv4 clients the appliance, IPv6 clients the server itself.',
  needs: ['default-route-4', 'dns64-upstreams'],
  async run({ machine, config, only, publicIpv4 }): Promise<Finding[]> {
    const address = await publicIpv4();
    const hosts = config.hosts.filter(({ name }) => only === undefined || only === name);
    const findings = hosts.map(async (host) => {
      if (host.hostnames.length === 0) return [];
      const records = await lookUpRecords(machine, config.dns64, host, address);
      return [{ ...judge(records), key: host.name, server: host.name, title: `DNS records of ${host.name}` }];
    });
    return (await Promise.all(findings)).flat();
  },
};

function judge(records: readonly LiveDnsRecord[]): Finding {
  const state = worstOf(records);
  if (state === 'ok') return ok(`All ${records.length} records have arrived.`);
  const bad = records.filter((record) => record.state === state);
  const mend = bad.flatMap(({ zoneLine }) => zoneLine ?? []).join('\n');
  return {
    state,
    what: [...new Set(bad.map(({ name, type, detail }) => `${name}, ${type}: ${detail}`))].join(' '),
    ...(state === 'unknown' || mend === '' ? {} : { mend: `Publish, where the zone is kept:\n${mend}` }),
  };
}
