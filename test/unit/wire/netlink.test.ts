import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  attributeText,
  attributeU32,
  buildNetlinkAttribute,
  buildNetlinkMessage,
  netlinkText,
  netlinkU32,
  parseNetlinkAttributes,
  parseNetlinkHeader,
  parseNetlinkMessages,
} from '../../../src/wire/netlink.ts';

/** RTM_NEWRULE for "64: from all fwmark 0x64000000/0xff000000 lookup 6464", in the layout of linux/fib_rules.h. */
const RULE = Buffer.from(
  '5800000020000200010000007b00000002000000fc000001000000000800060040000000' +
    '08000a000000006408001000000000ff08000f004019000005001500030000000c001c000000000000000000' +
    '08000e00ffffffff',
  'hex',
);

test('a message of the kernel', () => {
  const [message, ...others] = parseNetlinkMessages(RULE);
  assert.deepEqual(others, []);
  assert.deepEqual([message.type, message.flags, message.sequence, message.portId], [32, 2, 1, 123]);
  const attributes = parseNetlinkAttributes(message.body, 12);
  assert.equal(attributeU32(attributes, 6, 0), 64);
  assert.equal(attributeU32(attributes, 10, 0), 0x6400_0000);
  assert.equal(attributeU32(attributes, 16, 0), 0xff00_0000);
  assert.equal(attributeU32(attributes, 15, 0), 6464);
  assert.equal(attributeU32(attributes, 99, 7), 7);
  assert.equal(attributeU32(attributes, 21, 7), 7, 'one byte is not a 32-bit number');
});

test('cut off anywhere: only complete messages are returned', () => {
  const two = Buffer.concat([RULE, RULE]);
  for (let length = 0; length < two.length; length++)
    assert.equal(
      parseNetlinkMessages(two.subarray(0, length)).length,
      length < RULE.length ? 0 : 1,
      `${length}`,
    );
  assert.equal(parseNetlinkMessages(two).length, 2);
  assert.equal(parseNetlinkHeader(RULE.subarray(0, 15)), undefined);
});

const attribute = fc.record({
  type: fc.integer({ min: 1, max: 0x3fff }),
  value: fc.uint8Array({ maxLength: 40 }),
});
const message = fc.record({
  type: fc.nat(0xffff),
  flags: fc.nat(0xffff),
  sequence: fc.nat(0xffff_ffff),
  attributes: fc.uniqueArray(attribute, { selector: ({ type }) => type, maxLength: 6 }),
});

test('built messages are parsed again, several in a row', () => {
  fc.assert(
    fc.property(fc.array(message, { maxLength: 5 }), (messages) => {
      const bytes = Buffer.concat(
        messages.map(({ attributes, ...header }) =>
          buildNetlinkMessage(header, [
            Uint8Array.of(1, 2, 3, 4),
            ...attributes.map(({ type, value }) => buildNetlinkAttribute(type, value)),
          ]),
        ),
      );
      const parsed = parseNetlinkMessages(bytes).map(({ type, flags, sequence, body }) => ({
        type,
        flags,
        sequence,
        attributes: Array.from(parseNetlinkAttributes(body, 4), ([type, value]) => ({
          type,
          value: Uint8Array.from(value),
        })),
      }));
      assert.deepEqual(
        parsed,
        messages.map((each) => ({
          ...each,
          attributes: each.attributes.map(({ type, value }) => ({ type, value: Uint8Array.from(value) })),
        })),
      );
    }),
  );
});

test('numbers and texts', () => {
  fc.assert(
    fc.property(fc.nat(0xffff_ffff), fc.stringMatching(/^[a-z0-9-]{0,15}$/), (number, text) => {
      const bytes = Buffer.concat([
        buildNetlinkAttribute(1, netlinkU32(number)),
        buildNetlinkAttribute(2, netlinkText(text)),
      ]);
      const attributes = parseNetlinkAttributes(bytes);
      assert.equal(attributeU32(attributes, 1, 0), number);
      assert.equal(attributeText(attributes, 2), text);
    }),
  );
});
