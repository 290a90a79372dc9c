/** The claim window: how long the first visitor may set the password of an appliance that has none. */

export const CLAIM_WINDOW_MS = 30 * 60_000;

export interface ClaimWindow {
  isOpen(): boolean;
  /** Milliseconds until it closes; 0 if it is closed. */
  remainingMs(): number;
}

/** Opens the window. The clock is monotonic, because an appliance sets its clock soon after it starts. */
export function openClaimWindow(monotonicNowMs: () => number): ClaimWindow {
  const endMs = monotonicNowMs() + CLAIM_WINDOW_MS;
  const remainingMs = () => Math.max(0, endMs - monotonicNowMs());
  return { isOpen: () => remainingMs() > 0, remainingMs };
}
