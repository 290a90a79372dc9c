/**
 * The scope of an IPv4 address, given as a 32-bit number of either sign. This is the only table of special addresses: the
 * translator, DNS64, the checks and the configuration use it.
 */

/** Never in a packet between networks; or routed, but not on the Internet; or reachable on the Internet inside such a range. */
type Reach = 'never-routed' | 'non-global' | 'global';

/**
 * The IANA IPv4 Special-Purpose Address Registry (RFC 6890, "Globally Reachable" is false), RFC 5735 section 3, to which RFC
 * 6052 section 3.1 refers, and multicast. Where two overlap, the longer prefix comes first.
 *
 * The documentation ranges (RFC 5737) are left out, although both documents list them. No real network uses them, and test
 * networks use them in place of Internet addresses.
 */
export const SPECIAL_IPV4: readonly (readonly [prefix: string, reach: Reach, source: string])[] = [
  ['0.0.0.0/8', 'never-routed', 'RFC 791 section 3.2: this network'],
  ['10.0.0.0/8', 'non-global', 'RFC 1918'],
  ['100.64.0.0/10', 'non-global', 'RFC 6598: shared by the customers of a provider'],
  ['127.0.0.0/8', 'never-routed', 'RFC 1122 section 3.2.1.3: loopback'],
  ['169.254.0.0/16', 'never-routed', 'RFC 3927: link-local'],
  ['172.16.0.0/12', 'non-global', 'RFC 1918'],
  ['192.0.0.9/32', 'global', 'RFC 7723: anycast of the Port Control Protocol'],
  ['192.0.0.10/32', 'global', 'RFC 8155: anycast of TURN'],
  [
    '192.0.0.0/24',
    'non-global',
    'RFC 6890 section 2.1: assigned to protocols of the IETF (DS-Lite, 464XLAT)',
  ],
  ['192.88.99.0/24', 'non-global', 'RFC 7526: 6to4 relays, given up; RFC 5735 section 3'],
  ['192.168.0.0/16', 'non-global', 'RFC 1918'],
  ['198.18.0.0/15', 'non-global', 'RFC 2544: benchmarks'],
  ['224.0.0.0/4', 'never-routed', 'RFC 5771: multicast'],
  ['240.0.0.0/4', 'never-routed', 'RFC 1112 section 4: reserved; limited broadcast (RFC 919)'],
];

/** Address, mask and reach of each row. */
const ROWS = SPECIAL_IPV4.map(([prefix, reach]) => {
  const [address, bits] = prefix.split('/');
  const value = address.split('.').reduce((sum, octet) => (sum << 8) | Number(octet), 0);
  return { value, mask: -1 << (32 - Number(bits)), reach };
});

/** By first octet: whether any row concerns it. For most packets this one look-up is enough. */
const isConcerned = new Uint8Array(256);
for (const { value, mask } of ROWS)
  for (let octet = 0; octet < 256; octet++)
    if ((((octet << 24) ^ value) & mask & 0xff00_0000) === 0) isConcerned[octet] = 1;

function reachOf(address: number): Reach {
  if (isConcerned[address >>> 24] === 0) return 'global';
  for (let i = 0; i < ROWS.length; i++)
    if (((address ^ ROWS[i].value) & ROWS[i].mask) === 0) return ROWS[i].reach;
  return 'global';
}

/**
 * Whether the address can never be the source or destination of a unicast packet between networks: 0.0.0.0/8, 127.0.0.0/8,
 * 169.254.0.0/16, multicast, 240.0.0.0/4 and broadcast.
 */
export const isNeverRouted = (address: number): boolean => reachOf(address) === 'never-routed';

/** Whether the address stands for many hosts: multicast, or broadcast on the link. */
export const isGroup = (address: number): boolean => address >>> 28 === 0xe || (address | 0) === -1;

/**
 * Whether the address is routed, but not on the Internet: RFC 1918, RFC 6598, and the other such ranges of the table. The
 * well-known prefix must not represent it (RFC 6052 section 3.1).
 */
export const isNonGlobal = (address: number): boolean => reachOf(address) === 'non-global';
