/** TUN devices: network devices whose IP packets this process reads and writes. */
import { O_CLOEXEC, O_NONBLOCK, O_RDWR, check, close, ioctl, ioctlValue, open, pinned } from './libc.ts';

const TUNSETIFF = 0x4004_54ca;
const TUNSETOFFLOAD = 0x4004_54d0;
const IFF_TUN = 0x0001;
const IFF_NO_PI = 0x1000;
const IFF_VNET_HDR = 0x4000;
const TUN_F_CSUM = 0x01;
const TUN_F_TSO4 = 0x02;
const TUN_F_TSO6 = 0x04;
const TUN_F_TSO_ECN = 0x08;
const TUN_F_USO4 = 0x20;
const TUN_F_USO6 = 0x40;
/** struct ifreq: 16 bytes of name, then the flags. */
const IFREQ_BYTES = 40;
const IFREQ_FLAGS = 16;

export interface Tun {
  /** Non-blocking; the device exists until it is closed. */
  readonly fd: number;
  /** Whether several datagrams of a flow may be read and written as one packet (UDP GSO, Linux 6.2). */
  readonly hasUdpSegments: boolean;
}

/**
 * Creates a TUN device. With `offload`, every packet has a virtio header in front, and TCP and UDP arrive in segments of up to
 * 64 KiB whose checksum is not yet complete. Without it, packets are as on the wire.
 */
export function openTun(device: string, offload: boolean): Tun {
  const fd = check(
    open('/dev/net/tun', O_RDWR | O_NONBLOCK | O_CLOEXEC, 0),
    'open /dev/net/tun (is the tun module there?)',
  );
  try {
    const request = pinned(IFREQ_BYTES);
    request.set(new TextEncoder().encode(device));
    const flags = IFF_TUN | IFF_NO_PI | (offload ? IFF_VNET_HDR : 0);
    new DataView(request.buffer).setUint16(IFREQ_FLAGS, flags, true);
    check(ioctl(fd, TUNSETIFF, request), `create the TUN device "${device}"`);
    if (!offload) return { fd, hasUdpSegments: false };
    const features = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN;
    const hasUdpSegments = ioctlValue(fd, TUNSETOFFLOAD, features | TUN_F_USO4 | TUN_F_USO6) === 0;
    if (!hasUdpSegments)
      check(ioctlValue(fd, TUNSETOFFLOAD, features), `switch on the offloads of "${device}"`);
    return { fd, hasUdpSegments };
  } catch (error) {
    close(fd);
    throw error;
  }
}
