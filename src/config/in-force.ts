/** The configuration in force, and the step from one to the next. */
import type { Logger } from '../runtime/log.ts';
import type { ConfigDocument, LoadedConfig } from './load.ts';
import { revisionOf } from './revision-of.ts';
import type { Config } from './schema.ts';

/** Puts `next` into force; when it throws, `previous` must be in force again. */
export type ApplyConfig = (next: Config, previous: Config) => Promise<void>;

export interface InForce {
  readonly config: Config;
  readonly document: ConfigDocument;
  readonly revision: string;
  onChange(apply: ApplyConfig): void;
  /** Puts a loaded configuration into force; `persist` makes it last. Rejects with the one before in force. */
  change(
    next: LoadedConfig,
    persist: () => Promise<void>,
  ): Promise<{ readonly outcome: 'changed'; readonly revision: string }>;
}

export function createInForce(first: LoadedConfig, log: Pick<Logger, 'info'>): InForce {
  let { config, document } = first;
  let revision = revisionOf(document);
  let apply: ApplyConfig | undefined;
  return {
    get config() {
      return config;
    },
    get document() {
      return document;
    },
    get revision() {
      return revision;
    },
    onChange: (callback) => void (apply = callback),
    async change(next, persist) {
      const previous = config;
      await apply?.(next.config, previous);
      try {
        await persist();
      } catch (error) {
        await apply?.(previous, next.config);
        throw error;
      }
      ({ config, document } = next);
      revision = revisionOf(document);
      log.info({ revision }, 'configuration: changed');
      return { outcome: 'changed', revision };
    },
  };
}
