/** Shows every refusal in the same form: what was attempted, where, which value, what would be valid. */
import { ApiProblem } from '../core/api.ts';
import type { Problem } from '../core/contract.ts';
import { text } from '../core/locale.ts';

const problemsOf = (error: unknown): readonly Problem[] =>
  error instanceof ApiProblem ? error.problems : [];

/** The problem of a form field, by its name in the API. */
export const problemOf =
  (error: unknown) =>
  (name: string): string | undefined =>
    problemsOf(error).find(({ path }) => path === `/${name}`)?.message;

/** The problem with which an action failed; nothing if it has not failed. `fields`: fields that show their own problems. */
export function ErrorBox({ error, fields = [] }: { error: unknown; fields?: readonly string[] }) {
  if (error === undefined) return null;
  const all = problemsOf(error);
  const problems = all.filter(({ path }) => !fields.includes(path.slice(1)));
  if (all.length > 0 && problems.length === 0) return null;
  return (
    <div class="error-box" role="alert">
      <p>{error instanceof Error ? error.message : String(error)}</p>
      {problems.length > 0 && <ProblemList problems={problems} />}
    </div>
  );
}

export function ProblemList({ problems }: { problems: readonly Problem[] }) {
  return (
    <ul class="problem-list">
      {problems.map(({ path, value, expected: right, message, line, column }) => (
        <li key={path + message}>
          <p>
            {path !== '' && <code>{path}</code>} {message}
            {line !== undefined && (
              <span class="faint">
                {' '}
                ({text('line {line}, column {column}', { line, column: column ?? 1 })})
              </span>
            )}
          </p>
          {value !== undefined && (
            <p class="faint">
              {text('Given')}: <code>{value}</code>. {text('Expected')}: {right}.
            </p>
          )}
        </li>
      ))}
    </ul>
  );
}

/** The problem of one field; `path` as a JSON pointer. */
export const problemAt = (problems: readonly Problem[], path: string): string | undefined => {
  const found = problems.find((problem) => problem.path === path || problem.path.startsWith(`${path}/`));
  return found?.message;
};
