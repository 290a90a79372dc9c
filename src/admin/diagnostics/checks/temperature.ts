import { type Check, type Finding, fail, ok, unknown, warn } from '../check.ts';
import { say, sentences } from '../../../texts/text.ts';

const ZONES = '/sys/class/thermal';
/** A Raspberry Pi throttles at 80 (Pi 4) to 85 degrees (Pi 5). */
const WARN_DEGREES = 75;
const FAIL_DEGREES = 82;
const REMEDY = say(
  'Give the appliance more air: take it out of a closed cupboard, or use a case with a heat sink or fan.',
);

export const temperature: Check = {
  id: 'temperature',
  area: 'system',
  isCheap: true,
  title: say('Temperature'),
  why: say('A processor that is too hot slows down, and ages faster.'),
  async run({ machine }): Promise<Finding> {
    const zones = (await machine.list(ZONES)).filter((name) => name.startsWith('thermal_zone'));
    const texts = await Promise.all(zones.map((zone) => machine.read(`${ZONES}/${zone}/temp`)));
    // Millidegrees. Some sensors report invalid values while their device sleeps.
    const degrees = texts.map((text) => Number(text) / 1000).filter((value) => value > 0 && value < 150);
    if (degrees.length === 0) return unknown(say('This machine has no temperature sensor that Linux knows.'));
    const hottest = Math.max(...degrees);
    const text = say('The processor is at {degrees} °C.', { degrees: Math.round(hottest) });
    if (hottest >= FAIL_DEGREES) return fail(sentences(text, say('It slows down to cool off.')), REMEDY);
    return hottest >= WARN_DEGREES ? warn(text, REMEDY) : ok(text);
  },
};
