/** TCP headers (RFC 9293) and UDP headers (RFC 768): the parts that a translator or a proxy reads. */

export const TCP_HEADER_BYTES = 20;
export const UDP_HEADER_BYTES = 8;

/** Offsets in bytes; UDP has its ports at the same offsets. */
export const TCP = { SOURCE_PORT: 0, DESTINATION_PORT: 2, DATA_OFFSET: 12, FLAGS: 13, CHECKSUM: 16 } as const;
export const UDP = { SOURCE_PORT: 0, DESTINATION_PORT: 2, LENGTH: 4, CHECKSUM: 6 } as const;

export const TCP_OPTION = { END: 0, NOP: 1, MAX_SEGMENT_SIZE: 2 } as const;
export const TCP_FLAG = { FIN: 1, SYN: 2, RST: 4, ACK: 16 } as const;

/** The length of the TCP header at `at` in bytes, options included, or 0 when it is not complete before `end`. */
export function tcpHeaderBytes(view: DataView, at: number, end: number): number {
  if (end - at < TCP_HEADER_BYTES) return 0;
  const headerBytes = (view.getUint8(at + TCP.DATA_OFFSET) >> 4) << 2;
  return headerBytes < TCP_HEADER_BYTES || headerBytes > end - at ? 0 : headerBytes;
}
