/** Which mappings stay when the settings change, or come back after a restart. */
import { isInPortBlock } from './port-blocks.ts';
import type { Settings } from './settings.ts';
import { isAllowed } from './address-list.ts';
import { isInPool } from './pool.ts';

/** Whether a host, whose address begins at `at` of `words`, might get this very port today. */
export function mayKeepMapping(
  settings: Settings,
  words: Int32Array,
  at: number,
  protocol: number,
  slot: number,
  port: number,
): boolean {
  if (!isAllowed(settings.allow, words, at)) return false;
  const { portBlocks } = settings;
  return portBlocks === undefined
    ? isInPool(settings, slot, protocol, port)
    : isInPortBlock(portBlocks, protocol, slot, port, words, at);
}
