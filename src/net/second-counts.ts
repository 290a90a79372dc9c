/**
 * Two tables of counts that begin at 0 in each second, found by a hash. Different keys may share a place: with a few hundred keys a
 * second, the chance is a few percent.
 */

/** Places of one table: a power of two. */
export const PLACES = 4096;
/** Words of a place: the second that it counts for, and the count. */
const PLACE_WORDS = 2;
/** Words of both tables. */
export const TABLES_WORDS = 2 * PLACES * PLACE_WORDS;

/** The index of the count for this hash. `first`: the first place of its table, 0 or PLACES. */
export function placeOf(places: Int32Array, second: number, first: number, hash: number): number {
  const at = (first + (hash & (PLACES - 1))) * PLACE_WORDS;
  if (places[at] !== second) {
    places[at] = second;
    places[at + 1] = 0;
  }
  return at + 1;
}
