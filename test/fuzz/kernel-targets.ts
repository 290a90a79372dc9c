/** Parsers of the output of the kernel and its tools. */
import assert from 'node:assert/strict';
import { forwardChains } from '../../src/services/nat64/checks/forward-chains.ts';
import { parseLocalRoutes } from '../../src/os/local-routes.ts';
import { parseIpAddress } from '../../src/wire/ip-address.ts';
import {
  NETLINK_HEADER_BYTES,
  buildNetlinkAttribute,
  buildNetlinkMessage,
  netlinkU32,
  parseNetlinkAttributes,
  parseNetlinkMessages,
} from '../../src/wire/netlink.ts';
import { type FuzzTarget, text } from './target.ts';

export function kernelTargets(): FuzzTarget[] {
  return [
    {
      name: 'netlink',
      seeds: [
        buildNetlinkMessage({ type: 24, flags: 2, sequence: 1 }, [
          Uint8Array.of(10, 96, 0, 0, 254, 3, 0, 1, 0, 0, 0, 0),
          buildNetlinkAttribute(1, parseIpAddress('64:ff9b::')!),
          buildNetlinkAttribute(4, netlinkU32(7)),
        ]),
      ],
      // The returned parts are inside the input, in order.
      run(bytes) {
        let offset = 0;
        for (const { body } of parseNetlinkMessages(bytes)) {
          assert.ok(body.byteOffset - bytes.byteOffset >= offset + NETLINK_HEADER_BYTES);
          offset = body.byteOffset - bytes.byteOffset + body.length;
          assert.ok(offset <= bytes.length);
          for (const [type, value] of parseNetlinkAttributes(body, 12)) {
            assert.ok(type <= 0x3fff && value.byteOffset + value.length <= body.byteOffset + body.length);
          }
        }
      },
    },
    {
      name: 'nft-ruleset',
      seeds: text(
        '{"nftables":[{"chain":{"family":"ip","table":"filter","name":"FORWARD","hook":"forward","policy":"drop"}},' +
          '{"rule":{"family":"ip","table":"filter","chain":"FORWARD","expr":[{"match":{"op":"==","left":{"meta":{"key":"iifname"}},"right":"nat64"}},{"accept":null}]}},' +
          '{"rule":{"family":"ip","table":"filter","chain":"FORWARD","expr":[{"vmap":{"key":{"meta":{"key":"oifname"}},"data":{"set":[["nat64",{"jump":{"target":"FORWARD"}}]]}}}]}}]}',
      ),
      run(bytes) {
        for (const { verdict } of forwardChains(Buffer.from(bytes).toString('utf8'), 'nat64'))
          assert.ok(['accept', 'drop', 'unknown'].includes(verdict));
      },
    },
    {
      name: 'local-routes',
      // RTM_NEWROUTE: local 192.0.2.1, with RTA_TABLE and RTA_DST; then NLMSG_DONE.
      seeds: [
        Buffer.from(
          '2c00000018000200010000000000000002200000ff02fe020000000008000f00ff00000008000100c0000201' +
            '1400000003000200010000000000000000000000',
          'hex',
        ),
      ],
      run(bytes) {
        for (const { address, prefixBits } of parseLocalRoutes(bytes).prefixes)
          assert.ok(address.length === 16 && prefixBits >= 0 && prefixBits <= 128);
      },
    },
  ];
}
