/** How the configuration file relates to the active configuration: equal, edited by hand, refused, or not written yet. */
import type { Logger } from '../runtime/log.ts';
import { type Text, say } from '../texts/text.ts';
import { type FileState, describeProblem, readConfigFile } from './config-file.ts';
import { type ConfigProblem, formatProblem } from './problem.ts';

export interface FileView {
  /** The text when the file was last read or written, refused or not; undefined when it could not be read. */
  readonly seenText: string | undefined;
  /** Why the file differs from the active configuration; undefined when it does not. */
  readonly problem: Text | undefined;
  /** The text that the file should have but that could not be written. */
  readonly unwritten: { readonly text: string | undefined } | undefined;
  /** `isExpected`: the active configuration is not the defaults. */
  read(isExpected: boolean): FileState;
  /** The file is refused: `running` says what is active instead. */
  refuse(text: string | undefined, problems: readonly ConfigProblem[], running: Text): void;
  /** From now on, the file has `text`, which matches the active configuration. */
  agree(text: string | undefined): void;
  /** The file should have `text`, but that could not be written. */
  owe(text: string | undefined): void;
  /** Calls the listener with the problem now, at each further refusal, and when it is solved. */
  onProblem(listener: (problem: Text | undefined) => void): void;
}

export function createFileView(
  path: string,
  log: Pick<Logger, 'error'>,
  text: string | undefined,
  unwritten: FileView['unwritten'],
): FileView {
  let seenText = text;
  let problem: Text | undefined;
  let owed = unwritten;
  let reportProblem: (problem: Text | undefined) => void = () => {};
  return {
    get seenText() {
      return seenText;
    },
    get problem() {
      return problem;
    },
    get unwritten() {
      return owed;
    },
    read: (isExpected) => readConfigFile(path, isExpected),
    refuse(text, problems, running) {
      const lines = problems.map((each) => formatProblem(each, path));
      log.error({ problems: lines }, 'configuration: file refused, it is left as it is');
      seenText = text;
      problem = say(
        'The configuration file is refused. {problem}. {running} The file is not changed: edit it and reload it (systemctl reload tombolo), or replace it with the running configuration (“Use the running configuration” on the page); the refused file is then kept under another name.',
        { problem: describeProblem(problems, path), running },
      );
      reportProblem(problem);
    },
    agree(text) {
      seenText = text;
      owed = undefined;
      if (problem === undefined) return;
      problem = undefined;
      reportProblem(undefined);
    },
    owe: (text) => void (owed = { text }),
    onProblem(listener) {
      reportProblem = listener;
      listener(problem);
    },
  };
}
