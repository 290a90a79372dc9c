/** An appliance that has an owner, whose browser is signed in. */
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import type { AdminDeps } from '../../../src/admin/deps.ts';
import { type Answer, type Browser, PASSWORD, newBrowser } from './browser.ts';
import { testAdmin } from './fixture.ts';

export const LOCAL = '127.0.0.1';

/** An appliance whose owner has just set the password in `owner`. */
export async function claimed(t: TestContext, changes: Partial<AdminDeps> = {}) {
  const admin = await testAdmin(t, changes);
  const owner = newBrowser(admin.app, LOCAL);
  const response = await owner.send('POST', 'first-run', { password: PASSWORD });
  assert.equal(response.status, 200, response.body);
  return { ...admin, owner };
}

export const signIn = (browser: Browser, password = PASSWORD, more: object = {}): Promise<Answer> =>
  browser.send('POST', 'session', { password, ...more });

export const bearer = (secret: string) => ({ authorization: `Bearer ${secret}` });
