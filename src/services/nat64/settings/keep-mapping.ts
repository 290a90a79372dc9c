/** Which mappings stay when the settings change, and which are restored after a restart. */
import { isInPortBlock } from './port-blocks.ts';
import type { Settings } from './settings.ts';
import { isAllowed } from './address-list.ts';
import { isInPool } from './pool.ts';

/** Whether the host whose address is at `at` in `words` could get exactly this port with the current settings. */
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
