/** The result of a non-blocking connect(2). */
import { SOL_SOCKET, SO_ERROR, getsockopt, int32, pinned } from './libc.ts';

const errorValue = pinned(4);
const errorBytes = int32(4);

/** The pending error of a socket (an errno), 0 for none. */
export function socketError(fd: number): number {
  getsockopt(fd, SOL_SOCKET, SO_ERROR, errorValue, errorBytes);
  return errorValue[0] | (errorValue[1] << 8);
}
