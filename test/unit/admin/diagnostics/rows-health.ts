/** What health checks of addresses find, as a check, as the state of the server: see check-rows.ts. */
import type { AddressHealthFound } from '../../../../src/runtime/address-health.ts';
import { asIs } from '../../../../src/texts/text.ts';
import { type Row, WEB1, report } from './check-rows.ts';
import { configOf } from './machine.ts';

export const address = (last: number, more: Partial<AddressHealthFound> = {}): AddressHealthFound => ({
  service: 'https',
  address: `2001:db8:1::${last}`,
  port: 443,
  check: 'tls',
  hostname: 'example.com',
  state: 'ok',
  since: '2026-07-30T10:00:00.000Z',
  checkedAt: '2026-07-30T11:00:00.000Z',
  latencyMs: 2,
  reason: null,
  detail: null,
  falls: 0,
  ...more,
});

export const failing = (last: number, more: Partial<AddressHealthFound> = {}): AddressHealthFound =>
  address(last, { state: 'fail', reason: 'refused', detail: asIs('Nobody is there.'), falls: 1, ...more });

export const notYet = (last: number): AddressHealthFound =>
  address(last, { state: 'unknown', since: null, checkedAt: null, latencyMs: null });

const seen = (checks: readonly AddressHealthFound[], fields: object = {}): Row['deps'] => ({
  config: configOf({ hosts: [{ ...WEB1, health: {}, ...fields }] }),
  services: [{ ...report('proxy', {}), health: { web1: checks } }, report('forward', {})],
});

const row = (title: string, deps: Row['deps'], state: Row['state'], what?: RegExp, remedy?: RegExp): Row => ({
  title,
  check: 'address-health',
  ...(deps !== undefined && { deps }),
  state,
  ...(what !== undefined && { what }),
  ...(remedy !== undefined && { remedy }),
});

export const HEALTH_ROWS: readonly Row[] = [
  row('none is configured', { config: configOf({ hosts: [WEB1] }) }, 'none'),
  row('the server is switched off', seen([failing(10)], { enabled: false }), 'none'),
  row('no listener leads to it', seen([]), 'unknown', /No listener leads to web1/),
  row('not done yet', seen([address(10), notYet(11)]), 'unknown', /not done yet/),
  row('all is well', seen([address(10)]), 'ok', /All is well: https at \[2001:db8:1::10\]:443\./),
  row(
    'one of two addresses fails',
    seen([address(10), failing(11)]),
    'warn',
    /^https at \[2001:db8:1::11\]:443 fails since 2026-07-30 10:00 UTC: Nobody is there\. Its other addresses serve/,
    /^Start the program on the server/,
  ),
  row(
    'both fail, for two reasons',
    seen([failing(10), failing(11, { reason: 'timeout' })]),
    'fail',
    /::10.*::11/,
    /Start the program.*Check that the machine runs/,
  ),
  row(
    'both fail at one port only',
    seen([
      failing(10),
      failing(11),
      address(10, { service: 'http', port: 80 }),
      address(11, { service: 'http', port: 80 }),
    ]),
    'fail',
    /::10\]:443.*::11\]:443/,
  ),
  row(
    'one address fails at one port, the other at another port',
    seen([
      failing(10),
      address(11),
      address(10, { service: 'http', port: 80 }),
      failing(11, { service: 'http', port: 80 }),
    ]),
    'warn',
  ),
  row('it is in maintenance', seen([failing(10)], { maintenance: true }), 'warn'),
];
