/** The first bytes for a server: a PROXY header if the server wants one, then the bytes from the client. */
import { Buffer } from 'node:buffer'; // the global is a getter
import { localOf } from '../../net/local-end.ts';
import type { SocketAddress } from '../../os/socket-address.ts';
import { encodeProxyV1, encodeProxyV2 } from '../../wire/proxy-protocol.ts';
import type { Backend } from './host-table.ts';

/** Who the client at a descriptor is. */
export type PeerOf = (fd: number) => SocketAddress | undefined;

const NONE = new Uint8Array(0);

/** A copy of `opening` after the header; undefined when the server is to see the client's address, but the client has gone. */
export function buildPreamble(
  { clientAddress }: Backend,
  source: SocketAddress | undefined,
  clientFd: number,
  authority: string | undefined,
  opening: Uint8Array,
): Uint8Array | undefined {
  let header: Uint8Array = NONE;
  if (clientAddress !== 'none' && source === undefined) return undefined;
  if (clientAddress === 'proxy-v1' || clientAddress === 'proxy-v2') {
    const destination = localOf(clientFd);
    if (source === undefined || destination === undefined) return undefined;
    header =
      clientAddress === 'proxy-v1'
        ? encodeProxyV1(source, destination)
        : encodeProxyV2(source, destination, authority);
  }
  // Buffer takes short copies from a slab, which is far cheaper than one ArrayBuffer each.
  const preamble = Buffer.allocUnsafe(header.length + opening.length);
  preamble.set(header);
  preamble.set(opening, header.length);
  return preamble;
}
