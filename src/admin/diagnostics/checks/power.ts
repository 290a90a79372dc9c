import { type Check, type CheckDeps, type Finding, fail, ok, unknown, warn } from '../check.ts';
import { say } from '../../../texts/text.ts';

/**
 * The status from the firmware of a Raspberry Pi: bits for the present state, and the same bits shifted by 16 for "since the
 * start".
 */
const THROTTLED = '/sys/devices/platform/soc/soc:firmware/get_throttled';
const UNDER_VOLTAGE = 1;
const SINCE_START = 16;
const HWMON = '/sys/class/hwmon';
const REMEDY = say(
  'Use the power supply that the maker recommends (5 V, 3 A or more), with a short thick cable, and no power-hungry devices on USB.',
);

export const power: Check = {
  id: 'power',
  area: 'system',
  isCheap: true,
  title: say('Power supply'),
  why: say('With too low a voltage a Raspberry Pi slows down, loses USB devices, and damages its card.'),
  async run({ machine }): Promise<Finding> {
    const throttled = await machine.read(THROTTLED);
    if (throttled !== undefined) {
      const bits = Number.parseInt(throttled, 16);
      if ((bits & UNDER_VOLTAGE) !== 0) return fail(say('The voltage is too low at this moment.'), REMEDY);
      if (((bits >>> SINCE_START) & UNDER_VOLTAGE) !== 0)
        return warn(say('The voltage was too low at times since the start.'), REMEDY);
      return ok(say('The voltage has been right since the start.'));
    }
    const alarm = await voltageAlarm(machine);
    if (alarm === undefined)
      return unknown(say('This machine does not measure its supply voltage, or it is not a Raspberry Pi.'));
    return alarm === '1'
      ? fail(say('The voltage is too low at this moment.'), REMEDY)
      : ok(say('The voltage is right at this moment.'));
  },
};

/** The value from the driver raspberrypi-hwmon: "0" or "1". */
async function voltageAlarm(machine: CheckDeps['machine']): Promise<string | undefined> {
  for (const name of await machine.list(HWMON)) {
    if ((await machine.read(`${HWMON}/${name}/name`)) === 'rpi_volt') {
      return machine.read(`${HWMON}/${name}/in0_lcrit_alarm`);
    }
  }
  return undefined;
}
