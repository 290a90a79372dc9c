import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { writeIpv4 } from '../../../src/wire/ip-address.ts';
import { readExternalAddress } from '../../../src/wire/nat-pmp.ts';

const response = (hex: string) => Uint8Array.from(Buffer.from(hex, 'hex'));

const TABLE: readonly [string, string, number | undefined][] = [
  ['an address', '00800000' + '00000e10' + 'cb007107', 0xcb00_7107],
  ['not connected', '00800000' + '00000e10' + '00000000', undefined],
  ['an error: network failure', '00800003' + '00000e10' + 'cb007107', undefined],
  ['another opcode', '00810000' + '00000e10' + 'cb007107', undefined],
  ['another version (PCP)', '02800000' + '00000e10' + 'cb007107', undefined],
  ['a request', '0000', undefined],
  ['too short', '0080000000000e10cb0071', undefined],
  ['too long', '0080000000000e10cb00710700', undefined],
];
for (const [title, hex, address] of TABLE) {
  test(`NAT-PMP: ${title}`, () => assert.equal(readExternalAddress(response(hex)), address));
}

test('NAT-PMP: any address is read correctly', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 0xffff_ffff }), fc.nat(0xffff_ffff), (address, epoch) => {
      const bytes = Uint8Array.of(0, 128, ...new Uint8Array(10));
      writeIpv4(bytes, 4, epoch);
      writeIpv4(bytes, 8, address);
      assert.equal(readExternalAddress(bytes), address);
    }),
  );
});
