/** What kind of address an IPv4 address is (RFC 6890), given as a 32-bit number of either sign. */

/**
 * Whether the address can never be the source or destination of a unicast packet between networks: 0.0.0.0/8,
 * 127.0.0.0/8, 169.254.0.0/16, multicast, 240.0.0.0/4 and broadcast.
 */
export const isNeverRouted = (address: number): boolean => {
  const octet = address >>> 24;
  return octet === 0 || octet === 127 || octet >= 224 || address >>> 16 === 0xa9fe;
};

/** Whether the address stands for many hosts: multicast, or broadcast on the link. */
export const isGroup = (address: number): boolean => address >>> 28 === 0xe || (address | 0) === -1;

/**
 * Whether the address belongs to a private network: RFC 1918 and 100.64.0.0/10 (RFC 6598). The documentation ranges
 * are not counted: nothing answers there on a real network, and laboratories play the Internet with them.
 */
export const isPrivate = (address: number): boolean =>
  address >>> 24 === 10 ||
  address >>> 20 === 0xac1 ||
  address >>> 16 === 0xc0a8 ||
  (address & 0xffc0_0000) >>> 0 === 0x6440_0000;
