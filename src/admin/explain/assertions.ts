/** Checks the assertions of the configuration against its behaviour. */
import type { AssertionConfig, Config } from '../../config/schema.ts';
import type { AssertionResult, Explainer, Way } from '../../runtime/explain.ts';
import { SERVICES } from '../../services/all.ts';
import { type Text, say, sentences } from '../../texts/text.ts';
import { findWay } from './way.ts';

/** Evaluates every assertion of a configuration, all at the same time, because names may have to be looked up. */
export const assess = (config: Config, explainers: readonly Explainer[]): Promise<AssertionResult[]> =>
  Promise.all(
    config.assertions.map(async (assertion, i) =>
      judge(assertion, `/assertions/${i}`, config, await findWay(explainers, config, assertion)),
    ),
  );

/** What an assertion may expect instead of a server. */
const WORDS: Readonly<Record<string, Text>> = {
  refused: say('a refusal'),
  ...Object.assign({}, ...SERVICES.map(({ outcomes }) => outcomes)),
};

function judge(
  { name, expect }: AssertionConfig,
  path: string,
  { hosts }: Config,
  way: Way,
): AssertionResult {
  const { outcome } = way;
  const isKeyword = Object.hasOwn(WORDS, expect);
  const holds = isKeyword ? outcome.kind === expect : outcome.kind === 'server' && outcome.server === expect;
  const state = outcome.kind === 'unknown' ? 'unknown' : holds ? 'passed' : 'failed';
  const wanted = isKeyword ? WORDS[expect] : say('the server {server}', { server: expect });
  const isMissing = !isKeyword && !hosts.some((host) => host.name === expect);
  const hint = isMissing ? say('There is no server {server}.', { server: expect }) : undefined;
  const said =
    state === 'passed'
      ? say('"{name}": as expected.', { name })
      : say('"{name}": expected {wanted}.', { name, wanted });
  return { name, path, state, expect, way, message: sentences(said, outcome.text, hint) };
}
