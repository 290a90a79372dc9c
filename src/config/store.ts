/** The configuration file, the active configuration, and the only way to change them. */
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

/** A configuration was refused. */
export class ConfigError extends Error {
  readonly problems: readonly ConfigProblem[];
  constructor(fileName: string, problems: readonly ConfigProblem[]) {
    super(problems.map((problem) => formatProblem(problem, fileName)).join('\n'));
    this.name = 'ConfigError';
    this.problems = problems;
  }
}

export type ChangeResult =
  /** `unwritten`: it is active, but the file could not be written (`restore` only). */
  | { readonly outcome: 'changed'; readonly revision: string; readonly unwritten?: Error }
  | { readonly outcome: 'unchanged'; readonly revision: string }
  /** The text or value is not a valid configuration. */
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
   * Activates and writes a configuration; one change at a time. Never rejects. Without `expectedRevision` the change is made
   * whatever the revision is. A refused file is kept aside first, and then even an unchanged configuration is written.
   */
  replace(next: LoadedConfig, expectedRevision?: string): Promise<ChangeResult>;
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
      // The file has the active configuration, perhaps formatted differently, for example after its disk was away for a while.
      view.agree(present.text);
    } else if (present.text !== view.seenText) {
      if (present.state === 'good') return { outcome: 'file-changed' };
      // Report it now, so that the next attempt may replace the file.
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
        // The file was edited meanwhile, or another configuration is active.
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
const STAYS = say('The previous configuration keeps running.');

/** The text of the file for a document. */
export const formatDocument = (document: ConfigDocument): string => `${JSON.stringify(document, null, 2)}\n`;
