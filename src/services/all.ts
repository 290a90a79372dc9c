/** Every service. To add one: its folder, and a line here. The order is that of the reports. */
import type { ServiceDescription } from './description.ts';
import { dns64 } from './dns64/describe.ts';
import { firewall } from './firewall/describe.ts';
import { forward } from './forward/describe.ts';
import { nat64 } from './nat64/describe.ts';
import { proxy } from './proxy/describe.ts';

export const SERVICES: readonly ServiceDescription[] = [proxy, forward, dns64, nat64, firewall];
