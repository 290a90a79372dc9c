/** The configuration file, the active configuration, and the only way to change them. */
import type { Logger } from '../runtime/log.ts';
import { type Text, reasonOf, say } from '../texts/text.ts';
import {
  type FileState,
  describeProblem,
  keepRefused,
  readConfigFile,
  writeFileText,
} from './config-file.ts';
import type { LastGood } from './last-good.ts';
import { type ConfigDocument, type LoadedConfig, checkedHere, loadConfig } from './load.ts';
import { type ConfigProblem, formatProblem } from './problem.ts';
import { EMPTY_REVISION, revisionOf } from './revision-of.ts';
import type { Config } from './schema.ts';
import { createInTurn } from '../os/in-turn.ts';

export { revisionOf } from './revision-of.ts';

/** A configuration was refused. */
export class ConfigError extends Error {
  readonly problems: readonly ConfigProblem[];
  constructor(fileName: string, problems: readonly ConfigProblem[]) {
    super(problems.map((problem) => formatProblem(problem, fileName)).join('\n'));
    this.name = 'ConfigError';
    this.problems = problems;
  }
}

/** Activates `next`; when it throws, `previous` must be active again. */
export type ApplyConfig = (next: Config, previous: Config) => Promise<void>;

export type ChangeResult =
  /** `unwritten`: it is active, but the file could not be written (`restore` only). */
  | { readonly outcome: 'changed'; readonly revision: string; readonly unwritten?: Error }
  | { readonly outcome: 'unchanged'; readonly revision: string }
  /** The text is not a valid configuration. */
  | { readonly outcome: 'invalid'; readonly problems: readonly ConfigProblem[] }
  /** The configuration was changed since `expectedRevision`. */
  | { readonly outcome: 'stale'; readonly revision: string }
  /**
   * The file was edited by hand since it was read, or (`problem`) is refused now; nothing was overwritten. The next change
   * replaces a refused file.
   */
  | { readonly outcome: 'file-changed'; readonly problem?: Text }
  /** Valid, but it could not be activated or written; the previous configuration is active. */
  | { readonly outcome: 'failed'; readonly error: Error };

export interface ConfigStore {
  readonly path: string;
  /** The active configuration, complete. Never mutated: a change makes a new object. */
  readonly current: Config;
  /** As the user wrote it, without defaults. */
  readonly document: ConfigDocument;
  /** Identifies the active document (a hash of it). */
  readonly revision: string;
  /** The text with which the file matches the active configuration, byte for byte; undefined when there must be no file. */
  readonly fileText: string | undefined;
  /**
   * Why the file differs from the active configuration; undefined when it does not. Set until a valid file is read or a change
   * is made.
   */
  readonly fileProblem: Text | undefined;
  /** Calls the listener with `fileProblem` now, at each further refusal, and when the problem is solved. Call once. */
  onFileProblem(listener: (problem: Text | undefined) => void): void;
  /** Registers the function that activates a change. Call once; before that, changes are only stored. */
  onChange(apply: ApplyConfig): void;
  /**
   * Validates, activates and writes a configuration; one change at a time. Never rejects. Without `expectedRevision` the change
   * is made whatever the revision is. A refused file is kept aside first, and then even an unchanged configuration is written.
   */
  replace(text: string, expectedRevision?: string): Promise<ChangeResult>;
  /**
   * Returns to an earlier value of `fileText`: activates it and writes it unchanged, or removes the file. A file that was
   * edited by hand meanwhile, or refused, is left as it is, with a warning in the log. The text becomes active even if the file
   * cannot be written. Never rejects.
   */
  restore(fileText: string | undefined): Promise<ChangeResult>;
  /** Writes the file as `restore` should have done. Rejects when this is still not possible. */
  writeBack(): Promise<void>;
  /** Reads the file again, for SIGHUP. An invalid file is reported, and the running configuration stays. Never rejects. */
  reload(): Promise<ChangeResult>;
}

export interface StoreOptions {
  /** The result of `readConfigFile`; without it, the file is read here, and a missing or empty one means the defaults. */
  readonly file?: FileState;
  /** What runs when the file is refused; without it, a refused file throws. */
  readonly lastGood?: LastGood | undefined;
  /**
   * The content that the file should have but that could not be written: `lastGood`, which runs although the file has a
   * different content.
   */
  readonly unwritten?: { readonly text: string | undefined } | undefined;
}

/**
 * Reads the configuration. A missing file means the defaults, and is not written before the first change. Throws ConfigError
 * when the file is refused and there is no `lastGood`. Writes nothing.
 */
export function openConfigStore(
  path: string,
  log: Pick<Logger, 'info' | 'warn' | 'error'>,
  { file = readConfigFile(path, false), lastGood, unwritten }: StoreOptions = {},
): ConfigStore {
  if (file.state === 'refused' && lastGood === undefined) throw new ConfigError(path, file.problems);
  const first: LoadedConfig =
    file.state === 'refused' || (unwritten !== undefined && lastGood !== undefined) ? lastGood! : file.loaded;
  let { config, document } = first;
  let revision = revisionOf(document);
  /** The text of the file when it was last read or written, refused or not; undefined when it could not be read. */
  let seenText = file.text;
  let fileProblem: Text | undefined;
  /** The text of a configuration that could not be written. */
  let unwrittenText = unwritten;
  let tellProblem: (problem: Text | undefined) => void = () => {};
  let apply: ApplyConfig | undefined;
  const inTurn = createInTurn();

  const serialize = (task: () => Promise<ChangeResult>): Promise<ChangeResult> =>
    inTurn(task).catch((error: unknown): ChangeResult => {
      const failure = error instanceof Error ? error : new Error(String(error));
      log.error({ err: failure }, 'configuration: change failed, the one before stays in force');
      return { outcome: 'failed', error: failure };
    });

  const read = () => readConfigFile(path, revision !== EMPTY_REVISION);

  function refuse(text: string | undefined, problems: readonly ConfigProblem[], running: Text): void {
    const lines = problems.map((problem) => formatProblem(problem, path));
    log.error({ problems: lines }, 'configuration: file refused, it is left as it is');
    seenText = text;
    fileProblem = say(
      'The configuration file is refused. {problem}. {running} The file is left as it is: edit it and reload it (systemctl reload tombolo), or write what runs in its place (“Use what runs” on the page); then the refused one is kept aside.',
      { problem: describeProblem(problems, path), running },
    );
    tellProblem(fileProblem);
  }

  /** From now on, the file has `text`, which matches the active configuration. */
  function agree(text: string | undefined): void {
    seenText = text;
    unwrittenText = undefined;
    if (fileProblem === undefined) return;
    fileProblem = undefined;
    tellProblem(undefined);
  }

  /** Activates a loaded configuration; `persist` stores it. On rejection, the previous one is active. */
  async function change(next: LoadedConfig, persist: () => Promise<void>): Promise<ChangeResult> {
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

  if (file.state === 'refused') refuse(file.text, file.problems, lastGood!.origin);

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
      if (unwrittenText !== undefined) return unwrittenText.text;
      return fileProblem === undefined ? seenText : formatDocument(document);
    },
    get fileProblem() {
      return fileProblem;
    },
    onFileProblem(listener) {
      tellProblem = listener;
      listener(fileProblem);
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
        const present = read();
        if (present.state === 'good' && revisionOf(present.loaded.document) === revision) {
          // The file has the active configuration, perhaps formatted differently, for example after its disk was away for a
          // while.
          agree(present.text);
        } else if (present.text !== seenText) {
          if (present.state === 'good') return { outcome: 'file-changed' };
          // Report it now, so that the next attempt may replace the file.
          refuse(present.text, present.problems, STAYS);
          return { outcome: 'file-changed', problem: fileProblem! };
        }
        if (revisionOf(next.document) === revision && fileProblem === undefined)
          return { outcome: 'unchanged', revision };
        return change(next, async () => {
          const aside = fileProblem !== undefined ? await keepRefused(path) : undefined;
          if (aside !== undefined) log.warn({ aside }, 'configuration: the refused file was kept aside');
          const newText = formatDocument(next.document);
          await writeFileText(path, newText);
          agree(newText);
        });
      }),
    restore: (text) =>
      serialize(async () => {
        const next = loadConfig(text ?? '');
        if ('problems' in next) return { outcome: 'invalid', problems: next.problems };
        const isTheirs = fileProblem !== undefined || read().text !== seenText;
        let unwritten: Error | undefined;
        const result = await change(next, async () => {
          if (isTheirs) {
            log.warn(
              { file: path },
              'configuration: the file was edited by hand and is left as it is; SIGHUP reads it',
            );
            return;
          }
          try {
            await writeFileText(path, text);
            agree(text);
          } catch (error) {
            unwritten = error as Error;
            unwrittenText = { text };
          }
        });
        return result.outcome === 'changed' && unwritten !== undefined ? { ...result, unwritten } : result;
      }),
    writeBack: () =>
      inTurn(async () => {
        // The file was edited meanwhile, or another configuration is active.
        if (unwrittenText === undefined || read().text !== seenText) return;
        const { text } = unwrittenText;
        await writeFileText(path, text);
        agree(text);
      }),
    reload: () =>
      serialize(async () => {
        const next = read();
        if (next.state === 'refused') {
          refuse(next.text, next.problems, STAYS);
          return { outcome: 'invalid', problems: next.problems };
        }
        const here = checkedHere(next.loaded);
        if ('problems' in here) {
          refuse(next.text, here.problems, STAYS);
          return { outcome: 'invalid', problems: here.problems };
        }
        if (revisionOf(next.loaded.document) === revision) {
          agree(next.text);
          log.info({ revision }, 'configuration: file read again, nothing changed');
          return { outcome: 'unchanged', revision };
        }
        try {
          return await change(next.loaded, async () => agree(next.text));
        } catch (error) {
          const message = say('cannot be put into force: {reason}', { reason: reasonOf(error) });
          refuse(next.text, [{ path: '', expected: message, message }], STAYS);
          throw error;
        }
      }),
  };
}

const STAYS = say('What ran before goes on.');

/** The text of the file for a document. */
export const formatDocument = (document: ConfigDocument): string => `${JSON.stringify(document, null, 2)}\n`;
