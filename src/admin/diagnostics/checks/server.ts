import type { ProbeFound } from '../found.ts';
import type { HostConfig } from '../../../config/schema.ts';
import { type Check, type CheckDeps, type Finding, ok, unknown, warn } from '../check.ts';
import { serverState } from '../health.ts';
import { listOf, say, sentences } from '../../../texts/text.ts';

export const server: Check = {
  id: 'server',
  area: 'servers',
  title: say('Server'),
  why: say('The server must answer the connections that the appliance routes to it.'),
  needs: ['default-route-6'],
  run: (deps) => forEachServer(deps, judgeServer),
};

/** One finding for each configured server that is not switched off, or only for the requested one. */
export function forEachServer(
  { config, only, probe }: CheckDeps,
  judge: (host: HostConfig, probes: readonly ProbeFound[]) => Finding | undefined,
): Promise<Finding[]> {
  const hosts = config.hosts.filter(({ name, enabled }) => enabled && (only === undefined || only === name));
  return Promise.all(
    hosts.map(async (host) => {
      const { name } = host;
      const finding = judge(host, (await probe(name)).probes);
      return finding === undefined ? [] : [{ ...finding, key: name, server: name }];
    }),
  ).then((findings) => findings.flat());
}

/** Everything except the findings about certificates, which have their own line. */
function judgeServer({ name, maintenance }: HostConfig, probes: readonly ProbeFound[]): Finding {
  const title = say('Server {name}', { name });
  if (maintenance) {
    const remedy = say('Switch maintenance off when the work is done.');
    return { ...warn(say('{name} is in maintenance: clients are turned away.', { name }), remedy), title };
  }
  if (probes.length === 0)
    return {
      ...unknown(say('Nothing leads to {name}: it has neither host names nor SSH.', { name })),
      title,
    };
  const relevant = probes.filter(({ certificate }) => certificate === null);
  const state = serverState(relevant);
  if (state === 'ok') {
    const services = [...new Set(probes.map(({ service }) => service))].join(', ');
    const latencyMs = Math.max(...relevant.map((probe) => probe.latencyMs ?? 0));
    return {
      ...ok(
        say('Answers as it should: {services}; the slowest answer took {milliseconds} ms.', {
          services,
          milliseconds: Math.round(latencyMs),
        }),
      ),
      title,
    };
  }
  const bad = relevant.filter((probe) => probe.state !== 'ok');
  return {
    state,
    title,
    what: sentences(...bad.map(({ service, detail }) => listOf([service, detail], ': '))),
    remedy: say(
      'Check on {name} that the programs run and listen on these ports, and that its firewall allows the appliance.',
      { name },
    ),
  };
}
