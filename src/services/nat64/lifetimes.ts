/** How long sessions live without traffic, in seconds. */

/** RFC 6146 section 4: UDP_DEFAULT. */
export const UDP_LIFETIME_SECONDS = 5 * 60;
/** TCP_EST: 2 hours 4 minutes. */
export const TCP_ESTABLISHED_SECONDS = 2 * 3600 + 4 * 60;
/** TCP_TRANS. */
export const TCP_TRANSITORY_SECONDS = 4 * 60;
/** ICMP_DEFAULT. */
export const ICMP_LIFETIME_SECONDS = 60;
