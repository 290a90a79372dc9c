import { type Check, type Finding, fail, ok, warn } from '../check.ts';

const MIB = 2 ** 20;
const WARN_SHARE = 0.1;
const WARN_BYTES = 500 * MIB;
const FAIL_BYTES = 50 * MIB;
const WARN_FILES_SHARE = 0.05;

export const disk: Check = {
  id: 'disk',
  area: 'system',
  title: 'Disk space',
  why: 'Configuration, history and logs are kept there: when it is full, changes cannot be saved.',
  async run({ machine, stateDirectory }): Promise<Finding> {
    const { totalBytes, freeBytes, totalFiles, freeFiles, isWritable } = await machine.disk(stateDirectory);
    const mend = `Remove what is not needed from the file system of ${stateDirectory}, or use a larger card.`;
    if (!isWritable) {
      return fail(
        `${stateDirectory} cannot be written to: the file system is read-only.`,
        'Usually the card has errors and the kernel protects it: make a backup of the configuration and replace the card.',
      );
    }
    const text = `${sizeOf(freeBytes)} of ${sizeOf(totalBytes)} are free.`;
    if (freeBytes < FAIL_BYTES) return fail(text, mend);
    if (freeBytes < Math.min(totalBytes * WARN_SHARE, WARN_BYTES)) return warn(text, mend);
    if (totalFiles > 0 && freeFiles < totalFiles * WARN_FILES_SHARE) {
      return warn(`Space is left, but only for ${freeFiles} more files.`, mend);
    }
    return ok(text);
  },
};

const sizeOf = (bytes: number): string =>
  bytes >= 1024 * MIB ? `${(bytes / (1024 * MIB)).toFixed(1)} GiB` : `${Math.round(bytes / MIB)} MiB`;
