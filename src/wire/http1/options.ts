/** Fields whose values are lists of options for this connection: Connection, Upgrade, Keep-Alive. */
import type { HttpFault } from './fault.ts';
import { FIELD_SHIFT, Field, FieldFlag, type MessageHead, Upgrade, type UpgradeId } from './head.ts';
import { NOT_NOMINATED, fieldNameId, nextHash } from './names.ts';
import {
  FOLDED_TOKEN,
  equalsRange,
  equalsWord,
  memberEnd,
  memberStart,
  octetsOf,
  readDecimal,
} from './octets.ts';

const CLOSE = octetsOf('close');
const KEEP_ALIVE = octetsOf('keep-alive');
const UPGRADE = octetsOf('upgrade');
const WEBSOCKET = octetsOf('websocket');
const H2C = octetsOf('h2c');
const TIMEOUT = octetsOf('timeout=');

/** Each is compared with all fields, so that their number must be limited. */
export const MAX_OPTIONS = 64;
const MAX_TIMEOUT_DIGITS = 7;

interface OptionFaults {
  readonly nominated: HttpFault;
  readonly options: HttpFault;
}

/**
 * Reads one Connection field (RFC 9110 section 7.6.1), and flags the fields that it names. `counted`: options of earlier
 * ones. Returns their number, or -1 when the message is refused.
 */
export function readConnection(
  head: MessageHead,
  bytes: Uint8Array,
  row: number,
  counted: number,
  faults: OptionFaults,
): number {
  const end = head.fields[row + Field.valueEnd];
  let count = counted;
  let start = memberStart(bytes, head.fields[row + Field.valueStart], end);
  while (start !== -1) {
    const stop = memberEnd(bytes, start, end);
    if (equalsWord(bytes, start, stop, KEEP_ALIVE)) head.connectionKeepAlive = true;
    else if (equalsWord(bytes, start, stop, CLOSE)) head.connectionClose = true;
    else if (equalsWord(bytes, start, stop, UPGRADE)) head.connectionUpgrade = true;
    else if (!nominate(head, bytes, start, stop)) {
      head.fault = faults.nominated;
      return -1;
    }
    if (++count > MAX_OPTIONS) {
      head.fault = faults.options;
      return -1;
    }
    start = memberStart(bytes, stop, end);
  }
  return count;
}

/** Flags the fields of a name; false when that name must not be in Connection. */
function nominate(head: MessageHead, bytes: Uint8Array, start: number, end: number): boolean {
  let hash = 0;
  for (let i = start; i < end; i++) hash = nextHash(hash, FOLDED_TOKEN[bytes[i]]);
  const id = fieldNameId(bytes, start, end, hash);
  if (id > 0 && NOT_NOMINATED[id] === 1) return false;
  head.hasNominations = true;
  const { fields, fieldCount } = head;
  for (let i = 0; i < fieldCount; i++) {
    const row = i << FIELD_SHIFT;
    if (equalsRange(bytes, fields[row + Field.lineStart], fields[row + Field.nameEnd], start, end))
      fields[row + Field.flags] |= FieldFlag.nominated | FieldFlag.dropped;
  }
  return true;
}

/** What an Upgrade field names (RFC 9110 section 7.8). */
export function readUpgrade(bytes: Uint8Array, valueStart: number, valueEnd: number): UpgradeId {
  let found: UpgradeId = Upgrade.none;
  let start = memberStart(bytes, valueStart, valueEnd);
  while (start !== -1) {
    const stop = memberEnd(bytes, start, valueEnd);
    if (equalsWord(bytes, start, stop, WEBSOCKET)) return Upgrade.websocket;
    found = equalsWord(bytes, start, stop, H2C)
      ? Upgrade.h2c
      : found === Upgrade.none
        ? Upgrade.other
        : found;
    start = memberStart(bytes, stop, valueEnd);
  }
  return found;
}

/** Takes one Upgrade field into the head: a second one withdraws the offsets, and counts only for the protocol. */
export function addUpgrade(head: MessageHead, bytes: Uint8Array, row: number, isFirst: boolean): void {
  const start = head.fields[row + Field.valueStart];
  const end = head.fields[row + Field.valueEnd];
  head.upgradeStart = isFirst ? start : -1;
  head.upgradeEnd = isFirst ? end : -1;
  const id = readUpgrade(bytes, start, end);
  if (isFirst || id === Upgrade.websocket || head.upgrade === Upgrade.none) head.upgrade = id;
}

/** Without the option in Connection, and in HTTP/1.0, Upgrade means nothing. */
export function settleUpgrade(head: MessageHead): void {
  if (head.connectionUpgrade && head.minorVersion === 1) return;
  head.upgrade = Upgrade.none;
  head.upgradeStart = -1;
  head.upgradeEnd = -1;
}

/** The seconds of `timeout=N` in Keep-Alive, or -1. */
export function readKeepAliveTimeout(bytes: Uint8Array, valueStart: number, valueEnd: number): number {
  let start = memberStart(bytes, valueStart, valueEnd);
  while (start !== -1) {
    const stop = memberEnd(bytes, start, valueEnd);
    const digits = start + TIMEOUT.length;
    if (digits < stop && equalsWord(bytes, start, digits, TIMEOUT))
      return readDecimal(bytes, digits, stop, MAX_TIMEOUT_DIGITS);
    start = memberStart(bytes, stop, valueEnd);
  }
  return -1;
}
