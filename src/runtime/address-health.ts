/** What the health checks of a service know of the addresses of its servers. */
import type { Text } from '../texts/text.ts';
import { Nullable, type Static, Type } from './shape.ts';

/** Why a check failed. */
export const HealthReason = Type.Union([
  Type.Literal('refused'),
  Type.Literal('unreachable'),
  Type.Literal('timeout'),
  Type.Literal('closed'),
  Type.Literal('tls'),
  Type.Literal('not-http'),
  Type.Literal('status'),
  Type.Literal('ourselves'),
  Type.Literal('other'),
]);
export type HealthReason = Static<typeof HealthReason>;

/** One address of a server, at the port of one listener. */
export const AddressHealth = Type.Object({
  /** The name of the listener. */
  service: Type.String(),
  address: Type.String(),
  port: Type.Integer(),
  check: Type.Union([Type.Literal('tcp'), Type.Literal('tls'), Type.Literal('http')]),
  /** The name that is asked for; null if none is needed. */
  hostname: Nullable(Type.String()),
  /** fail: no client is led there, unless all addresses fail. unknown: not measured yet. */
  state: Type.Union([Type.Literal('ok'), Type.Literal('fail'), Type.Literal('unknown')]),
  /** Since when it is in this state. */
  since: Nullable(Type.String()),
  /** The last check; null before the first one. */
  checkedAt: Nullable(Type.String()),
  latencyMs: Nullable(Type.Number()),
  /** Of the last check, if that failed. */
  reason: Nullable(HealthReason),
  detail: Nullable(Type.String()),
  /** How often it has begun to fail since the checks began. */
  falls: Type.Integer(),
});

/** Before its text is translated. */
export type AddressHealthFound = Omit<Static<typeof AddressHealth>, 'detail'> & {
  readonly detail: Text | null;
};

/** By name of the server. */
export type HealthByServer = Readonly<Record<string, readonly AddressHealthFound[]>>;
