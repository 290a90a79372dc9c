/**
 * The optimised translator compared with the reference, on random packets: well-formed, mutated, and plain random bytes, with
 * every kind of configuration. The unit tests run a few, `npm run fuzz -- --only nat64-reference` as many as requested.
 */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { bibSlot, findBibByHost } from '../../../../../src/services/nat64/tables/bib.ts';
import { compileEam } from '../../../../../src/services/nat64/settings/eam.ts';
import { BIB, RECORD_WORDS } from '../../../../../src/services/nat64/tables/tables.ts';
import {
  type Harness,
  type HarnessOptions,
  OWN_IPV6,
  OWN4_BESIDE,
  POOL4,
  createHarness,
  prefixOf,
  pool,
} from '../harness.ts';
import {
  type Bytes,
  address,
  assertWellFormed,
  concat,
  icmp,
  readU16,
  readU32,
  tcp,
  udp,
} from '../packets.ts';
import { type Ends, wellFormedPackets } from './arbitraries.ts';
import { fragmentSets } from './arbitrary-fragments.ts';
import { changedIn, mutated } from './mutations.ts';
import { hex } from './headers.ts';
import { ReferenceNat64 } from './nat64.ts';
import type { Choices, ReferenceConfig } from './types.ts';
import { compileList4 } from '../../../../../src/services/nat64/settings/address-list.ts';

/** A configuration for both translators, and the hosts that send in it. */
interface World {
  readonly name: string;
  readonly options: HarnessOptions;
  readonly config: ReferenceConfig;
  readonly ends: readonly Ends[];
}

/** The pool is small enough for inbound packets to find mappings. */
const PORTS = [40_000, 40_007] as const;
const SECOND4 = '198.51.100.2';
const HOSTS = ['2001:db8:1::10', '2001:db8:1::11'];
const REMOTES = ['203.0.113.9', '192.0.2.1'];
const ICMP_SOURCES = ['203.0.113.201', '203.0.113.202', '203.0.113.203'];
/** Overlapping mappings, one of them with suffixes in the middle of the IPv6 address. */
const EAM = [
  ['192.0.2.0/28', '2001:db8:1::90/124'],
  ['192.0.2.9/32', '2001:db8:1::1234/128'],
  ['192.0.2.64/26', '2001:db8:2::/64'],
  ['192.0.2.96/28', '2001:db8:3::/124'],
] as const;
/** The last mapping is for nodes on the IPv4 side. */
const ON_IPV4_SIDE = '192.0.2.96/28';
const eamTable = compileEam(
  EAM.map(([ipv4, ipv6]) => ({
    ipv4: prefixOf(ipv4),
    ipv6: prefixOf(ipv6),
    isOnIpv4Side: ipv4 === ON_IPV4_SIDE,
  })),
);
const MAPPED_HOSTS = ['2001:db8:1::95', '2001:db8:1::1234', '2001:db8:2:0:1400::', '2001:db8:1::99'];
const MAPPED4 = ['192.0.2.5', '192.0.2.9', '192.0.2.69'];
const MAPPED6_OF_IPV4 = ['2001:db8:3::1', '2001:db8:3::f'];
const NODES4 = ['192.0.2.97', '192.0.2.111'];

const signed = (text: string) => readU32(address(text), 0) | 0;
const sharing = { address: address(POOL4), first: PORTS[0], last: PORTS[1] };
const base: ReferenceConfig = {
  prefix: address('64:ff9b::').slice(0, 12),
  own: [address(POOL4), address(OWN4_BESIDE)],
  embedded: new Uint8Array(),
  addresses: [address(POOL4)],
  pools: [sharing],
  eam: [],
  eamHairpinning: 'intrinsic',
  isStateless: false,
  icmpSources4: [],
  allow: address('2001:db8:1::').slice(0, 8),
  ownIpv6: address(OWN_IPV6),
  mtuBytes: 1500,
  lowestIpv6MtuBytes: 1280,
  maxSegmentBytes: 1440,
  answersRefused4: false,
  answersRefused6: true,
  dropsZeroUdpChecksum: false,
  dropsZeroUdpChecksum6: false,
  isClassZero: false,
};

const SESSIONS: World = {
  name: 'sessions',
  options: { ports: PORTS },
  config: base,
  ends: [{ hosts: HOSTS, remotes: REMOTES, pool4: POOL4 }],
};

/** Errors for all drops, or only those that a router must send; traffic classes are set; another prefix. */
const answeringWorld = (isAnswered: boolean): World => ({
  name: `refused packets are ${isAnswered ? 'answered' : 'dropped without an answer'}, traffic classes set`,
  options: {
    ports: PORTS,
    settings: {
      answersRefused4: isAnswered,
      answersRefused6: isAnswered,
      dropsZeroUdpChecksum: true,
      dropsZeroUdpChecksum6: true,
      copiedClassTo6: isAnswered ? 0 : 0xff,
      copiedClassTo4: 0,
      setClassTo4: 0xb8,
    },
  },
  config: {
    ...base,
    answersRefused4: isAnswered,
    answersRefused6: isAnswered,
    dropsZeroUdpChecksum: true,
    dropsZeroUdpChecksum6: true,
    isClassZero: isAnswered,
    tos: 0xb8,
  },
  ends: SESSIONS.ends,
});

const SEVERAL_POOLS: World = {
  name: 'several addresses and pools',
  options: {
    settings: {
      poolAddresses: Int32Array.of(signed(POOL4), signed(SECOND4)),
      isOwnAddress: [true, false],
      pools: [
        pool(0, 40_000, 40_001),
        pool(1, 40_002, 40_003),
        pool(0, 40_005, 40_006),
        pool(1, 40_007, 40_007),
      ],
    },
  },
  config: {
    ...base,
    addresses: [address(POOL4), address(SECOND4)],
    pools: [
      { address: address(POOL4), first: 40_000, last: 40_001 },
      { address: address(SECOND4), first: 40_002, last: 40_003 },
      { address: address(POOL4), first: 40_005, last: 40_006 },
      { address: address(SECOND4), first: 40_007, last: 40_007 },
    ],
  },
  ends: [POOL4, SECOND4].map((pool4) => ({ hosts: HOSTS, remotes: REMOTES, pool4 })),
};

const eam = EAM.map(([ipv4, ipv6]) => {
  const [text4, bits4] = ipv4.split('/');
  const [text6, bits6] = ipv6.split('/');
  const bits = (text: string) => BigInt(`0x${hex(address(text))}`);
  return {
    ipv4: bits(text4),
    bits4: Number(bits4),
    ipv6: bits(text6),
    bits6: Number(bits6),
    isOnIpv4Side: ipv4 === ON_IPV4_SIDE,
  };
});

const mappedWorld = (eamHairpinning: ReferenceConfig['eamHairpinning'], icmpSources: string[]): World => ({
  name: `address mappings beside sessions, hairpinning ${eamHairpinning}`,
  options: {
    ports: PORTS,
    allow: ['2001:db8::/32'],
    settings: { eam: eamTable, eamHairpinning, icmpSources4: Int32Array.from(icmpSources, signed) },
  },
  config: {
    ...base,
    allow: address('2001:db8::').slice(0, 4),
    eam,
    eamHairpinning,
    icmpSources4: icmpSources.map((text) => address(text)),
  },
  ends: [POOL4, ...MAPPED4].map((pool4) => ({
    hosts: [...MAPPED_HOSTS, HOSTS[0]],
    remotes: [...REMOTES, ...MAPPED4, ...NODES4],
    mapped6: MAPPED6_OF_IPV4,
    pool4,
  })),
});

const STATELESS: World = {
  name: 'stateless mode',
  options: {
    allow: ['::/0'],
    settings: {
      poolAddresses: new Int32Array(),
      isOwnAddress: [],
      pools: [],
      isStateless: true,
      eam: eamTable,
      embedded4: compileList4([prefixOf('192.0.0.0/16')]),
      icmpSources4: Int32Array.from(ICMP_SOURCES, signed),
    },
  },
  config: {
    ...base,
    addresses: [],
    pools: [],
    allow: new Uint8Array(),
    isStateless: true,
    embedded: Uint8Array.of(192, 0),
    eam,
    icmpSources4: ICMP_SOURCES.map((text) => address(text)),
  },
  ends: ['192.0.2.130', ...MAPPED4].map((pool4) => ({
    hosts: ['64:ff9b::192.0.2.130', ...MAPPED_HOSTS, HOSTS[0]],
    remotes: [...REMOTES, ...MAPPED4, ...NODES4],
    mapped6: MAPPED6_OF_IPV4,
    pool4,
  })),
};

const WORLDS: readonly World[] = [
  SESSIONS,
  answeringWorld(true),
  answeringWorld(false),
  SEVERAL_POOLS,
  mappedWorld('intrinsic', ICMP_SOURCES),
  mappedWorld('simple', []),
  mappedWorld('none', []),
  STATELESS,
];

/** The free choices of the translator, read from its tables and the packet that it sent. */
function choicesOf({ translator: { tables, settings } }: Harness, out: Bytes | undefined): Choices {
  return {
    identification: out === undefined || out[0] >> 4 !== 4 ? 0 : readU16(out, 4),
    // The identification of the packet that an ICMP error quotes.
    quotedIdentification: out === undefined || out[0] >> 4 !== 4 || out.length < 48 ? 0 : readU16(out, 32),
    mappingOf(kind, source, hostPort) {
      const host = Int32Array.from([0, 4, 8, 12], (at) => readU32(source, at) | 0);
      const protocol = ['tcp', 'udp', 'icmp'].indexOf(kind);
      const bib = findBibByHost(tables, { protocol, host, hostPort });
      const mapped = Buffer.alloc(4);
      mapped.writeInt32BE(settings.poolAddresses[bibSlot(tables, bib)]);
      return { address: mapped, port: tables.bib[bib * RECORD_WORDS + BIB.PORTS] & 0xffff };
    },
  };
}

/** Opens sessions on half of the pool's ports. */
const prelude = HOSTS.flatMap((source) =>
  [53, 1024].flatMap((sourcePort) => {
    const fields = { source, destination: '64:ff9b::203.0.113.9', sourcePort, destinationPort: 53 };
    return [
      udp(fields),
      tcp({ ...fields, flags: 2 }),
      icmp({ ...fields, type: 128, rest: sourcePort * 65536 }),
    ];
  }),
);

function agree({ options, config }: World, packets: readonly Uint8Array[], areValid: boolean): void {
  const harness = createHarness(options);
  const reference = new ReferenceNat64(config);
  let second = 0;
  for (const packet of [...prelude, ...packets]) {
    // One second between packets, so that the rate limit of errors has no effect, and no session ends.
    harness.translator.nowSeconds = second++ % 20;
    const outs = harness.sendAll(packet);
    const counted = harness.counted();
    const expected = reference.translate(packet, choicesOf(harness, outs[0]));
    const drops = Object.entries(counted).flatMap(([name, times]) =>
      name.startsWith('drop-') ? Array<string>(times).fill(name) : [],
    );
    assert.deepEqual(drops.sort(), [...expected.drops].sort(), hex(packet));
    assert.deepEqual(outs.map(hex), expected.outs.map(hex), hex(packet));
    if (counted['icmp-returned'] !== undefined) continue;
    for (const out of outs) assertWellFormed(out, { transportChecksum: areValid });
  }
}

const randomBytes = fc
  .record({
    first: fc.constantFrom(0x45, 0x46, 0x4f, 0x60, 0x6f, 0x00),
    rest: fc.uint8Array({ maxLength: 120 }),
  })
  .map(({ first, rest }) => concat(Uint8Array.from([first]), rest));

/** A property of any packets of one kind, sent one after the other. */
export interface ReferenceProperty {
  readonly name: string;
  readonly sequences: fc.Arbitrary<readonly Uint8Array[]>;
  /** Compares one sequence; throws an AssertionError, with the packet in hexadecimal, if the two differ. */
  readonly check: (packets: readonly Uint8Array[]) => void;
  /** The number of sequences in the unit test. */
  readonly numRuns: number;
}

function propertiesOf(world: World): ReferenceProperty[] {
  const wellFormed = fc.oneof(...world.ends.map(wellFormedPackets));
  const fragments = fc.oneof(...world.ends.map(fragmentSets));
  const several = fc.oneof(
    { weight: 2, arbitrary: fragments },
    wellFormed.map((packet) => [packet]),
  );
  const mutatedFragments = fragments.chain((pieces) =>
    fc.tuple(
      ...pieces.map((bytes) => fc.oneof({ weight: 5, arbitrary: fc.constant(bytes) }, changedIn(bytes))),
    ),
  );
  const valid = (packets: readonly Uint8Array[]) => agree(world, packets, true);
  const any = (packets: readonly Uint8Array[]) => agree(world, packets, false);
  const isMain = world === SESSIONS;
  return [
    {
      name: `${world.name}: well-formed packets: byte for byte the same as the reference`,
      sequences: fc.array(wellFormed, { minLength: 20, maxLength: 60 }),
      check: valid,
      numRuns: isMain ? 150 : 50,
    },
    {
      name: `${world.name}: fragments, in any order, with other packets between them: the same bytes`,
      sequences: fc.array(several, { minLength: 5, maxLength: 20 }).map((groups) => groups.flat()),
      check: valid,
      numRuns: isMain ? 150 : 30,
    },
    {
      name: `${world.name}: mutated packets: the same verdicts and bytes, and no malformed output`,
      sequences: fc.array(fc.oneof(mutated(wellFormed), wellFormed), { minLength: 20, maxLength: 60 }),
      check: any,
      numRuns: isMain ? 150 : 50,
    },
    {
      name: `${world.name}: mutated fragments: the same verdicts and bytes`,
      sequences: fc.array(mutatedFragments, { minLength: 3, maxLength: 10 }).map((groups) => groups.flat()),
      check: any,
      numRuns: isMain ? 100 : 20,
    },
    {
      name: `${world.name}: random bytes: the same verdicts and bytes`,
      sequences: fc.array(randomBytes, { minLength: 1, maxLength: 20 }),
      check: any,
      numRuns: isMain ? 200 : 30,
    },
  ];
}

export const REFERENCE_PROPERTIES: readonly ReferenceProperty[] = WORLDS.flatMap(propertiesOf);
