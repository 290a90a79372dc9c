/** The identity of a document. */
import { createHash } from 'node:crypto';
import type { ConfigDocument } from './load.ts';

/** A hash of the document. */
export const revisionOf = (document: ConfigDocument): string =>
  createHash('sha256').update(JSON.stringify(document)).digest('base64url').slice(0, 22);

/** The revision of the empty document: all defaults. */
export const EMPTY_REVISION = revisionOf({});
