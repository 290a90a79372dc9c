/** An appliance in the lab with an owner, and the owner's browser. */
import type { Browser, BrowserContextOptions } from 'playwright-core';
import { CONFIGURATION } from '../../lab/appliance.ts';
import type { Child } from '../../lab/host.ts';
import { buildWorld, type World } from '../../lab/world.ts';
import { claim, FRESH, type Opened, openPage, startBrowser, startProcess } from './support.ts';

export interface Claimed extends AsyncDisposable {
  readonly world: World;
  readonly browser: Browser;
  /** Stopped at the end; a test that restarts it must put the new process here. */
  process: Child;
  /** A page of the signed-in owner. */
  open(options?: BrowserContextOptions): Promise<Opened>;
}

/** Starts it with the lab's servers, on its own state directory (`name`). */
export async function startClaimed(name: string): Promise<Claimed> {
  await using cleanUp = new AsyncDisposableStack();
  const world = cleanUp.use(await buildWorld());
  const running = { process: await startProcess(world, { ...CONFIGURATION, ...FRESH }, name) };
  cleanUp.defer(async () => void (await running.process.stop()));
  const browser = cleanUp.adopt(await startBrowser(world), (started) => started.close());
  await using first = await openPage(browser);
  await claim(first.page);
  const storageState = await first.page.context().storageState();
  const owner = cleanUp.move();
  return Object.assign(running, {
    world,
    browser,
    open: (options: BrowserContextOptions = {}) => openPage(browser, { storageState, ...options }),
    [Symbol.asyncDispose]: () => owner.disposeAsync(),
  });
}
