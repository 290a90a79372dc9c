/** A few lines in place of a framework: make elements, find them, write numbers for people. */

/** The element with this id. Throws when the page has none. */
export function byId(/** @type {string} */ id) {
  const element = document.getElementById(id);
  if (element === null) throw new Error(`the page has no #${id}`);
  return element;
}

/** An input, text area, button or form by id. @template {HTMLElement} T @returns {T} */
export function control(/** @type {string} */ id, /** @type {new () => T} */ type) {
  const element = byId(id);
  if (!(element instanceof type)) throw new Error(`#${id} is no ${type.name}`);
  return element;
}

/**
 * A new element. Text is always text, never markup.
 *
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Readonly<Record<string, string>>} attributes
 * @param {readonly (Node | string)[]} children
 */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** Writes text only when it differs, so that nothing is announced or repainted in vain. */
export function setText(/** @type {Element} */ element, /** @type {string} */ text) {
  if (element.textContent !== text) element.textContent = text;
}

/** A table with a heading for each column; cells are text, or nodes. On a phone the rows of a wide one become lists. */
export function makeTable(
  /** @type {readonly string[]} */ headings,
  /** @type {readonly (readonly (Node | string)[])[]} */ rows,
) {
  const head = headings.map((heading) => make('th', { scope: 'col' }, heading));
  const body = rows.map((cells) =>
    make('tr', {}, ...cells.map((cell, i) => make('td', { 'data-label': headings[i] }, cell))),
  );
  return make(
    'table',
    { class: headings.length > 3 ? 'list stacked' : 'list' },
    make('thead', {}, make('tr', {}, ...head)),
    make('tbody', {}, ...body),
  );
}

/** The fields of a form that are filled in, as a query string. */
export function queryOf(/** @type {HTMLFormElement} */ form) {
  const query = new URLSearchParams();
  for (const [name, value] of new FormData(form)) {
    const text = String(value).trim();
    if (text !== '') query.set(name, text);
  }
  return query;
}

/** Marks the fields of a form that the API named as wrong, and no others. */
export function markFields(
  /** @type {HTMLFormElement} */ form,
  /** @type {readonly { path: string }[]} */ problems,
) {
  const wrong = new Set(problems.map(({ path }) => path.slice(1)));
  for (const field of form.querySelectorAll('input')) {
    if (wrong.has(field.name)) field.setAttribute('aria-invalid', 'true');
    else field.removeAttribute('aria-invalid');
  }
}

const integers = new Intl.NumberFormat('en');
const decimals = new Intl.NumberFormat('en', { maximumFractionDigits: 1 });

/** A number with its thousands apart. */
export const formatNumber = (/** @type {number} */ value) =>
  Number.isInteger(value) ? integers.format(value) : decimals.format(value);

/** 12.3 MiB */
export function formatBytes(/** @type {number} */ bytes) {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  const power = bytes < 1 ? 0 : Math.min(Math.floor(Math.log2(bytes) / 10), units.length - 1);
  return `${decimals.format(bytes / 1024 ** power)} ${units[power]}`;
}

/** 3 d 4 h, 5 min 6 s */
export function formatDuration(/** @type {number} */ seconds) {
  /** @type {[string, number][]} */
  const units = [
    ['d', 86_400],
    ['h', 3600],
    ['min', 60],
    ['s', 1],
  ];
  const first = units.findIndex(([, length]) => seconds >= length);
  if (first === -1) return '0 s';
  let rest = Math.floor(seconds);
  const parts = units.slice(first, first + 2).map(([unit, length]) => {
    const count = Math.floor(rest / length);
    rest -= count * length;
    return count === 0 ? '' : `${count} ${unit}`;
  });
  return parts.filter((part) => part !== '').join(' ');
}

/** "cacheEntries" is "cache entries"; a unit at the end of the name moves to the value. */
export function formatFigure(/** @type {string} */ name, /** @type {number | string} */ value) {
  const words = name
    .replace(/(Bytes|Ms|Seconds)$/, '')
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .toLowerCase();
  if (typeof value === 'string') return { label: words, text: value };
  if (name.endsWith('Bytes')) return { label: words, text: formatBytes(value) };
  if (name.endsWith('Ms')) return { label: words, text: `${formatNumber(value)} ms` };
  if (name.endsWith('Seconds')) return { label: words, text: formatDuration(value) };
  return { label: words, text: formatNumber(value) };
}

/** Copies text. Browsers offer the clipboard only over HTTPS and on localhost; elsewhere the text is selected. */
export async function copyOrSelect(/** @type {HTMLElement} */ element, /** @type {HTMLElement} */ button) {
  try {
    await navigator.clipboard.writeText(element.textContent ?? '');
    setText(button, 'Copied');
  } catch {
    getSelection()?.selectAllChildren(element);
    setText(button, 'Selected: Ctrl-C');
  }
}
