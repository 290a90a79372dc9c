/** The services: state, figures and, opened, the counters. */
import { request } from './api.js';
import {
  byId,
  control,
  formatBytes,
  formatDuration,
  formatFigure,
  formatNumber,
  make,
  setText,
} from './dom.js';

/** @import { CountersAnswer, StatusAnswer } from '../src/admin/contract.ts' */
/** @typedef {StatusAnswer['services'][number]} ServiceStatus */
/** @typedef {{ root: HTMLElement, update: (service: ServiceStatus) => void, details: HTMLDetailsElement, counters: HTMLElement }} Card */

/** Cards stay in place from poll to poll: what is open stays open, focus stays where it is. @type {Map<string, Card>} */
const cards = new Map();
let announced = '';

/** Asks for the status and shows it. Throws ApiProblem. */
export async function refreshStatus() {
  /** @type {StatusAnswer} */
  const status = await request('/status');
  showOverall(status);
  const present = new Set(status.services.map(({ name }) => name));
  for (const [name, card] of cards) {
    if (present.has(name)) continue;
    card.root.remove();
    cards.delete(name);
  }
  for (const service of status.services) cardOf(service.name).update(service);
  if ([...cards.values()].some(({ details }) => details.open)) await refreshCounters();
}

async function refreshCounters() {
  /** @type {CountersAnswer} */
  const { services } = await request('/counters');
  const showZeros = control('show-zeros', HTMLInputElement).checked;
  for (const { name, counters } of services) {
    const card = cards.get(name);
    if (card?.details.open) showCounters(card.counters, counters, showZeros);
  }
}

/** Shows or hides zeros at once, not at the next poll. */
control('show-zeros', HTMLInputElement).addEventListener('change', () => {
  refreshCounters().catch(() => {}); // the poll that follows says what is wrong
});

function showOverall(/** @type {StatusAnswer} */ { status, version, process, services }) {
  const overall = byId('overall');
  const troubled = services.filter(({ state }) => state === 'degraded' || state === 'failed');
  const troubles = troubled.map(({ name, state }) => `${name} ${state}`);
  const text = troubles.length === 0 ? 'all services well' : troubles.join(', ');
  overall.className = `state state-${status}`;
  setText(overall, text);
  if (text !== announced) setText(byId('announcements'), text);
  announced = text;
  const { uptimeSeconds, rssBytes } = process;
  setText(
    byId('process'),
    `version ${version}, up ${formatDuration(uptimeSeconds)}, ${formatBytes(rssBytes)} memory`,
  );
}

/** @returns {Card} */
function cardOf(/** @type {string} */ name) {
  const known = cards.get(name);
  if (known !== undefined) return known;
  const state = make('span');
  const figures = make('dl', { class: 'figure-list' });
  const problem = make('p', { class: 'problem' });
  const counters = make('div', { class: 'counters' });
  const details = make(
    'details',
    {},
    make('summary', { 'aria-label': `Counters of ${name}` }, 'Counters'),
    counters,
  );
  details.addEventListener('toggle', () => {
    if (details.open) refreshCounters().catch(() => {});
  });
  const head = make('div', { class: 'card-head' }, make('h3', {}, name), state, figures);
  const root = make('article', { class: 'card' }, head, problem, details);
  const card = {
    root,
    details,
    counters,
    update: (/** @type {ServiceStatus} */ service) => {
      state.className = `state state-${service.state}`;
      setText(state, service.state);
      setText(problem, service.problem ?? '');
      problem.hidden = service.problem === null;
      showFigures(figures, service);
    },
  };
  cards.set(name, card);
  byId('services').append(root);
  return card;
}

function showFigures(/** @type {HTMLElement} */ list, /** @type {ServiceStatus} */ { figures, restarts }) {
  const entries = Object.entries(figures);
  if (restarts > 0) entries.push(['restarts', restarts]);
  const items = entries.map(([name, value]) => {
    const { label, text } = formatFigure(name, value);
    return make('div', {}, make('dt', {}, label), make('dd', {}, text));
  });
  list.replaceChildren(...items);
}

/**
 * @param {HTMLElement} place
 * @param {CountersAnswer['services'][number]['counters']} counters
 * @param {boolean} showZeros
 */
function showCounters(place, counters, showZeros) {
  const shown = counters.filter(({ value }) => showZeros || value !== 0);
  if (shown.length === 0) {
    place.replaceChildren(make('p', { class: 'hint' }, 'Nothing counted yet.'));
    return;
  }
  const rows = shown.map(({ name, value, explanation }) =>
    make(
      'tr',
      {},
      make('th', { scope: 'row' }, make('code', {}, name)),
      make('td', { class: 'number' }, formatNumber(value)),
      make('td', {}, explanation),
    ),
  );
  place.replaceChildren(make('table', {}, make('tbody', {}, ...rows)));
}
