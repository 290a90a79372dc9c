/** Our end of a connected socket, for a PROXY header. */
import { getsockname, int32, pinned } from '../os/libc.ts';
import { SOCKADDR_BYTES, type SocketAddress, decodeSocketAddress } from '../os/socket-address.ts';

const address = pinned(SOCKADDR_BYTES);
const size = int32(SOCKADDR_BYTES);

/** The address that the client dialled; undefined if the socket no longer has one. */
export function localOf(fd: number): SocketAddress | undefined {
  size[0] = SOCKADDR_BYTES;
  return getsockname(fd, address, size) === 0 ? decodeSocketAddress(address) : undefined;
}
