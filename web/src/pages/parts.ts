/** What of the services other pages show: the `parts.ts` of each folder, found by the build. */
import type { ServiceParts } from '../core/registry.ts';
import { PAGES } from './all.ts';

const found = import.meta.glob<ServiceParts>('./*/parts.ts', { eager: true, import: 'parts' });

/** None of a page that is no service's. */
export const partsOf = (service: string | undefined): ServiceParts => found[`./${service}/parts.ts`] ?? {};

/** In the order of the pages. */
export const PARTS: readonly ServiceParts[] = PAGES.map(({ service }) => partsOf(service?.name));
