/** Writes docs/configuration.md. */
import { writeFile } from 'node:fs/promises';
import { configReference } from '../src/config/reference.ts';

await writeFile(new URL('../docs/configuration.md', import.meta.url), configReference());
