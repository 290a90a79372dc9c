import { type Check, type Finding, fail, ok, unknown, warn } from '../check.ts';
import { say, sentences } from '../../../texts/text.ts';

/** No build is older than this: a clock before it has never been set. */
const EARLIEST = new Date('2026-01-01T00:00:00Z');

export const clock: Check = {
  id: 'clock',
  area: 'system',
  isCheap: true,
  title: say('Time'),
  why: say(
    'With a wrong clock, certificates seem expired or not yet valid, and logs have wrong times. A Raspberry Pi has no battery for its clock.',
  ),
  run({ machine, now }): Finding {
    const remedy = say(
      'Check that the appliance reaches a time server: systemd-timesyncd asks those of /etc/systemd/timesyncd.conf over UDP port 123.',
    );
    if (now < EARLIEST)
      return fail(
        say('The clock says {date}: it was never set.', { date: now.toISOString().slice(0, 10) }),
        remedy,
      );
    const { isSynchronised, maxErrorMs } = machine.clock();
    if (isSynchronised === undefined)
      return unknown(say('The system does not tell this process whether the clock is synchronised.'));
    if (!isSynchronised) return warn(say('The clock is not synchronised with a time server.'), remedy);
    const error =
      maxErrorMs === undefined
        ? undefined
        : say('It is off by {milliseconds} ms at most.', { milliseconds: Math.ceil(maxErrorMs) });
    return ok(sentences(say('The clock is synchronised.'), error));
  },
};
