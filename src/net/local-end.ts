/** Our end of a connected socket, as a PROXY header tells it. */
import { getsockname, int32, pinned } from '../os/libc.ts';
import { SOCKADDR_BYTES, type SocketAddress, decodeSocketAddress } from '../os/socket-address.ts';

const address = pinned(SOCKADDR_BYTES);
const size = int32(SOCKADDR_BYTES);

/** The address that the client dialled; undefined when the socket has none any more. */
export function localOf(fd: number): SocketAddress | undefined {
  size[0] = SOCKADDR_BYTES;
  return getsockname(fd, address, size) === 0 ? decodeSocketAddress(address) : undefined;
}
