import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import type { FindingState } from '../../../../src/admin/contract/checks.ts';
import { FIRST_GAP_MS, ROUND_MS, runInTurn } from '../../../../src/admin/diagnostics/background.ts';
import type { Check, Finding } from '../../../../src/admin/diagnostics/check.ts';
import { createCheckRunner, REFRESH_AFTER_MS } from '../../../../src/admin/diagnostics/run-checks.ts';
import { asIs, english, translate } from '../../../../src/texts/text.ts';
import { checkDeps, fakeMachine, NOW } from './machine.ts';

/** Checks whose findings the test sets, and a runner for them. */
function setUp(checks: readonly (Pick<Check, 'id' | 'run'> & Partial<Check>)[]) {
  let nowMs = NOW.getTime();
  let revision = '1';
  const ran: string[] = [];
  const all: readonly Check[] = checks.map((check) => ({
    area: 'system',
    title: asIs(check.id),
    why: asIs('It matters.'),
    ...check,
    run: (deps) => {
      ran.push(deps.only === undefined ? check.id : `${check.id}/${deps.only}`);
      return check.run(deps);
    },
  }));
  const runner = createCheckRunner({
    checks: all,
    deps: () => checkDeps(fakeMachine()),
    now: () => new Date(nowMs),
    revision: () => revision,
    onError: (error) => assert.fail(error as Error),
  });
  return {
    runner,
    ran,
    check: (id: string) => all.find((each) => each.id === id) ?? assert.fail(id),
    states: () => runner.answer().items.map(({ id, state }) => `${id} ${state}`),
    pass: (ms: number) => {
      nowMs += ms;
    },
    change: () => {
      revision += '1';
    },
  };
}

const state = (value: FindingState, more: Partial<Finding> = {}): Finding => ({
  state: value,
  what: asIs(value),
  remedy: asIs('Fix it.'),
  ...more,
});

test('before the first run nothing is known, and nothing is open', () => {
  const { runner } = setUp([{ id: 'a', run: () => state('fail') }]);
  const { open, isRunning, items } = translate(runner.answer());
  assert.equal(open, 0);
  assert.equal(isRunning, false);
  assert.deepEqual(items, [
    {
      id: 'a',
      area: 'system',
      state: 'unknown',
      title: 'a',
      what: 'Not checked yet.',
      why: 'It matters.',
      remedy: null,
      server: null,
      checkedAt: null,
    },
  ]);
});

test('a full run: each finding is an item; warn and fail are open; a check that throws is unknown', async () => {
  const { runner, states } = setUp([
    { id: 'a', run: () => state('ok') },
    {
      id: 'b',
      run: () => [
        state('fail', { key: 'web1', server: 'web1', title: asIs('B of web1') }),
        state('warn', { key: 'web2' }),
      ],
    },
    {
      id: 'c',
      run: async () => {
        throw new Error('no permission');
      },
    },
    { id: 'd', run: () => [] },
  ]);
  const answer = await runner.run();
  assert.deepEqual(states(), ['a ok', 'b/web1 fail', 'b/web2 warn', 'c unknown']);
  assert.equal(answer?.open, 2);
  const [, web1, , c] = translate(answer?.items ?? []);
  assert.equal(web1.title, 'B of web1');
  assert.equal(web1.server, 'web1');
  assert.equal(web1.remedy, 'Fix it.');
  assert.equal(web1.checkedAt, NOW.toISOString());
  assert.match(c.what, /could not be checked: no permission/);
});

test('"check again" of one item leaves the others; a vanished item is removed, a new item is added', async () => {
  let b: readonly Finding[] = [state('fail', { key: 'x' }), state('fail', { key: 'y' })];
  const { runner, ran, states, pass } = setUp([
    { id: 'a', run: () => state('ok') },
    { id: 'b', run: ({ only }) => b.filter(({ key }) => only === undefined || key === only) },
  ]);
  await runner.run();
  pass(1000);
  b = [state('ok', { key: 'x' }), state('ok', { key: 'y' }), state('ok', { key: 'z' })];
  const answer = await runner.run('b/x');
  assert.deepEqual(ran, ['a', 'b', 'b/x']);
  assert.deepEqual(states(), ['a ok', 'b/x ok', 'b/y fail']);
  const seconds = answer?.items.map(({ checkedAt }) => (Date.parse(checkedAt ?? '') - NOW.getTime()) / 1000);
  assert.deepEqual(seconds, [0, 1, 0]);
  await runner.run('b/z');
  assert.deepEqual(states(), ['a ok', 'b/x ok', 'b/y fail', 'b/z ok']);
  b = [];
  await runner.run('b/y');
  assert.deepEqual(states(), ['a ok', 'b/x ok', 'b/z ok']);
  assert.equal(await runner.run('nothing'), undefined);
});

test('a consequence of another failure is not open, says so, and is checked again with that failure', async () => {
  let route: FindingState = 'fail';
  let resolver: FindingState = 'fail';
  const { runner, ran, states } = setUp([
    { id: 'route', run: () => state(route) },
    { id: 'resolver', needs: ['route'], run: () => state(resolver, { key: 'one' }) },
    { id: 'names', run: () => state(resolver, { key: 'web1', needs: ['resolver'] }) },
    { id: 'other', run: () => state('warn') },
  ]);
  const answer = await runner.run();
  assert.equal(answer?.open, 2);
  assert.deepEqual(states(), ['route fail', 'resolver/one unknown', 'names/web1 unknown', 'other warn']);
  const [, { what, remedy }] = translate(answer?.items ?? []);
  assert.equal(what, 'fail This follows from another failure (route).');
  assert.equal(remedy, null);

  ran.length = 0;
  route = resolver = 'ok';
  assert.equal((await runner.run('route'))?.open, 1);
  assert.deepEqual(ran, ['route', 'resolver', 'names']);

  resolver = 'warn';
  await runner.run();
  assert.deepEqual(states(), ['route ok', 'resolver/one warn', 'names/web1 warn', 'other warn']);
});

test('reading starts a run if there was none, if the last one is old, or if the configuration has changed', async () => {
  const { runner, ran, pass, change } = setUp([{ id: 'a', run: () => state('ok') }]);
  const look = async () => {
    runner.refresh();
    const { isRunning } = translate(runner.answer());
    while (runner.answer().isRunning) await setImmediate();
    return isRunning;
  };
  assert.equal(await look(), true);
  assert.equal(await look(), false);
  pass(REFRESH_AFTER_MS + 1);
  assert.equal(await look(), true);
  change();
  assert.equal(await look(), true);
  assert.equal(await look(), false);
  assert.deepEqual(ran, ['a', 'a', 'a']);
});

/** A check that ends when the test says so, in any order. */
function heldCheck(id: string) {
  const looks: PromiseWithResolvers<Finding[]>[] = [];
  const run = () => {
    looks.push(Promise.withResolvers());
    return looks[looks.length - 1].promise;
  };
  return { id, run, looks };
}

test('a run that began earlier and ends later does not overwrite a run that began later', async () => {
  const a = heldCheck('a');
  const { runner, check, states } = setUp([a]);
  const findings = (x: FindingState, y: FindingState) => [state(x, { key: 'x' }), state(y, { key: 'y' })];
  const background = runner.runAlone(check('a'));
  const asked = runner.run('a');
  a.looks[1].resolve(findings('ok', 'ok'));
  await asked;
  a.looks[0].resolve(findings('fail', 'fail'));
  await background;
  assert.deepEqual(states(), ['a/x ok', 'a/y ok']);

  // The same with a run of one item only.
  const whole = runner.runAlone(check('a'));
  const one = runner.run('a/x');
  a.looks[3].resolve(findings('ok', 'ok'));
  await one;
  a.looks[2].resolve(findings('fail', 'fail'));
  await whole;
  assert.deepEqual(states(), ['a/x ok', 'a/y fail']);
  const old = runner.run('a/y');
  const newest = runner.runAlone(check('a'));
  a.looks[5].resolve([state('ok', { key: 'x' })]);
  await newest;
  a.looks[4].resolve(findings('fail', 'fail'));
  await old;
  assert.deepEqual(states(), ['a/x ok'], 'a removed item stays removed');
});

for (const id of [undefined, 'a'])
  test(`"check again" (${id ?? 'all'}) runs after the request, also while another run is in progress`, async () => {
    const a = heldCheck('a');
    const { runner, states } = setUp([a]);
    const first = runner.run(id);
    // Now the fault is fixed.
    const later = [runner.run(id), runner.run(id)];
    a.looks[0].resolve([state('fail')]);
    await first;
    assert.deepEqual(states(), ['a fail']);
    while (a.looks.length < 2) await setImmediate();
    a.looks[1].resolve([state('ok')]);
    const answers = await Promise.all(later);
    assert.deepEqual(
      answers.map((answer) => answer?.open),
      [0, 0],
    );
    assert.equal(a.looks.length, 2, 'requests that arrive meanwhile share one run');
  });

test('the next run compares with the counters of the last run', async () => {
  const seen: unknown[] = [];
  const { runner } = setUp([
    {
      id: 'a',
      run: ({ countersBefore }) => {
        seen.push(countersBefore);
        return state('ok');
      },
    },
  ]);
  await runner.run();
  await runner.run('a');
  await runner.run();
  assert.deepEqual(seen, [undefined, {}, {}]);
});

test('a single check: its failures that are not consequences of another failure', async () => {
  let cause: FindingState = 'ok';
  const { runner, check, ran } = setUp([
    { id: 'cause', run: () => state(cause) },
    { id: 'a', needs: ['cause'], run: () => [state('fail'), state('warn', { key: 'x' })] },
  ]);
  const failures = (id: string) => runner.failures(check(id))?.map(english);
  assert.equal(failures('a'), undefined, 'unknown before the run');
  for (const id of ['cause', 'a']) await runner.runAlone(check(id));
  assert.deepEqual(failures('a'), ['a: fail']);
  assert.deepEqual(failures('cause'), []);
  cause = 'fail';
  await runner.runAlone(check('cause'));
  assert.deepEqual(failures('a'), [], 'it is a consequence of the cause');
  assert.deepEqual(failures('cause'), ['cause: fail']);
  assert.deepEqual(ran, ['cause', 'a', 'cause']);
});

test('when a failure is over, its consequences are checked again: their old findings do not count', async () => {
  let isWell = false;
  const of = () => state(isWell ? 'ok' : 'fail');
  const { runner, ran, check } = setUp([
    { id: 'cause', run: of },
    { id: 'consequence', needs: ['cause'], run: of },
    { id: 'other', run: of },
  ]);
  for (const id of ['cause', 'consequence', 'other']) await runner.runAlone(check(id));
  assert.equal(runner.hasFailed(check('consequence')), true, 'whatever its cause');
  await runner.runAlone(check('cause'));
  assert.deepEqual(ran, ['cause', 'consequence', 'other', 'cause'], 'it still fails');
  isWell = true;
  await runner.runAlone(check('cause'));
  assert.deepEqual(ran.slice(4), ['cause', 'consequence']);
  assert.deepEqual(runner.failures(check('consequence')), []);
  assert.equal(runner.hasFailed(check('other')), true, 'not checked again');
});

test('in turn: the first round soon, then spread; each waits for the previous one; none after disposal', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const ran: string[] = [];
  const errors: unknown[] = [];
  let release = () => {};
  const tasks = [
    async () => {
      ran.push('a');
      return false;
    },
    () => {
      ran.push('b');
      return new Promise<boolean>((resolve) => {
        release = () => resolve(false);
      });
    },
    async () => {
      ran.push('c');
      throw new Error('defect');
    },
  ];
  const settle = () => setImmediate();
  const turns = runInTurn(tasks, (error) => errors.push(error));
  await settle();
  t.mock.timers.tick(FIRST_GAP_MS);
  await settle();
  t.mock.timers.tick(10 * ROUND_MS);
  await settle();
  assert.deepEqual(ran, ['a', 'b'], 'b has not ended');
  release();
  await settle();
  t.mock.timers.tick(FIRST_GAP_MS);
  await settle();
  assert.deepEqual(ran, ['a', 'b', 'c']);
  assert.equal(errors.length, 1);
  t.mock.timers.tick(ROUND_MS / 3 - 1);
  assert.equal(ran.length, 3);
  t.mock.timers.tick(1);
  await settle();
  assert.deepEqual(ran.slice(3), ['a']);
  turns[Symbol.dispose]();
  t.mock.timers.tick(10 * ROUND_MS);
  assert.equal(ran.length, 4);
});
