/** nftables: each table is replaced as a whole, atomically. */
import { runCommand } from './command.ts';

/** Replaces the table of that name, if any. `body` is the text between its braces. */
export async function replaceNftTable(name: string, body: string): Promise<void> {
  // "add" before "delete": deleting a missing table would fail.
  await runCommand(
    'nft',
    ['-f', '-'],
    `add table ${name}\ndelete table ${name}\ntable ${name} {\n${body}\n}\n`,
  );
}

/** Removes a table if it exists. */
export async function deleteNftTable(name: string): Promise<void> {
  await runCommand('nft', ['-f', '-'], `add table ${name}\ndelete table ${name}\n`);
}
