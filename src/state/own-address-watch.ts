/** Reports servers and upstreams of the configuration that are this appliance itself. The data planes refuse these. */
import { checkOurselves } from '../config/check-ourselves.ts';
import type { Config } from '../config/schema.ts';
import type { FollowedOurselves } from '../os/follow-ourselves.ts';
import type { Conditions } from '../runtime/conditions.ts';
import type { Logger } from '../runtime/log.ts';
import { asIs, english, listOf } from '../texts/text.ts';

export interface OwnAddressWatch extends Disposable {
  /** Checks a configuration that is about to become active. */
  look(config: Config): void;
}

export interface OwnAddressWatchOptions {
  readonly ourselves: FollowedOurselves;
  /** The active configuration. */
  readonly config: () => Config;
  readonly conditions: Conditions;
  readonly log: Pick<Logger, 'warn'>;
}

/** Checks now, and whenever an own address appears or disappears, until disposed. */
export function watchOwnAddresses({
  ourselves,
  config,
  conditions,
  log,
}: OwnAddressWatchOptions): OwnAddressWatch {
  let logged = '';
  function look(of: Config): void {
    const problems = checkOurselves(of, ourselves.current.own);
    const texts = problems.map(({ path, message }) => listOf([asIs(path), message], ': '));
    conditions.set('configuration', 'ourselves', texts.length === 0 ? undefined : listOf(texts, '; '));
    const said = texts.map(english).join('; ');
    if (said !== logged && said !== '')
      log.warn({ problems: said }, 'configuration: leads to this appliance itself, which is refused');
    logged = said;
  }
  look(config());
  const following = ourselves.onChange(() => look(config()));
  return { look, [Symbol.dispose]: () => following[Symbol.dispose]() };
}
