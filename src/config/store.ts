/** The configuration file and the configuration in force, and the one way to change them. */
import type { Logger } from '../runtime/log.ts';
import { type Text, reasonOf, say } from '../texts/text.ts';
import { type FileState, keepRefused, readConfigFile, writeFileText } from './config-file.ts';
import { createFileView } from './file-view.ts';
import { type ApplyConfig, createInForce } from './in-force.ts';
import type { LastGood } from './last-good.ts';
import { type ConfigDocument, type LoadedConfig, checkedHere, loadConfig } from './load.ts';
import { type ConfigProblem, formatProblem } from './problem.ts';
import { EMPTY_REVISION, revisionOf } from './revision-of.ts';
import type { Config } from './schema.ts';
import { createInTurn } from '../os/in-turn.ts';

export type { ApplyConfig } from './in-force.ts';
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

export type ChangeResult =
  /** `unwritten`: in force, but the file could not be written (`restore` only). */
  | { readonly outcome: 'changed'; readonly revision: string; readonly unwritten?: Error }
  | { readonly outcome: 'unchanged'; readonly revision: string }
  /** What was to be read is no valid configuration. */
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
   * Puts into force and writes the file; one change at a time. Never rejects. Without `expectedRevision` the
   * change is made whatever the revision is. A file that was refused is kept aside first; then also what is in force already
   * is written.
   */
  replace(next: LoadedConfig, expectedRevision?: string): Promise<ChangeResult>;
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
  const isStandIn = file.state === 'refused' || (unwritten !== undefined && lastGood !== undefined);
  const inForce = createInForce(isStandIn ? lastGood! : file.loaded, log);
  const view = createFileView(path, log, file.text, unwritten);
  if (file.state === 'refused') view.refuse(file.text, file.problems, lastGood!.origin);
  const inTurn = createInTurn();

  const serialize = (task: () => Promise<ChangeResult>): Promise<ChangeResult> =>
    inTurn(task).catch((error: unknown) => failed(log, error));

  const read = () => view.read(inForce.revision !== EMPTY_REVISION);

  async function replace(next: LoadedConfig, expectedRevision?: string): Promise<ChangeResult> {
    const { revision } = inForce;
    if (expectedRevision !== undefined && expectedRevision !== revision)
      return { outcome: 'stale', revision };
    const present = read();
    if (present.state === 'good' && revisionOf(present.loaded.document) === revision) {
      // What is in force, however it is written: as when the disk with the file was away for a while.
      view.agree(present.text);
    } else if (present.text !== view.seenText) {
      if (present.state === 'good') return { outcome: 'file-changed' };
      // Told now, so that the next attempt may replace it.
      view.refuse(present.text, present.problems, STAYS);
      return { outcome: 'file-changed', problem: view.problem! };
    }
    if (revisionOf(next.document) === revision && view.problem === undefined)
      return { outcome: 'unchanged', revision };
    return inForce.change(next, async () => {
      const aside = view.problem !== undefined ? await keepRefused(path) : undefined;
      if (aside !== undefined) log.warn({ aside }, 'configuration: the refused file was kept aside');
      const text = formatDocument(next.document);
      await writeFileText(path, text);
      view.agree(text);
    });
  }

  async function restore(text: string | undefined): Promise<ChangeResult> {
    const next = loadConfig(text ?? '');
    if ('problems' in next) return { outcome: 'invalid', problems: next.problems };
    const isTheirs = view.problem !== undefined || read().text !== view.seenText;
    let failure: Error | undefined;
    const result = await inForce.change(next, async () => {
      if (isTheirs) return log.warn({ file: path }, EDITED);
      try {
        await writeFileText(path, text);
        view.agree(text);
      } catch (error) {
        failure = error as Error;
        view.owe(text);
      }
    });
    return failure === undefined ? result : { ...result, unwritten: failure };
  }

  async function reload(): Promise<ChangeResult> {
    const next = read();
    const here = next.state === 'refused' ? next : checkedHere(next.loaded);
    if ('problems' in here) {
      view.refuse(next.text, here.problems, STAYS);
      return { outcome: 'invalid', problems: here.problems };
    }
    const { revision } = inForce;
    if (revisionOf(here.document) === revision) {
      view.agree(next.text);
      log.info({ revision }, 'configuration: file read again, nothing changed');
      return { outcome: 'unchanged', revision };
    }
    try {
      return await inForce.change(here, async () => view.agree(next.text));
    } catch (error) {
      const message = say('cannot be put into force: {reason}', { reason: reasonOf(error) });
      view.refuse(next.text, [{ path: '', expected: message, message }], STAYS);
      throw error;
    }
  }

  return {
    path,
    get current() {
      return inForce.config;
    },
    get document() {
      return inForce.document;
    },
    get revision() {
      return inForce.revision;
    },
    get fileText() {
      if (view.unwritten !== undefined) return view.unwritten.text;
      return view.problem === undefined ? view.seenText : formatDocument(inForce.document);
    },
    get fileProblem() {
      return view.problem;
    },
    onFileProblem: view.onProblem,
    onChange: inForce.onChange,
    replace: (next, expectedRevision) => serialize(() => replace(next, expectedRevision)),
    restore: (text) => serialize(() => restore(text)),
    writeBack: () =>
      inTurn(async () => {
        // Meanwhile it was edited, or something else is in force.
        if (view.unwritten === undefined || read().text !== view.seenText) return;
        const { text } = view.unwritten;
        await writeFileText(path, text);
        view.agree(text);
      }),
    reload: () => serialize(reload),
  };
}

function failed(log: Pick<Logger, 'error'>, error: unknown): ChangeResult {
  const failure = error instanceof Error ? error : new Error(String(error));
  log.error({ err: failure }, 'configuration: change failed, the one before stays in force');
  return { outcome: 'failed', error: failure };
}

const EDITED = 'configuration: the file was edited by hand and is left as it is; SIGHUP reads it';
const STAYS = say('What ran before goes on.');

/** The document as its file holds it. */
export const formatDocument = (document: ConfigDocument): string => `${JSON.stringify(document, null, 2)}\n`;
