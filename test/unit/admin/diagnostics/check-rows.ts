/** The parts of the rows for the checks: (title, check, difference from a healthy machine, state, words). */
import type { FindingState } from '../../../../src/admin/contract/checks.ts';
import type { CheckDeps } from '../../../../src/admin/diagnostics/check.ts';
import type { ProbeFound } from '../../../../src/admin/diagnostics/found.ts';
import type { Lookup, Machine } from '../../../../src/os/machine.ts';
import type { Nat64Queries, PoolUse } from '../../../../src/services/nat64/questions.ts';
import type { ServiceReport } from '../../../../src/runtime/report.ts';
import { asIs } from '../../../../src/texts/text.ts';
import { configOf, FILES, socketOf } from './machine.ts';

export const WEB1 = { name: 'web1', address: '2001:db8:1::10', hostnames: ['example.com'], ssh: false };
export const withHost = configOf({ hosts: [WEB1] });

export const report = (
  name: string,
  status: Partial<ServiceReport['status']>,
  counters: Record<string, number> = {},
): ServiceReport => ({
  name,
  status: { state: 'running', restarts: 0, figures: {}, ...status },
  counterTable: { 'drop-pool4-exhausted': 'No port of pool4 is left' },
  counters,
});

export const probe = (more: Partial<ProbeFound>): ProbeFound => ({
  name: 'tcp',
  service: 'https',
  port: 443,
  hostname: null,
  state: 'ok',
  latencyMs: 3,
  detail: asIs('Takes connections.'),
  certificate: null,
  ...more,
});
export const certificate = (state: FindingState, detail: string) =>
  probe({
    name: 'tls',
    hostname: 'example.com',
    state,
    detail: asIs(detail),
    certificate: {
      names: ['example.com'],
      issuer: 'CN=CA',
      expiresAt: '2026-09-01T00:00:00.000Z',
      matches: true,
      trust: 'trusted',
    },
  });
export const probing = (...probes: ProbeFound[]): Partial<CheckDeps> => ({
  config: withHost,
  probe: async () => ({ state: 'ok', checkedAt: null, probes }),
});

export const pool = (used: number, sessions = 0): Partial<CheckDeps> => {
  const use: PoolUse = {
    sessions,
    maxSessions: 1000,
    portBlocks: null,
    pools: [
      {
        address: '192.0.2.1',
        firstPort: 1,
        lastPort: 100,
        size: 100,
        protocols: ['tcp', 'udp', 'icmp'],
        used: { tcp: used, udp: 0, icmp: 0 },
      },
    ],
  };
  return { queries: () => ({ poolUse: async () => use }) satisfies Partial<Nat64Queries> };
};

export const found = (...values: string[]): Lookup => ({ kind: 'found', values });
export const silent: Lookup = { kind: 'failed', reason: asIs('it does not answer') };
/** The answers of each server. */
export const dns = (answer: (server: string, name: string, type: string) => Lookup): Partial<Machine> => ({
  lookUp: async ([server], name, type) => answer(server, name, type),
});
export const isThroughNat64 = (server: string) => server.startsWith('[64:ff9b::');
export const without = (file: string) =>
  Object.fromEntries(Object.entries(FILES).filter(([name]) => name !== file));
export const link = (mtuBytes: number, ...addresses: string[]): Partial<Machine> => ({
  interfaces: async () => [
    {
      name: 'eth0',
      index: 2,
      isUp: true,
      mac: undefined,
      mtuBytes,
      addresses: addresses.map((address) => ({ address, prefixBits: 64 })),
    },
  ],
});
export const TAKEN = [socketOf('0.0.0.0', 443, 2)];
export const OPEN = [socketOf('0.0.0.0', 80, 1), socketOf('0.0.0.0', 443, 1)];
export const ours = { ownSockets: () => new Set([1]) };
export const behindNat: Partial<CheckDeps> = {
  publicIpv4: async () => ({ address: null, kind: 'nat', text: asIs('Behind NAT: 192.168.1.2 is private.') }),
};

export interface Row {
  readonly title: string;
  readonly check: string;
  readonly machine?: Partial<Machine>;
  readonly files?: Readonly<Record<string, string>>;
  readonly deps?: Partial<CheckDeps>;
  /** The state of the finding, or "none". */
  readonly state: FindingState | 'none';
  readonly what?: RegExp;
  readonly remedy?: RegExp;
}
