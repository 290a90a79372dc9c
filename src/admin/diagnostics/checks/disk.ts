import { type Check, type Finding, fail, ok, warn } from '../check.ts';
import { type Value, listOf, say } from '../../../texts/text.ts';

const MIB = 2 ** 20;
const WARN_SHARE = 0.1;
const WARN_BYTES = 500 * MIB;
const FAIL_BYTES = 50 * MIB;
const WARN_FILES_SHARE = 0.05;

export const disk: Check = {
  id: 'disk',
  area: 'system',
  isCheap: true,
  title: say('Disk space'),
  why: say('Configuration, history and logs are kept there: when it is full, changes cannot be saved.'),
  async run({ machine, stateDirectory }): Promise<Finding> {
    const { totalBytes, freeBytes, totalFiles, freeFiles, isWritable } = await machine.disk(stateDirectory);
    const remedy = say(
      'Remove what is not needed from the file system of {directory}, or use a larger card.',
      {
        directory: stateDirectory,
      },
    );
    if (!isWritable) {
      return fail(
        say('{directory} cannot be written to: the file system is read-only.', { directory: stateDirectory }),
        say(
          'Usually the card has errors and the kernel protects it: make a backup of the configuration and replace the card.',
        ),
      );
    }
    const text = say('{free} of {total} are free.', { free: sizeOf(freeBytes), total: sizeOf(totalBytes) });
    if (freeBytes < FAIL_BYTES) return fail(text, remedy);
    if (freeBytes < Math.min(totalBytes * WARN_SHARE, WARN_BYTES)) return warn(text, remedy);
    if (totalFiles > 0 && freeFiles < totalFiles * WARN_FILES_SHARE) {
      const files = say('Space is left, but only for {freeFiles} more files.', { freeFiles });
      return freeFiles === 0 ? fail(files, remedy) : warn(files, remedy);
    }
    return ok(text);
  },
};

const sizeOf = (bytes: number): Value =>
  bytes >= 1024 * MIB
    ? listOf([Math.round(bytes / (102.4 * MIB)) / 10, 'GiB'], ' ')
    : `${Math.round(bytes / MIB)} MiB`;
