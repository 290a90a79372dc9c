import { type Check, type CheckDeps, type Finding, fail, ok, unknown, warn } from '../check.ts';
import { type Text, say, sentences } from '../../../texts/text.ts';

const REMEDY = say('Make a backup, and replace the card or disk soon.');
/** From JEDEC eMMC 5.0: steps of 10 % of the used lifetime. */
const WARN_STEP = 8;
const WORN_OUT_STEP = 11;

export const diskWear: Check = {
  id: 'disk-wear',
  area: 'system',
  title: say('Wear of the card or disk'),
  why: say('Flash memory wears out by writing. Before it fails, the file system usually sees errors.'),
  async run(deps): Promise<Finding> {
    const { device } = await deps.machine.disk(deps.stateDirectory);
    if (device === undefined)
      return unknown(say('The state directory is on no disk of its own (a network or memory file system).'));
    const errors = Number((await deps.machine.read(`/sys/fs/ext4/${device}/errors_count`)) ?? 0);
    if (errors > 0)
      return fail(say('The file system on {device} has seen {errors} errors.', { device, errors }), REMEDY);
    const written = await writtenTo(deps, device);
    const steps = await usedLifetime(deps, device);
    if (steps === undefined) {
      return unknown(
        sentences(
          say(
            '{device} does not tell how worn it is, as SD cards never do. The file system has seen no error.',
            { device },
          ),
          written,
        ),
      );
    }
    if (steps >= WORN_OUT_STEP)
      return fail(say('{device} has used up the lifetime that its maker planned.', { device }), REMEDY);
    const text = sentences(
      say('{device} has used {from} to {to} % of its planned lifetime.', {
        device,
        from: steps * 10 - 10,
        to: steps * 10,
      }),
      written,
    );
    return steps >= WARN_STEP ? warn(text, REMEDY) : ok(text);
  },
};

async function writtenTo({ machine }: CheckDeps, device: string): Promise<Text | undefined> {
  const kibibytes = await machine.read(`/sys/fs/ext4/${device}/lifetime_write_kbytes`);
  return kibibytes === undefined
    ? undefined
    : say('Written so far: {gibibytes} GiB.', { gibibytes: Math.round(Number(kibibytes) / 2 ** 20) });
}

/** The worse of eMMC's two estimates ("0x02 0x01"), in steps of 10 %. */
async function usedLifetime({ machine }: CheckDeps, device: string): Promise<number | undefined> {
  const disk = /^(mmcblk[0-9]+)/.exec(device)?.[1];
  const text = disk === undefined ? undefined : await machine.read(`/sys/block/${disk}/device/life_time`);
  const steps = (text?.match(/0x[0-9a-f]{2}/gi) ?? []).map(Number).filter((step) => step > 0);
  return steps.length === 0 ? undefined : Math.max(...steps);
}
