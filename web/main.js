/** The page: sign in, then the status every two seconds while somebody looks. */
import { ApiProblem, request, session } from './api.js';
import { byId, control, setText } from './dom.js';
import { startEditor } from './editor.js';
import './nat64.js';
import { showServers } from './servers.js';
import { refreshStatus } from './status.js';

const POLL_MS = 2000;

const signIn = byId('sign-in');
const content = byId('content');
const tokenInput = control('token', HTMLInputElement);
/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;
let polls = 0;

/** Shows what fits the session: the sign-in form, or the content once the API has accepted the token. */
async function enter() {
  clearTimeout(timer);
  if (session.token === null) return showSignIn('');
  try {
    await request('/status');
  } catch (error) {
    if (!(error instanceof ApiProblem)) throw error;
    if (error.status === 401) session.signOut();
    return showSignIn(error.message);
  }
  signIn.hidden = true;
  content.hidden = false;
  byId('sign-out').hidden = false;
  await poll();
  await startEditor(showServers).catch(fail);
}

function showSignIn(/** @type {string} */ problem) {
  content.hidden = true;
  byId('sign-out').hidden = true;
  signIn.hidden = false;
  setText(byId('token-problem'), problem);
  for (const id of ['overall', 'process']) setText(byId(id), '');
  byId('overall').className = '';
  showTrouble('');
  tokenInput.focus();
}

function showTrouble(/** @type {string} */ text) {
  const trouble = byId('trouble');
  setText(trouble, text);
  trouble.hidden = text === '';
}

function fail(/** @type {unknown} */ error) {
  if (!(error instanceof ApiProblem)) throw error;
  if (error.status === 401) {
    session.signOut();
    showSignIn(error.message);
  } else {
    showTrouble(`${error.message} Trying again.`);
  }
}

/** Asks again POLL_MS after each answer; nothing is asked while the page is hidden. The latest call goes on alone. */
async function poll() {
  clearTimeout(timer);
  const turn = ++polls;
  if (document.hidden || content.hidden) return;
  await refreshStatus().then(() => showTrouble(''), fail);
  if (turn === polls && !content.hidden) timer = setTimeout(poll, POLL_MS);
}

control('token-form', HTMLFormElement).addEventListener('submit', (event) => {
  event.preventDefault();
  session.signIn(tokenInput.value.trim());
  tokenInput.value = '';
  void enter();
});

byId('sign-out').addEventListener('click', () => {
  session.signOut();
  // A fresh page: nothing of what was shown stays in memory.
  location.reload();
});

document.addEventListener('visibilitychange', () => void poll());
void enter();
