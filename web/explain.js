/** What NAT64 would do with a packet, step by step. */
import { ApiProblem, request } from './api.js';
import { byId, control, make, markFields, queryOf, setText } from './dom.js';

/** @import { Nat64ExplainAnswer } from '../src/admin/contract.ts' */

const form = control('nat64-explain', HTMLFormElement);

form.addEventListener('submit', async (event) => {
  event.preventDefault();
  const problem = byId('nat64-explain-problem');
  try {
    show(await request(`/nat64/explain?${queryOf(form)}`));
    setText(problem, '');
    markFields(form, []);
  } catch (error) {
    if (!(error instanceof ApiProblem)) throw error;
    setText(problem, error.problems[0]?.message ?? error.message);
    markFields(form, error.problems);
  }
});

function show(/** @type {Nat64ExplainAnswer} */ { isTranslated, steps }) {
  const verdict = isTranslated
    ? make('p', { class: 'verdict state state-ok' }, 'translated')
    : make('p', { class: 'verdict state state-failed' }, 'refused');
  const items = steps.map(({ isOk, text, counter }) => {
    const item = make(
      'li',
      isOk ? {} : { class: 'refused' },
      make('span', { class: 'visually-hidden' }, isOk ? 'Yes: ' : 'No: '),
      text,
    );
    if (counter !== null) item.append(' Counted as ', make('code', {}, counter), '.');
    return item;
  });
  byId('nat64-explanation').replaceChildren(
    make('div', { class: 'card' }, verdict, make('ol', { class: 'steps' }, ...items)),
  );
}
