/**
 * The virtio network header in its short form of 10 bytes: what a TUN opened with IFF_VNET_HDR puts in front of each
 * packet. Fields are little-endian on the machines we run on (TUN uses the native order).
 */

export const VIRTIO_NET_HEADER_BYTES = 10;

/** Offsets in bytes. */
export const VIRTIO_NET = {
  FLAGS: 0,
  GSO_TYPE: 1,
  HEADER_LENGTH: 2,
  GSO_SIZE: 4,
  CHECKSUM_START: 6,
  CHECKSUM_OFFSET: 8,
} as const;

/** In FLAGS: the checksum field holds the sum of the pseudo-header only; whoever sends the packet completes it. */
export const NEEDS_CHECKSUM = 1;

/** In GSO_TYPE. GSO_ECN is a flag on top of the TCP types: only the first segment carries CWR. */
export const GSO = { NONE: 0, TCPV4: 1, TCPV6: 4, ECN: 0x80 } as const;
