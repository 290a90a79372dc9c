/** All checks, in the order in which the panel shows them. A new one is a file here and a line in this table. */
import type { Check } from '../check.ts';
import { addresses } from './addresses.ts';
import { certificate } from './certificate.ts';
import { clock } from './clock.ts';
import { defaultRoute4 } from './default-route-4.ts';
import { defaultRoute6 } from './default-route-6.ts';
import { diskWear } from './disk-wear.ts';
import { disk } from './disk.ts';
import { dns64Answers } from './dns64-answers.ts';
import { dns64Upstreams } from './dns64-upstreams.ts';
import { dnsRecords } from './dns-records.ts';
import { forwardPolicy } from './forward-policy.ts';
import { kernelState } from './kernel-state.ts';
import { mtu } from './mtu.ts';
import { nat64Drops } from './nat64-drops.ts';
import { nat64Path } from './nat64-path.ts';
import { nat64Pool } from './nat64-pool.ts';
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
  dns64Answers,
  dns64Upstreams,
  forwardPolicy,
  nat64Path,
  nat64Pool,
  nat64Drops,
  server,
  certificate,
  dnsRecords,
  clock,
  disk,
  diskWear,
  temperature,
  power,
];
