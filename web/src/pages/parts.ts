/** The parts of services that other pages show: the `parts.ts` of each folder, found by the build. */
import type { ServiceParts } from '../core/registry.ts';
import { PAGES } from './all.ts';

const found = import.meta.glob<ServiceParts>('./*/parts.ts', { eager: true, import: 'parts' });

/** Empty for a page without a service. */
export const partsOf = (service: string | undefined): ServiceParts => found[`./${service}/parts.ts`] ?? {};

/** In the order of the pages. */
export const PARTS: readonly ServiceParts[] = PAGES.map(({ service }) => partsOf(service?.name));
