/** The configuration file and the configuration in force, and the one way to change them. */
import { createHash } from 'node:crypto';
import { readFileSync, realpathSync, statSync } from 'node:fs';
import { removeFileDurably, writeFileAtomically } from '../os/atomic-write.ts';
import type { Logger } from '../runtime/log.ts';
import { type ConfigDocument, checkedHere, loadConfig } from './load.ts';
import { type ConfigProblem, formatProblem } from './problem.ts';
import type { Config } from './schema.ts';

/** A configuration that was refused. */
export class ConfigError extends Error {
  readonly problems: readonly ConfigProblem[];
  constructor(fileName: string, problems: readonly ConfigProblem[]) {
    super(problems.map((problem) => formatProblem(problem, fileName)).join('\n'));
    this.name = 'ConfigError';
    this.problems = problems;
  }
}

/** Puts `next` into force; when it throws, `previous` must be in force again. */
export type ApplyConfig = (next: Config, previous: Config) => Promise<void>;

export type ChangeResult =
  | { readonly outcome: 'changed'; readonly revision: string }
  | { readonly outcome: 'unchanged'; readonly revision: string }
  /** The text is no valid configuration. */
  | { readonly outcome: 'invalid'; readonly problems: readonly ConfigProblem[] }
  /** Somebody changed the configuration since `expectedRevision`. */
  | { readonly outcome: 'stale'; readonly revision: string }
  /** The file was edited by hand since it was read; nothing was overwritten. */
  | { readonly outcome: 'file-changed' }
  /** Valid, but it could not be put into force or written; the configuration before is in force. */
  | { readonly outcome: 'failed'; readonly error: Error };

export interface ConfigStore {
  readonly path: string;
  /** In force, complete. Never mutated: a change makes a new object. */
  readonly current: Config;
  /** As the person wrote it, without defaults. */
  readonly document: ConfigDocument;
  /** Identifies the document in force (a hash of it). */
  readonly revision: string;
  /** The file as it was last read or written, to the byte; undefined when there was none. */
  readonly fileText: string | undefined;
  /** Registers what puts a change into force. Called once; before that, changes are only stored. */
  onChange(apply: ApplyConfig): void;
  /**
   * Validates, puts into force, writes the file; one change at a time. Never rejects. Without `expectedRevision` the
   * change is made whatever the revision is.
   */
  replace(text: string, expectedRevision?: string): Promise<ChangeResult>;
  /**
   * Back to a text that `fileText` once was: puts it into force and writes it as it is, or removes the file. A file that
   * was edited by hand meanwhile is left alone, with a warning in the log. Never rejects.
   */
  restore(fileText: string | undefined): Promise<ChangeResult>;
  /** Reads the file again, for SIGHUP. A bad file is logged and the running configuration stays. Never rejects. */
  reload(): Promise<ChangeResult>;
}

const NEW_FILE_MODE = 0o600;

/**
 * Reads the configuration; a missing file means every default and is not written before the first change. Throws
 * ConfigError when the content is refused, Error when the file cannot be read.
 */
export function openConfigStore(path: string, log: Pick<Logger, 'info' | 'warn' | 'error'>): ConfigStore {
  let fileText = readText(path);
  const loaded = loadConfig(fileText ?? '');
  if ('problems' in loaded) throw new ConfigError(path, loaded.problems);
  let { config, document } = loaded;
  let revision = revisionOf(document);
  let apply: ApplyConfig | undefined;
  let queue: Promise<unknown> = Promise.resolve();

  function serialize(task: () => Promise<ChangeResult>): Promise<ChangeResult> {
    const result = queue.then(task).catch((error: unknown): ChangeResult => {
      const failure = error instanceof Error ? error : new Error(String(error));
      log.error({ err: failure }, 'configuration: change failed, the one before stays in force');
      return { outcome: 'failed', error: failure };
    });
    queue = result;
    return result;
  }

  /** Puts a loaded configuration into force; `persist` makes it last. Rejects with the one before in force. */
  async function change(
    next: { config: Config; document: ConfigDocument },
    persist: () => Promise<void>,
  ): Promise<ChangeResult> {
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
  }

  return {
    path,
    get current() {
      return config;
    },
    get document() {
      return document;
    },
    get revision() {
      return revision;
    },
    get fileText() {
      return fileText;
    },
    onChange(callback) {
      apply = callback;
    },
    replace: (text, expectedRevision) =>
      serialize(async () => {
        if (expectedRevision !== undefined && expectedRevision !== revision)
          return { outcome: 'stale', revision };
        const next = loadConfig(text);
        if ('problems' in next) return { outcome: 'invalid', problems: next.problems };
        if (readText(path) !== fileText) return { outcome: 'file-changed' };
        if (revisionOf(next.document) === revision) return { outcome: 'unchanged', revision };
        return change(next, async () => {
          const newText = formatDocument(next.document);
          await writeFileText(path, newText);
          fileText = newText;
        });
      }),
    restore: (text) =>
      serialize(async () => {
        const next = loadConfig(text ?? '');
        if ('problems' in next) return { outcome: 'invalid', problems: next.problems };
        const isEdited = readText(path) !== fileText;
        return change(next, async () => {
          if (isEdited) {
            log.warn(
              { file: path },
              'configuration: the file was edited by hand and is left as it is; SIGHUP reads it',
            );
            return;
          }
          await writeFileText(path, text);
          fileText = text;
        });
      }),
    reload: () =>
      serialize(async () => {
        const newText = readText(path);
        const next = checkedHere(loadConfig(newText ?? ''));
        if ('problems' in next) {
          const problems = next.problems.map((problem) => formatProblem(problem, path));
          log.error({ problems }, 'configuration: file refused, the running configuration stays');
          return { outcome: 'invalid', problems: next.problems };
        }
        if (revisionOf(next.document) === revision) {
          fileText = newText;
          log.info({ revision }, 'configuration: file read again, nothing changed');
          return { outcome: 'unchanged', revision };
        }
        return change(next, async () => {
          fileText = newText;
        });
      }),
  };
}

/** The text of the file, undefined when there is none. Throws when it cannot be read. */
export function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new Error(`could not read ${path}: ${(error as Error).message}`, { cause: error });
  }
}

/** Keeps the permissions of the file, and writes through a symbolic link rather than over it; undefined removes it. */
export async function writeFileText(path: string, text: string | undefined): Promise<void> {
  if (text === undefined) return removeFileDurably(path);
  const existing = statSync(path, { throwIfNoEntry: false });
  if (existing === undefined) return writeFileAtomically(path, text, NEW_FILE_MODE);
  return writeFileAtomically(realpathSync(path), text, existing.mode & 0o777);
}

/** The document as its file holds it. */
export const formatDocument = (document: ConfigDocument): string => `${JSON.stringify(document, null, 2)}\n`;

/** Identifies a document: a hash of it. */
export const revisionOf = (document: ConfigDocument): string =>
  createHash('sha256').update(JSON.stringify(document)).digest('base64url').slice(0, 22);
