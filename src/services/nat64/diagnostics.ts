/** What NAT64 adds to the diagnostics. */
import { say } from '../../texts/text.ts';
import type { ServiceDiagnostics } from '../check.ts';
import { nat64Drops } from './checks/drops.ts';
import { forwardPolicy } from './checks/forward-policy.ts';
import { nat64Path } from './checks/path.ts';
import { nat64Pool } from './checks/pool.ts';

export const diagnostics: ServiceDiagnostics = {
  checks: [forwardPolicy, nat64Path, nat64Pool, nat64Drops],
  packetSizes({ nat64: { enabled, mtu4Bytes, mtu6Bytes } }) {
    if (!enabled) return [];
    return [
      {
        family: 4,
        bytes: mtu4Bytes,
        tooLarge: (most) => ({
          what: say(
            'NAT64 sends IPv4 packets of up to {bytes} bytes, but the way to the Internet carries only {most}.',
            { bytes: mtu4Bytes, most },
          ),
          remedy: say('Set nat64.mtu4Bytes to {bytes}.', { bytes: most }),
        }),
      },
      {
        family: 6,
        bytes: mtu6Bytes,
        tooLarge: (most) => ({
          what: say(
            'NAT64 sends IPv6 packets of up to {bytes} bytes, but the way to a server carries only {most}.',
            { bytes: mtu6Bytes, most },
          ),
          remedy: say('Set nat64.mtu6Bytes to {bytes}.', { bytes: most }),
        }),
      },
    ];
  },
};
