/** Asks the router for its address towards the Internet, as game consoles do. */
import { createSocket } from 'node:dgram';
import { EXTERNAL_ADDRESS_REQUEST, NAT_PMP_PORT, readExternalAddress } from '../wire/nat-pmp.ts';

/** RFC 6886 section 3.1: repeat after 250 ms, then after twice as long each time. */
const FIRST_WAIT_MS = 250;
const TRIES = 3;

/** The public IPv4 address (unsigned); undefined when the router does not know NAT-PMP or is not connected. Never rejects. */
export async function askRouter(gateway: string, port = NAT_PMP_PORT): Promise<number | undefined> {
  const { promise, resolve } = Promise.withResolvers<number | undefined>();
  const socket = createSocket('udp4');
  let timer: NodeJS.Timeout | undefined;
  const attempt = (tries: number, waitMs: number) => {
    if (tries === 0) return resolve(undefined);
    socket.send(EXTERNAL_ADDRESS_REQUEST);
    timer = setTimeout(attempt, waitMs, tries - 1, waitMs * 2);
  };
  // "Port unreachable": the router does not know the protocol.
  socket.on('error', () => resolve(undefined));
  socket.on('message', (message) => {
    const address = readExternalAddress(message);
    if (address !== undefined) resolve(address);
  });
  // A connected socket only receives from the router (section 3.1: the source must be checked).
  socket.connect(port, gateway, (error?: Error) => {
    if (error instanceof Error) resolve(undefined);
    else attempt(TRIES, FIRST_WAIT_MS);
  });
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    socket.close();
  }
}
