/** How the configuration file stands to what is in force: the same, edited by hand, refused, or still to be written. */
import type { Logger } from '../runtime/log.ts';
import { type Text, say } from '../texts/text.ts';
import { type FileState, describeProblem, readConfigFile } from './config-file.ts';
import { type ConfigProblem, formatProblem } from './problem.ts';

export interface FileView {
  /** As it was last read or written, whether it was refused or not; undefined when it could not be read. */
  readonly seenText: string | undefined;
  /** Why it is not what is in force; undefined when it is. */
  readonly problem: Text | undefined;
  /** What it should say and could not be made to. */
  readonly unwritten: { readonly text: string | undefined } | undefined;
  /** `isExpected`: something else than the defaults is in force. */
  read(isExpected: boolean): FileState;
  /** It is not in force: `running` says what is instead. */
  refuse(text: string | undefined, problems: readonly ConfigProblem[], running: Text): void;
  /** It says `text` from now on, which is what is in force. */
  agree(text: string | undefined): void;
  /** It should say `text`, and could not be written. */
  owe(text: string | undefined): void;
  /** Hears of the problem now, at each further refusal, and when it is over. */
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
  let tellProblem: (problem: Text | undefined) => void = () => {};
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
        'The configuration file is refused. {problem}. {running} The file is left as it is: edit it and reload it (systemctl reload tombolo), or write what runs in its place (“Use what runs” on the page); then the refused one is kept aside.',
        { problem: describeProblem(problems, path), running },
      );
      tellProblem(problem);
    },
    agree(text) {
      seenText = text;
      owed = undefined;
      if (problem === undefined) return;
      problem = undefined;
      tellProblem(undefined);
    },
    owe: (text) => void (owed = { text }),
    onProblem(listener) {
      tellProblem = listener;
      listener(problem);
    },
  };
}
