/** What health checks change for a client, for explanations. */
import type { AddressHealthFound } from '../../../runtime/address-health.ts';
import type { WayStep } from '../../../runtime/explain.ts';
import { say } from '../../../texts/text.ts';

/** The addresses that clients are led to: those that do not fail their health checks, or all if all of them fail. */
export function passing(
  addresses: readonly string[],
  checks: readonly AddressHealthFound[],
): readonly string[] {
  const left = addresses.filter((address) => !failuresOf(checks).some((each) => each.address === address));
  return left.length === 0 ? addresses : left;
}

const failuresOf = (checks: readonly AddressHealthFound[]) => checks.filter(({ state }) => state === 'fail');

export function failingSteps(
  addresses: readonly string[],
  checks: readonly AddressHealthFound[],
  position: number,
): WayStep[] {
  const configPath = `/hosts/${position}/health`;
  const failures = failuresOf(checks);
  const areAll = failures.length > 0 && failures.length === addresses.length;
  return failures.map(({ address, detail }) => {
    const values = { address, detail: detail ?? '' };
    const text = areAll
      ? say(
          '{address} fails its health checks. Clients are led there nevertheless, because no address passes. {detail}',
          values,
        )
      : say('{address} fails its health checks, so clients are led elsewhere. {detail}', values);
    return { isOk: true, text, configPath };
  });
}
