/** The addresses of the servers that names lead to, and those that are never dialled. */

export const FIRST = '2001:db8:1::98';
export const SECOND = '2001:db8:1::99';
export const ALLOWED = '2001:db8:1::/64';
/** Outside, although something answers there. */
export const OUTSIDE = '2001:db8:9::98';

/** Each with a listener at port 80 on this machine, or on another one. */
export const BAD_ADDRESSES = [
  '::1',
  '2001:db8:1::1', // the appliance, inside the allowed prefix
  OUTSIDE,
  '::ffff:198.51.100.80', // the web server of the mainland
  '64:ff9b::c633:6450', // the same through NAT64
  'fe80::98',
] as const;
