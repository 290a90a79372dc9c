/** NAT-PMP (RFC 6886): only the request for the router's public IPv4 address. */
import { ipv4At } from './ip-address.ts';

/** The UDP port of the router. */
export const NAT_PMP_PORT = 5351;

/** Section 3.2: version 0, opcode 0. */
export const EXTERNAL_ADDRESS_REQUEST = Uint8Array.of(0, 0);

const RESPONSE_BYTES = 12;
const VERSION = 0;
/** Opcode 0, with the response bit set. */
const RESPONSE_OPCODE = 128;
const RESULT_AT = 2;
const ADDRESS_AT = 8;

/** The public address in a response (unsigned); undefined when it is not such a response, or reports an error. */
export function readExternalAddress(bytes: Uint8Array): number | undefined {
  if (bytes.length !== RESPONSE_BYTES) return undefined;
  if (bytes[0] !== VERSION || bytes[1] !== RESPONSE_OPCODE) return undefined;
  if (bytes[RESULT_AT] !== 0 || bytes[RESULT_AT + 1] !== 0) return undefined;
  const address = ipv4At(bytes, ADDRESS_AT);
  // Routers without a connection report such an address.
  return address === 0 ? undefined : address;
}
