/** The NAT64 section: asks nothing before it is opened, and again only while somebody can see it. */
import { ApiProblem, request } from './api.js';
import { byId, control, formatNumber, make, makeTable, setText } from './dom.js';
import './explain.js';
import { refreshRows } from './sessions.js';

/** @import { CountersAnswer, Nat64ClientsAnswer, Nat64PoolAnswer } from '../src/admin/contract.ts' */

const REFRESH_MS = 5000;

const section = control('nat64', HTMLDetailsElement);
let isOnScreen = false;
let turns = 0;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;

/** Asks again REFRESH_MS after each answer. The latest call goes on alone. */
async function refresh() {
  clearTimeout(timer);
  const turn = ++turns;
  if (!section.open || !isOnScreen || document.hidden) return;
  try {
    /** @type {[Nat64PoolAnswer, Nat64ClientsAnswer, CountersAnswer]} */
    const [pool, clients, { services }] = await Promise.all([
      request('/nat64/pool'),
      request('/nat64/clients'),
      request('/counters'),
    ]);
    showPool(pool);
    showClients(clients);
    showDrops(services.find(({ name }) => name === 'nat64')?.counters ?? []);
    await refreshRows();
    showProblem('');
  } catch (error) {
    if (!(error instanceof ApiProblem)) throw error;
    showProblem(error.message);
  }
  if (turn === turns) timer = setTimeout(refresh, REFRESH_MS);
}

function showProblem(/** @type {string} */ text) {
  const problem = byId('nat64-problem');
  setText(problem, text);
  problem.hidden = text === '';
  byId('nat64-body').hidden = text !== '';
}

section.addEventListener('toggle', () => void refresh());
document.addEventListener('visibilitychange', () => void refresh());
new IntersectionObserver((entries) => {
  const wasOnScreen = isOnScreen;
  isOnScreen = entries.some(({ isIntersecting }) => isIntersecting);
  if (isOnScreen && !wasOnScreen) void refresh();
}).observe(section);

const empty = (/** @type {string} */ text) => make('p', { class: 'hint' }, text);

function showPool(/** @type {Nat64PoolAnswer} */ { pools, sessions, maxSessions }) {
  const counted = make(
    'p',
    {},
    ...share('sessions', sessions, maxSessions),
    ' sessions, as nat64.maxSessions allows',
  );
  const rows = pools.map(({ address, firstPort, lastPort, size, used }) => [
    make('span', { class: 'address' }, `${address}#${firstPort}-${lastPort}`),
    ...[used.tcp, used.udp, used.icmp].map((count) => make('span', {}, ...share('ports', count, size))),
  ]);
  byId('nat64-pool').replaceChildren(
    counted,
    rows.length === 0
      ? empty('No IPv4 address to translate to. Connect the IPv4 network, or set nat64.pool4[0].address.')
      : makeTable(['Pool', 'TCP', 'UDP', 'ICMP'], rows),
  );
}

/** How much of something is in use, as a bar and in figures. */
function share(/** @type {string} */ name, /** @type {number} */ count, /** @type {number} */ size) {
  const text = `${formatNumber(count)} of ${formatNumber(size)}`;
  const attributes = { min: '0', max: String(size), value: String(count), 'aria-label': `${name}: ${text}` };
  return [make('meter', { ...attributes, high: String(size * 0.9) }), ` ${text}`];
}

function showClients(/** @type {Nat64ClientsAnswer} */ { rows, clients, isComplete }) {
  if (rows.length === 0) {
    byId('nat64-clients').replaceChildren(
      empty('No clients yet: none of the networks in nat64.allow has sent anything to the NAT64 prefix.'),
    );
    return;
  }
  const cells = rows.map(({ client, sessions, mappings }) => [
    make('span', { class: 'address' }, client),
    formatNumber(sessions),
    formatNumber(mappings),
  ]);
  const total = `${isComplete ? '' : 'more than '}${formatNumber(clients)} clients in all`;
  byId('nat64-clients').replaceChildren(makeTable(['Client', 'Sessions', 'Ports'], cells), empty(total));
}

function showDrops(/** @type {CountersAnswer['services'][number]['counters']} */ counters) {
  const drops = counters
    .filter(({ name, value }) => name.startsWith('drop-') && value > 0)
    .sort((a, b) => b.value - a.value)
    .map(({ name, value, explanation }) => [
      make('span', {}, explanation, ' ', make('code', { class: 'hint' }, name)),
      formatNumber(value),
    ]);
  byId('nat64-drops').replaceChildren(
    drops.length === 0
      ? empty('No packet was dropped since the start.')
      : makeTable(['Reason', 'Packets'], drops),
  );
}
