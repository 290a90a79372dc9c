/** The two ends of a connected socket, as a PROXY header tells them. */
import { getpeername, getsockname, int32, pinned } from '../os/libc.ts';
import { SOCKADDR_BYTES, type SocketAddress, decodeSocketAddress } from '../os/socket-address.ts';

const address = pinned(SOCKADDR_BYTES);
const size = int32(SOCKADDR_BYTES);

function ask(call: typeof getpeername, fd: number): SocketAddress | undefined {
  size[0] = SOCKADDR_BYTES;
  return call(fd, address, size) === 0 ? decodeSocketAddress(address) : undefined;
}

/** The client's address; undefined when it has gone already. */
export const peerOf = (fd: number): SocketAddress | undefined => ask(getpeername, fd);

/** Our own address, the one that the client dialled. */
export const localOf = (fd: number): SocketAddress | undefined => ask(getsockname, fd);
