/** The card as seen by another computer: its partition table and its bytes, while the power is off. */
import { execFileSync } from 'node:child_process';
import { closeSync, openSync, readSync, writeSync } from 'node:fs';

/** The id that every image has, as in the kernel's command line. */
export const IMAGE_DISK_ID = '746f6d62';
/** In the master boot record, little-endian. */
const DISK_ID_OFFSET = 440;
const SECTOR_BYTES = 512;

export function writeAt(disk: string, offset: number, bytes: Uint8Array): void {
  const fd = openSync(disk, 'r+');
  writeSync(fd, bytes, 0, bytes.length, offset);
  closeSync(fd);
}

export function diskId(disk: string): string {
  const bytes = Buffer.alloc(4);
  const fd = openSync(disk, 'r');
  readSync(fd, bytes, 0, bytes.length, DISK_ID_OFFSET);
  closeSync(fd);
  return bytes.reverse().toString('hex');
}

export const setDiskId = (disk: string, id: string): void =>
  writeAt(disk, DISK_ID_OFFSET, Buffer.from(id, 'hex').reverse());

/** The position of the data partition, in bytes. */
export function dataPartition(disk: string): { readonly start: number; readonly size: number } {
  const { partitiontable } = JSON.parse(execFileSync('sfdisk', ['--json', disk], { encoding: 'utf8' })) as {
    partitiontable: { partitions: { node: string; start: number; size: number }[] };
  };
  const found = partitiontable.partitions.find(({ node }) => node.endsWith('7'));
  if (found === undefined) throw new Error(`${disk}: the partition table has no partition 7`);
  return { start: found.start * SECTOR_BYTES, size: found.size * SECTOR_BYTES };
}
