/** nftables: each table is replaced as a whole, atomically. */
import { runCommand } from './command.ts';

/** Puts a table in place of the one of that name, if any. `body` is what stands between its braces. */
export async function replaceNftTable(name: string, body: string): Promise<void> {
  // "add" before "delete": deleting a table that is not there would fail.
  await runCommand(
    'nft',
    ['-f', '-'],
    `add table ${name}\ndelete table ${name}\ntable ${name} {\n${body}\n}\n`,
  );
}

/** Removes a table if it is there. */
export async function deleteNftTable(name: string): Promise<void> {
  await runCommand('nft', ['-f', '-'], `add table ${name}\ndelete table ${name}\n`);
}
