/** Starts two parts at the same time: either both run or none. */

/**
 * Resolves with both. If one cannot start, stops the other as soon as it has started, and rejects with the reason of the first
 * failure.
 */
export async function startTogether<A extends AsyncDisposable, B extends AsyncDisposable>(
  first: Promise<A>,
  second: Promise<B>,
): Promise<[A, B]> {
  try {
    return await Promise.all([first, second]);
  } catch (error) {
    for (const started of await Promise.allSettled([first, second]))
      if (started.status === 'fulfilled') await started.value[Symbol.asyncDispose]();
    throw error;
  }
}
