/** The configuration as text: check, save, and go to what is wrong. */
import { ApiProblem, request } from './api.js';
import { byId, control, make, setText } from './dom.js';

/** @import { ErrorAnswer } from '../src/admin/contract.ts' */
/** @import { DiffEntry } from '../src/admin/contract/apply.ts' */
/** @import { Config } from '../src/config/schema.ts' */

const text = control('document', HTMLTextAreaElement);
const buttons = ['save', 'check', 'revert'].map((id) => control(id, HTMLButtonElement));
const state = byId('editor-state');

let revision = '';
let savedText = '';
/** @type {(config: Config) => Promise<void>} */
let onLoaded = async () => {};

/** Loads the configuration into the editor; `callback` is given the complete one now and after each change. */
export async function startEditor(/** @type {(config: Config) => Promise<void>} */ callback) {
  onLoaded = callback;
  await load();
  setText(state, '');
}

async function load() {
  const answer = await request('/config');
  revision = answer.revision;
  savedText = JSON.stringify(answer.document, null, 2);
  text.value = savedText;
  control('effective', HTMLTextAreaElement).value = JSON.stringify(answer.effective, null, 2);
  showProblems([]);
  await onLoaded(answer.effective);
}

/** Runs one action at a time, and says how it ended. */
async function run(/** @type {string} */ doing, /** @type {() => Promise<string>} */ action) {
  for (const button of buttons) button.disabled = true;
  setText(state, `${doing}...`);
  try {
    setText(state, await action());
  } catch (error) {
    if (!(error instanceof ApiProblem)) throw error;
    showProblems(error.problems);
    setText(state, error.message);
  } finally {
    for (const button of buttons) button.disabled = false;
  }
}

control('check', HTMLButtonElement).addEventListener('click', () =>
  run('Checking', async () => {
    const body = JSON.stringify({ document: text.value });
    const { valid, problems, diff } = await request('/config/check', { method: 'POST', body });
    showProblems(problems);
    if (!valid) return 'This is no valid configuration.';
    return `Good. Saving will change: ${diff.map((/** @type {DiffEntry} */ { label }) => label).join(', ') || 'nothing'}.`;
  }),
);

control('save', HTMLButtonElement).addEventListener('click', () =>
  run('Saving', async () => {
    const body = JSON.stringify({ document: text.value, revision, confirmSeconds: 0 });
    const { changed } = await request('/config/apply', { method: 'POST', body });
    await load();
    return changed ? 'Saved and in force.' : 'Nothing to change.';
  }),
);

control('revert', HTMLButtonElement).addEventListener('click', () =>
  run('Loading', async () => {
    await load();
    return 'This is the configuration in force.';
  }),
);

addEventListener('beforeunload', (event) => {
  if (text.value !== savedText) event.preventDefault();
});

function showProblems(/** @type {NonNullable<ErrorAnswer['problems']>} */ problems) {
  text.setAttribute('aria-invalid', String(problems.length > 0));
  const items = problems.map(({ path, message, line, column }) => {
    const item = make('li', {}, path === '' ? '' : make('code', {}, path), ` ${message}`);
    if (line !== undefined && column !== undefined) {
      const button = make('button', { type: 'button', class: 'quiet small' }, `line ${line}`);
      button.addEventListener('click', () => goTo(line, column));
      item.prepend(button);
    }
    return item;
  });
  byId('problems').replaceChildren(...items);
}

/** Puts the cursor at a line and column, both from 1. */
function goTo(/** @type {number} */ line, /** @type {number} */ column) {
  const lines = text.value.split('\n');
  const offset = lines.slice(0, line - 1).reduce((sum, each) => sum + each.length + 1, 0) + column - 1;
  text.focus();
  text.setSelectionRange(offset, offset + 1);
  text.scrollTop = (text.scrollHeight / lines.length) * Math.max(0, line - 5);
}
