/** All checks, in the order in which the panel shows them. To add one: a file here and a line in this table, or in a service's. */
import type { Check } from '../check.ts';
import { OF_SERVICES } from '../of-services.ts';
import { addresses } from './addresses.ts';
import { certificate } from './certificate.ts';
import { clock } from './clock.ts';
import { defaultRoute4 } from './default-route-4.ts';
import { defaultRoute6 } from './default-route-6.ts';
import { diskWear } from './disk-wear.ts';
import { disk } from './disk.ts';
import { dnsRecords } from './dns-records.ts';
import { kernelState } from './kernel-state.ts';
import { mtu } from './mtu.ts';
import { openPorts } from './open-ports.ts';
import { portConflicts } from './port-conflicts.ts';
import { power } from './power.ts';
import { publicAddress } from './public-ipv4.ts';
import { server } from './server.ts';
import { services } from './services.ts';
import { temperature } from './temperature.ts';

export const CHECKS: readonly Check[] = [
  defaultRoute4,
  defaultRoute6,
  addresses,
  publicAddress,
  mtu,
  portConflicts,
  openPorts,
  services,
  kernelState,
  ...OF_SERVICES.flatMap(({ checks = [] }) => checks),
  server,
  certificate,
  dnsRecords,
  clock,
  disk,
  diskWear,
  temperature,
  power,
];
