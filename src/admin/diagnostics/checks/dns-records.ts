import type { LiveDnsRecordFound } from '../found.ts';
import { type Check, type Finding, ok } from '../check.ts';
import { worstOf } from '../health.ts';
import { lookUpRecords } from '../network.ts';
import { listOf, say, sentences, unique } from '../../../texts/text.ts';

export const dnsRecords: Check = {
  id: 'dns-records',
  area: 'names',
  title: say('DNS records'),
  why: say('These names lead IPv4 clients to the appliance and IPv6 clients to the server itself.'),
  needs: ['default-route-4', 'dns64-upstreams'],
  async run({ machine, config, only, publicIpv4 }): Promise<Finding[]> {
    const address = await publicIpv4();
    const hosts = config.hosts.filter(({ name }) => only === undefined || only === name);
    const findings = hosts.map(async (host) => {
      if (!host.enabled || host.hostnames.length === 0) return [];
      const records = await lookUpRecords(machine, config, host, address);
      return [
        {
          ...judge(records),
          key: host.name,
          server: host.name,
          title: say('DNS records of {name}', { name: host.name }),
        },
      ];
    });
    return (await Promise.all(findings)).flat();
  },
};

function judge(records: readonly LiveDnsRecordFound[]): Finding {
  const state = worstOf(records);
  if (state === 'ok') return ok(say('All {count} records have arrived.', { count: records.length }));
  const bad = records.filter((record) => record.state === state);
  const remedy = bad.flatMap(({ zoneLine }) => zoneLine ?? []).join('\n');
  return {
    state,
    what: sentences(
      ...unique(bad.map(({ name, type, detail }) => listOf([name, ', ', type, ': ', detail], ''))),
    ),
    ...(state === 'unknown' || remedy === ''
      ? {}
      : { remedy: say('Publish these records where the zone is managed:\n{lines}', { lines: remedy }) }),
  };
}
