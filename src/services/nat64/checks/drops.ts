import { type Check, type Finding, ok, unknown, warn } from '../../check.ts';
import { type Text, asIs, listOf, say, sentences } from '../../../texts/text.ts';

/** Drops that mean that NAT64 could not do its task, with advice for each. */
const TELLING: Readonly<Record<string, Text>> = {
  'drop-no-pool4': say('Check the IPv4 address of the appliance, or set nat64.pool4.'),
  'drop-pool4-exhausted': say('Add an address or more ports to nat64.pool4.'),
  'drop-client-limit': say(
    'See on the NAT64 page which server has so many sessions. If it needs them, raise nat64.maxMappingsPerClient and nat64.maxSessionsPerClient.',
  ),
  'drop-client-share': say(
    'See on the NAT64 page which server has so many ports or sessions. If it needs them, add ports to nat64.pool4, or raise nat64.maxSessions.',
  ),
  'drop-sessions-full': say('Raise nat64.maxSessions.'),
  'drop-no-port-block': say('List the client in nat64.portBlocks.clients, or take it out of nat64.allow.'),
  'log-records-lost': say(
    'Set nat64.log to "mappings", which are fewer than sessions; or use nat64.portBlocks, which need no log.',
  ),
  'drop-write-failed': say('See the log: the kernel did not take translated packets.'),
  'drop-fast-path': say('See what takes the memory of the appliance on the System page.'),
};

export const nat64Drops: Check = {
  id: 'nat64-drops',
  area: 'nat64',
  title: say('Packets that NAT64 had to drop'),
  why: say('A dropped packet is a connection of a server that hangs or fails.'),
  run({ services, countersBefore }): Finding | readonly Finding[] {
    const report = services.find(({ name }) => name === 'nat64');
    if (report === undefined || report.status.state === 'disabled') return [];
    const before = countersBefore?.['nat64'];
    if (before === undefined)
      return unknown(
        say('Known from the second run on: packets that are dropped between two runs are counted.'),
      );
    const grown = Object.keys(TELLING).flatMap((name) => {
      const more = (report.counters[name] ?? 0) - (before[name] ?? 0);
      return more > 0 ? [{ name, more, explanation: report.counterTable[name] ?? name }] : [];
    });
    if (grown.length === 0)
      return ok(
        say('Since the previous run, no packet was dropped for lack of ports, sessions or an address.'),
      );
    return warn(
      say('Since the previous run: {drops}.', {
        drops: listOf(
          grown.map(({ more, explanation }) => listOf([more, ' (', asIs(explanation), ')'], '')),
          '; ',
        ),
      }),
      sentences(...grown.map(({ name }) => TELLING[name])),
    );
  },
};
