/**
 * The virtio network header in its short form of 10 bytes. A TUN opened with IFF_VNET_HDR puts it in front of each packet.
 * Fields are little-endian on the machines that we support (TUN uses the native order).
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

/** In FLAGS: the checksum field holds the sum of the pseudo-header only; the sender of the packet must complete it. */
export const NEEDS_CHECKSUM = 1;

/**
 * In GSO_TYPE. GSO_ECN is a flag in addition to the TCP types: only the first segment carries CWR. UDP: datagrams of one flow
 * and size, of which the last may be shorter (Linux 6.2; VIRTIO_NET_HDR_GSO_UDP_L4, not the older UFO).
 */
export const GSO = { NONE: 0, TCPV4: 1, TCPV6: 4, UDP: 5, ECN: 0x80 } as const;

/** Writes a header at `at`. */
export function writeVirtioHeader(
  view: DataView,
  at: number,
  flags: number,
  gsoType: number,
  headerBytes: number,
  gsoSizeBytes: number,
  checksumStart: number,
  checksumOffset: number,
): void {
  view.setUint8(at + VIRTIO_NET.FLAGS, flags);
  view.setUint8(at + VIRTIO_NET.GSO_TYPE, gsoType);
  view.setUint16(at + VIRTIO_NET.HEADER_LENGTH, headerBytes, true);
  view.setUint16(at + VIRTIO_NET.GSO_SIZE, gsoSizeBytes, true);
  view.setUint16(at + VIRTIO_NET.CHECKSUM_START, checksumStart, true);
  view.setUint16(at + VIRTIO_NET.CHECKSUM_OFFSET, checksumOffset, true);
}
