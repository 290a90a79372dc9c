/** NAT-PMP (RFC 6886), as far as asking the router for its public IPv4 address. */
import { ipv4At } from './ip-address.ts';

/** Where a router takes requests (UDP). */
export const NAT_PMP_PORT = 5351;

/** Section 3.2: version 0, opcode 0. */
export const EXTERNAL_ADDRESS_REQUEST = Uint8Array.of(0, 0);

const RESPONSE_BYTES = 12;
const VERSION = 0;
/** Opcode 0, with the bit of responses. */
const RESPONSE_OPCODE = 128;
const RESULT_AT = 2;
const ADDRESS_AT = 8;

/** The public address in a response (unsigned); undefined when it is none, or tells an error. */
export function readExternalAddress(bytes: Uint8Array): number | undefined {
  if (bytes.length !== RESPONSE_BYTES) return undefined;
  if (bytes[0] !== VERSION || bytes[1] !== RESPONSE_OPCODE) return undefined;
  if (bytes[RESULT_AT] !== 0 || bytes[RESULT_AT + 1] !== 0) return undefined;
  const address = ipv4At(bytes, ADDRESS_AT);
  // What routers say that are not connected.
  return address === 0 ? undefined : address;
}
