/** The configuration file and the configuration in force, and the one way to change them. */
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
  /** `unwritten`: in force, but the file could not be written (`restore` only). */
  | { readonly outcome: 'changed'; readonly revision: string; readonly unwritten?: Error }
  | { readonly outcome: 'unchanged'; readonly revision: string }
  /** The text is no valid configuration. */
  | { readonly outcome: 'invalid'; readonly problems: readonly ConfigProblem[] }
  /** Somebody changed the configuration since `expectedRevision`. */
  | { readonly outcome: 'stale'; readonly revision: string }
  /** The file was edited by hand since it was read, or (`problem`) is refused now; nothing was overwritten. The next change replaces a refused one. */
  | { readonly outcome: 'file-changed'; readonly problem?: Text }
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
  /** What makes the file say what is in force, to the byte; undefined when there must be none. */
  readonly fileText: string | undefined;
  /** Why the file is not what is in force; undefined when it is. Until a good file is read or a change is made. */
  readonly fileProblem: Text | undefined;
  /** Hears of `fileProblem` now, at each further refusal, and when it is over. Called once. */
  onFileProblem(listener: (problem: Text | undefined) => void): void;
  /** Registers what puts a change into force. Called once; before that, changes are only stored. */
  onChange(apply: ApplyConfig): void;
  /**
   * Validates, puts into force, writes the file; one change at a time. Never rejects. Without `expectedRevision` the
   * change is made whatever the revision is. A file that was refused is kept aside first; then also what is in force already
   * is written.
   */
  replace(text: string, expectedRevision?: string): Promise<ChangeResult>;
  /**
   * Back to a text that `fileText` once was: puts it into force and writes it as it is, or removes the file. A file that
   * was edited by hand meanwhile, or refused, is left alone, with a warning in the log. A file that cannot be written does
   * not keep it out of force. Never rejects.
   */
  restore(fileText: string | undefined): Promise<ChangeResult>;
  /** Writes the file as `restore` should have done. Rejects when that is still not possible. */
  writeBack(): Promise<void>;
  /** Reads the file again, for SIGHUP. A bad file is told and the running configuration stays. Never rejects. */
  reload(): Promise<ChangeResult>;
}

export interface StoreOptions {
  /** What `readConfigFile` has found; without it, it is asked, and takes a missing or empty file for the defaults. */
  readonly file?: FileState;
  /** What runs when the file is refused; without it, a refused file throws. */
  readonly lastGood?: LastGood | undefined;
  /** What the file should say and could not be written: `lastGood`, which runs although the file holds something else. */
  readonly unwritten?: { readonly text: string | undefined } | undefined;
}

/**
 * Reads the configuration; a missing file means every default and is not written before the first change. Throws
 * ConfigError when the file is refused and nothing stands in for it. Nothing is written.
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
  /** The file as it was last read or written, whether it was refused or not; undefined when it could not be read. */
  let seenText = file.text;
  let fileProblem: Text | undefined;
  /** Of a configuration that could not be written. */
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

  /** The file says `text` from now on. */
  function agree(text: string | undefined): void {
    seenText = text;
    unwrittenText = undefined;
    if (fileProblem === undefined) return;
    fileProblem = undefined;
    tellProblem(undefined);
  }

  /** Puts a loaded configuration into force; `persist` makes it last. Rejects with the one before in force. */
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
          // What is in force, however it is written: as when the disk with the file was away for a while.
          agree(present.text);
        } else if (present.text !== seenText) {
          if (present.state === 'good') return { outcome: 'file-changed' };
          // Told now, so that the next attempt may replace it.
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
        // Meanwhile it was edited, or something else is in force.
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

/** The document as its file holds it. */
export const formatDocument = (document: ConfigDocument): string => `${JSON.stringify(document, null, 2)}\n`;
