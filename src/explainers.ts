/** What each service would do with traffic under any configuration: the part of the composition root for explanations. */
import type { Config } from './config/schema.ts';
import { compileOurselves } from './os/ourselves.ts';
import type { Explainer } from './runtime/explain.ts';
import { SERVICES } from './services/all.ts';
import { embeddingTexts, portsOfOthers, prefixesOf } from './services/configured.ts';
import type { RunningService } from './services/description.ts';
import type { IpPrefix } from './wire/ip-prefix.ts';

/** The facts about this machine that an explanation needs, besides the configuration. */
export interface Surroundings {
  /** Own addresses. */
  readonly own: () => readonly IpPrefix[];
  /** The running service of this name, if it runs. */
  readonly running: (service: string) => RunningService | undefined;
}

/**
 * The explainers of the services, in the order in which the kernel gives them a packet. `isLive`: the configuration is the
 * active one, so the state of the services counts. Their code is loaded when it is first needed.
 */
export async function explainersOf(
  config: Config,
  isLive: boolean,
  { own, running }: Surroundings,
): Promise<readonly Explainer[]> {
  const ourselves = compileOurselves(own(), prefixesOf(config));
  const explainers = await Promise.all(
    SERVICES.map(async (service): Promise<Explainer | undefined> => {
      const { name, explain } = service;
      if (explain === undefined) return undefined;
      const options = service.options(config, portsOfOthers(config, name), embeddingTexts(config));
      const question = { config, ourselves, isLive, options, running: running(name) };
      const { isBeforeSockets } = explain;
      return { service: name, isBeforeSockets, explain: await explain.load(question) };
    }),
  );
  return explainers
    .filter((each) => each !== undefined)
    .sort((a, b) => Number(b.isBeforeSockets) - Number(a.isBeforeSockets));
}
