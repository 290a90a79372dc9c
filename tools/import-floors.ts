/**
 * Fails when a file imports from a floor of its room that is not below its own (docs/architecture.md has the same table), what is
 * loaded later by `import()` included. Whatever the table says, files never import each other in a circle (import-circles.ts).
 */
import { readImports } from './imports.ts';

/** By floor: the floors of the same room that it may import. */
export type Floors = Readonly<Record<string, readonly string[]>>;

/** What lies in the room's own folder: what the service says of itself. All floors may import it. */
export const GROUND = '.';

/** Rooms with floors, the lowest first. */
export const ROOMS: Readonly<Record<string, Floors>> = {
  'src/services/nat64': {
    packet: [],
    settings: ['packet'],
    tables: ['packet', 'settings'],
    kernel: ['packet', 'settings', 'tables'],
    steps: ['packet', 'settings', 'tables', 'kernel'],
    explain: ['packet', 'settings', 'tables', 'steps'],
    control: ['packet', 'settings', 'tables', 'kernel', 'steps', 'explain'],
    checks: [],
    [GROUND]: ['control', 'explain', 'checks'],
  },
};

/** Imports that the table does not allow, and floors that it does not know, as lines to be read. */
export function brokenRules(
  imports: ReadonlyMap<string, readonly string[]>,
  rooms: Readonly<Record<string, Floors>> = ROOMS,
): string[] {
  return Object.entries(rooms).flatMap(([room, floors]) => {
    const floorOf = (file: string) => {
      const path = file.slice(room.length + 1).split('/');
      return path.length === 1 ? GROUND : path[0];
    };
    const isInside = (file: string) => file.startsWith(`${room}/`);
    return [...imports.keys()].filter(isInside).flatMap((file) => {
      const floor = floorOf(file);
      const allowed = floors[floor];
      if (allowed === undefined) return [`${file}: "${floor}" is no floor of ${room}`];
      return (imports.get(file) ?? [])
        .filter(isInside)
        .filter((other) => ![floor, GROUND, ...allowed].includes(floorOf(other)))
        .map((other) => `${file} -> ${other}: "${floor}" may not import "${floorOf(other)}"`);
    });
  });
}

if (import.meta.main) {
  const broken = brokenRules(readImports(true));
  const rooms = Object.keys(ROOMS).join(', ');
  console.log(
    `${broken.length === 0 ? '✔' : '✖'} floors of ${rooms}: ${broken.length} imports against the rules`,
  );
  for (const line of broken) console.log(`    ${line}`);
  process.exitCode = broken.length === 0 ? 0 : 1;
}
