/**
 * The page in German: no page shows an English sentence at any moment, neither its own nor one from the appliance (checks,
 * explanations, errors, states). The language can be changed while the page is open.
 */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Page } from 'playwright-core';
import { waitUntil } from '../../lab/wait.ts';
import { GERMAN } from '../../src/texts/de/all.ts';
import { GERMAN as PAGE_GERMAN } from '../../web/src/texts/de/all.ts';
import { type Claimed, startClaimed } from './claimed.ts';
import { ORIGIN } from './support.ts';

/** Three words in a row are neither a name nor a loan word. */
const IS_ENGLISH = /[A-Za-z]+,? [a-z]+,? [a-z]+/;

/** The parts of English texts of server and page that appear on the page: the pieces between the values. */
const ENGLISH_PIECES = Object.entries({ ...GERMAN, ...PAGE_GERMAN }).flatMap(([sentence, german]) =>
  sentence
    .split(/\{[a-zA-Z0-9]+\}/)
    .map((piece) => piece.trim())
    .filter((piece) => IS_ENGLISH.test(piece) && !german.includes(piece)),
);

const englishIn = (text: string): string[] => ENGLISH_PIECES.filter((piece) => text.includes(piece));

/** Pages with texts of the server. The log is in English. */
const PATHS = [
  '/',
  '/servers',
  '/servers/web1',
  '/checks',
  '/live',
  '/proxy',
  '/forward',
  '/dns64',
  '/nat64',
  '/explain?from=203.0.113.10&protocol=tcp&to=example.com&port=443',
  '/explain?from=203.0.113.10&protocol=tcp&to=nobody.example.com&port=443',
  '/explain?from=2001:db8:1::10&protocol=tcp&to=ipv4.example.net&port=80',
  '/configuration',
  '/configuration?view=history',
  '/system',
  '/system?view=access',
  '/system?view=audit',
];

describe('the page in German', () => {
  let appliance: Claimed;

  before(async () => {
    appliance = await startClaimed('german');
  });
  after(() => appliance?.[Symbol.asyncDispose]());

  const open = (locale: string) => appliance.open({ locale });
  const show = async (page: Page, path: string) => {
    await page.goto(ORIGIN + path);
    await page.getByRole('heading', { level: 1 }).waitFor();
    await waitUntil(`${path} to be loaded`, async () => {
      return (await page.locator('.loading, main [aria-busy]').count()) === 0;
    });
  };
  const textOf = async (page: Page) => (await page.locator('main').textContent()) ?? '';

  it('no page shows an English sentence of the appliance', async () => {
    await using opened = await open('de-DE');
    const { page, watch } = opened;
    // All checks have run, and show their findings.
    await show(page, '/checks');
    await page.getByRole('button', { name: 'Alles noch einmal prüfen' }).click();
    await page.getByRole('button', { name: 'Alles noch einmal prüfen' }).waitFor();
    const found: string[] = [];
    for (const path of PATHS) {
      await show(page, path);
      if (path.startsWith('/explain')) await page.locator('main ol, main .stack').first().waitFor();
      found.push(...englishIn(await textOf(page)).map((piece) => `${path}: ${piece}`));
    }
    assert.deepEqual([...found, ...watch.troubles], []);
  });

  it('nothing is in English at first; an English reader loads no German', async () => {
    const loadsGerman = async (locale: string) => {
      await using opened = await open(locale);
      const { page } = opened;
      const scripts: Promise<string>[] = [];
      page.on('response', (response) => {
        // One that comes while the page is being closed has no text any more.
        if (response.url().endsWith('.js')) scripts.push(response.text().catch(() => ''));
      });
      // Everything that is on the page at any time, from the first element on.
      await page.addInitScript(`
        globalThis.seen = new Set();
        new MutationObserver(() => seen.add(document.body?.innerText ?? ''))
          .observe(document, { childList: true, subtree: true, characterData: true });
      `);
      await show(page, '/');
      const seen = await page.evaluate<string[]>('[...seen]');
      assert.ok(seen.length > 1);
      const english = englishIn(seen.join('\n'));
      const language = await page.locator('html').getAttribute('lang');
      const german = PAGE_GERMAN['Skip to the content'];
      return {
        language,
        hasEnglish: english.length > 0,
        hasGerman: seen.some((text) => text.includes(german)),
        loads: (await Promise.all(scripts)).some((script) => script.includes(german)),
      };
    };
    const inEnglish = { language: 'en', hasEnglish: true, hasGerman: false, loads: false };
    assert.deepEqual(await loadsGerman('en-GB'), inEnglish);
    assert.deepEqual(await loadsGerman('de-DE'), {
      language: 'de',
      hasEnglish: false,
      hasGerman: true,
      loads: true,
    });
  });

  it('errors of a refused configuration are in German', async () => {
    await using opened = await open('de-DE');
    const { page } = opened;
    await show(page, '/configuration?view=json');
    const check = async (document: string, expected: RegExp) => {
      await page.locator('textarea').fill(document);
      await page.getByRole('button', { name: 'Prüfen', exact: true }).click();
      await page.locator('.problem-list').getByText(expected).first().waitFor();
      assert.deepEqual(englishIn((await page.locator('.error-box').textContent()) ?? ''), []);
    };
    await check('{"hosts": 1, "adnim": {}}', /1 passt nicht; erwartet: eine Liste von Servern/);
    await check('{"admin": {"listen": ["0.0.0.0"], "port": 443}}', /443 ist für die Weboberfläche, aber 443/);
    await check('{"hosts": [}', /JSON-Syntax: gefunden/);
  });

  it('German words on the screen find their row in the timeline', async () => {
    await using opened = await open('de-DE');
    const { page, watch } = opened;
    // Opening the page triggers the measurement of the servers. The lab's certificates are from an unknown authority.
    await show(page, '/servers');
    await show(page, '/live?kind=health&server=web2');
    const row = page.locator('.timeline > li').filter({ hasText: 'web2' });
    await row.first().click();
    const words = 'keiner Stelle, der Clients vertrauen';
    await page.locator('.event-details').getByText(words).first().waitFor();
    await show(page, `/live?text=${encodeURIComponent(words.toUpperCase())}`);
    await row.first().waitFor();
    for (const each of await page.locator('.timeline > li').all()) {
      await each.click();
      await each.getByText(words).first().waitFor();
    }
    assert.deepEqual(watch.troubles, []);
  });

  it('an open page changes its language, with all its content', async () => {
    await using opened = await open('en-GB');
    const { page, watch } = opened;
    await show(page, '/checks');
    await page
      .getByText(/IPv4 default route/)
      .first()
      .waitFor();
    assert.ok(englishIn(await textOf(page)).length > 0);
    await page.getByRole('button', { name: 'Appearance and language' }).click();
    await page.getByRole('combobox', { name: 'Language' }).selectOption('de');
    await page
      .getByText(/IPv4-Standardroute/)
      .first()
      .waitFor();
    assert.deepEqual(englishIn(await textOf(page)), []);
    await page.reload();
    await page
      .getByText(/IPv4-Standardroute/)
      .first()
      .waitFor();
    assert.deepEqual(watch.troubles, []);
  });
});
