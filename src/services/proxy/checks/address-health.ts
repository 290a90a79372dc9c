/** What the health checks of servers find (hosts[].health). They run anyway: nothing is measured here. */
import type { AddressHealthFound, HealthReason } from '../../../runtime/address-health.ts';
import { type Text, listOf, minuteOf, say, sentences, unique } from '../../../texts/text.ts';
import { type Check, type Finding, fail, ok, unknown, warn } from '../../check.ts';

export const addressHealth: Check = {
  id: 'address-health',
  area: 'servers',
  title: say('Health checks'),
  why: say(
    'No client is led to an address that fails its health checks. If all addresses of a server fail, clients are led there nevertheless, because a check may be wrong.',
  ),
  isCheap: ({ hosts }) => hosts.some(({ health, enabled }) => health !== false && enabled),
  needs: ['default-route-6'],
  run: ({ config, services }) =>
    config.hosts.flatMap(({ name, health, enabled, maintenance }): Finding[] => {
      if (health === false || !enabled) return [];
      const checks = services.flatMap((report) => report.health?.[name] ?? []);
      const finding = judge(checks, name);
      return [
        {
          ...finding,
          // Whoever is in maintenance may fail.
          state: maintenance && finding.state === 'fail' ? 'warn' : finding.state,
          key: name,
          server: name,
          title: say('Health checks: {name}', { name }),
        },
      ];
    }),
};

function judge(checks: readonly AddressHealthFound[], name: string): Finding {
  if (checks.length === 0) return unknown(say('No listener leads to {name}.', { name }));
  const failing = checks.filter(({ state }) => state === 'fail');
  if (failing.length === 0)
    return checks.some(({ state }) => state === 'unknown')
      ? unknown(say('The first checks are not done yet.'))
      : ok(say('All is well: {checks}.', { checks: listOf(checks.map(placeOf)) }));
  const isServed = ({ service }: AddressHealthFound) =>
    checks.some((other) => other.service === service && other.state !== 'fail');
  const what = sentences(...failing.map(found));
  const remedy = sentences(...unique(failing.map(({ reason }) => REMEDIES[reason ?? 'other'])));
  return failing.every(isServed)
    ? warn(sentences(what, say('Its other addresses serve the clients.')), remedy)
    : fail(what, remedy);
}

const placeOf = ({ service, address, port }: AddressHealthFound): Text =>
  say('{service} at [{address}]:{port}', { service, address, port });

const found = (check: AddressHealthFound): Text =>
  say('{place} fails since {since}: {detail}', {
    place: placeOf(check),
    since: minuteOf(check.since ?? ''),
    detail: check.detail ?? '',
  });

const POWER = say(
  'Check that the machine runs and has this address, and that its firewall allows the appliance.',
);
const LOGS = say('Look into the log of the program that answers there.');
const HEADER = say(
  'Check whether the server expects the PROXY protocol: its clientAddress must agree with that.',
);

const REMEDIES: Readonly<Record<HealthReason, Text>> = {
  refused: say('Start the program on the server, or let it listen on this address and port.'),
  unreachable: POWER,
  timeout: POWER,
  closed: HEADER,
  tls: LOGS,
  'not-http': HEADER,
  status: say(
    'Look into the log of the web server. If it is well, set path and expect of its "health" to what it answers.',
  ),
  ourselves: say('Set the address of the server.'),
  other: LOGS,
};
