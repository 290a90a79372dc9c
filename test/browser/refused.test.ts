/** A refused configuration file on the page: what is wrong, what is active, and how to fix it. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { CONFIGURATION } from '../../lab/appliance.ts';
import { type Claimed, startClaimed } from './claimed.ts';
import { axe, FRESH, ORIGIN, SCREENSHOTS, startProcess } from './support.ts';

const GOOD = { ...CONFIGURATION, ...FRESH };
const DAMAGED = JSON.stringify({ ...GOOD, hots: [] });

describe('a refused configuration file', () => {
  let appliance: Claimed;
  let file: string;

  before(async () => {
    appliance = await startClaimed('refused');
    file = join(appliance.world.directory, 'refused.json');
  });
  after(() => appliance?.[Symbol.asyncDispose]());

  for (const [locale, title, words, button, done] of [
    [
      'en-GB',
      'The configuration file is refused',
      /\/hots: unknown field "hots"; did you mean "hosts"\?.*Revision 1 of .*, the last good one, is running/,
      'Use the running configuration',
      'The file now has the running configuration.',
    ],
    [
      'de-DE',
      'Die Konfigurationsdatei wird abgelehnt',
      /\/hots: unbekanntes Feld "hots".*Es läuft der Stand/,
      'Laufende Konfiguration übernehmen',
      'Die laufende Konfiguration steht jetzt in der Datei.',
    ],
  ] as const) {
    it(`at the start, ${locale}: a banner with path, value and expectation; one click keeps the running configuration`, async () => {
      await appliance.process.stop();
      writeFileSync(file, DAMAGED);
      appliance.process = await startProcess(appliance.world, undefined, 'refused');
      await using opened = await appliance.open({ locale });
      const { page } = opened;
      await page.goto(`${ORIGIN}/servers`);
      const banner = page.getByRole('alert', { name: title });
      await banner.waitFor();
      assert.match((await banner.textContent()) ?? '', words);
      await page.screenshot({ path: join(SCREENSHOTS, `refused-${locale}.png`) });
      assert.deepEqual(await axe(page), []);
      await banner.getByRole('button', { name: button }).click();
      await page.getByText(done).waitFor();
      await banner.waitFor({ state: 'detached' });
      assert.deepEqual(JSON.parse(readFileSync(file, 'utf8')), GOOD);
      assert.deepEqual(opened.watch.troubles, []);
    });
  }

  it('also after a refused SIGHUP, until a good file is read', async () => {
    await using opened = await appliance.open();
    const { page } = opened;
    await page.goto(`${ORIGIN}/`);
    await page.getByRole('heading', { name: 'Dashboard', level: 1 }).waitFor();
    const banner = page.getByRole('alert', { name: 'The configuration file is refused' });
    assert.equal(await banner.count(), 0);
    writeFileSync(file, DAMAGED);
    appliance.process.process.kill('SIGHUP');
    await banner.waitFor();
    assert.match((await banner.textContent()) ?? '', /The previous configuration keeps running/);
    writeFileSync(file, JSON.stringify(GOOD));
    appliance.process.process.kill('SIGHUP');
    await banner.waitFor({ state: 'detached' });
    assert.deepEqual(opened.watch.troubles, []);
  });
});
