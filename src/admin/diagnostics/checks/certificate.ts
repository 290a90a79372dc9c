import type { HostConfig } from '../../../config/schema.ts';
import type { ProbeFound } from '../found.ts';
import { type Check, type Finding, ok, unknown } from '../check.ts';
import { worstOf } from '../health.ts';
import { forEachServer } from './server.ts';
import { listOf, say, sentences, unique } from '../../../texts/text.ts';

export const certificate: Check = {
  id: 'certificate',
  area: 'servers',
  title: say('Certificates'),
  why: say(
    'The servers hold their own certificates. When one has expired or names another host, clients refuse to connect.',
  ),
  run: (deps) => forEachServer(deps, judgeCertificates),
};

function judgeCertificates(
  { name, maintenance }: HostConfig,
  probes: readonly ProbeFound[],
): Finding | undefined {
  const title = say('Certificates of {name}', { name });
  const shown = probes.filter((probe) => probe.certificate !== null);
  if (shown.length === 0) {
    const isExpected = probes.some((probe) => probe.name === 'tls' || probe.service === 'https');
    return isExpected && !maintenance
      ? {
          ...unknown(
            say('{name} shows no certificate at the moment; the check of the server says why.', { name }),
          ),
          title,
        }
      : undefined;
  }
  const state = worstOf(shown);
  if (state === 'ok') {
    const first = shown.flatMap((probe) => probe.certificate?.expiresAt.slice(0, 10) ?? []).sort()[0];
    return { ...ok(say('All are valid; the first one expires on {first}.', { first })), title };
  }
  const bad = shown.filter((probe) => probe.state === state);
  return {
    state,
    title,
    what: sentences(
      ...unique(
        bad.map(({ service, hostname, detail }) => listOf([service, ', ', hostname ?? '', ': ', detail], '')),
      ),
    ),
    remedy: say(
      'Renew or replace the certificate on {name}. With ACME the HTTP challenge works through the appliance, as port 80 leads to the server; see why the client there did not renew.',
      { name },
    ),
  };
}
