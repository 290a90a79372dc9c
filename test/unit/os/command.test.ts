/** Programs that this process runs. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runCommand } from '../../../src/os/command.ts';
import { english, reasonOf } from '../../../src/texts/text.ts';

const failureOf = (...args: Parameters<typeof runCommand>): Promise<Error> =>
  runCommand(...args).then(
    () => assert.fail('it succeeded'),
    (error: Error) => error,
  );

test('a program that fails: people see its error output, and the log has its input', async () => {
  const input = 'table inet x {\n  chain y {}\n}\n';
  const error = await failureOf('sh', ['-c', 'cat > /dev/null; echo no such table >&2; exit 1'], input);
  assert.equal(english(reasonOf(error)).split(': ').at(-1), 'no such table');
  assert.equal(english(reasonOf(error)).split('\n').length, 1);
  assert.equal((error as Error & { input?: string }).input, input);
});

test('a program that does not exist', async () => {
  const error = await failureOf('no-such-program', ['-f', '-'], 'much\ntext\n');
  assert.equal(english(reasonOf(error)), 'no-such-program -f -: spawn no-such-program ENOENT');
});
