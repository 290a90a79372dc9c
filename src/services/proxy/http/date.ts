/** The Date field for answers whose server has sent none (RFC 9110 section 6.6.1). */
import { octetsOf } from '../../../wire/http1/octets.ts';

const NO_LINE = new Uint8Array(0);

let second = -1;
let line: Uint8Array = NO_LINE;

/** The line to add, made anew once a second. */
function dateLine(): Uint8Array {
  const now = Math.floor(Date.now() / 1000);
  if (now !== second) {
    second = now;
    line = octetsOf(`Date: ${new Date(now * 1000).toUTCString()}\r\n`);
  }
  return line;
}

export const missingDate = ({ hasDate }: { readonly hasDate: boolean }): Uint8Array =>
  hasDate ? NO_LINE : dateLine();
