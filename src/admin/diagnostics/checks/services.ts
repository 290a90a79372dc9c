import { CONDITION_PARTS, type ConditionPart } from '../../../runtime/conditions.ts';
import { SERVICES } from '../../../services/all.ts';
import { type Check, type Finding, fail, keyOf, ok, warn } from '../check.ts';
import { type Text, asIs, say, sentences } from '../../../texts/text.ts';

interface Place {
  /** The name on the pages. */
  readonly title: Text;
  readonly area?: string;
  readonly needs?: readonly string[];
}

/** The name of each part, where its line belongs, and which lines explain its problems better. */
const PLACES: Readonly<Record<string, Place>> = {
  ...Object.fromEntries(SERVICES.map(({ name, title, place }) => [name, { title, ...place }])),
  admin: { title: say('Control panel'), area: 'system', needs: ['port-conflicts'] },
  configuration: { title: say('Configuration file') },
  storage: { title: say('Stored files') },
  limits: { title: say('Limits') },
};

export const services: Check = {
  id: 'service',
  area: 'system',
  title: say('Service'),
  why: say('Each service reports when it cannot do everything that the configuration asks for.'),
  run({ services: reports }): Finding[] {
    // Each of the automatic checks that fail has its own line.
    const others = reports.filter(({ name }) => name !== ('checks' satisfies ConditionPart));
    return others.map(({ name, status: { state, problem, restarts } }) => {
      const place = { key: keyOf(name), ...(PLACES[name] ?? { title: asIs(name) }) };
      if (state === 'disabled') return { ...place, ...ok(say('Switched off in the configuration.')) };
      const again =
        restarts > 0
          ? say('Its thread was started again {restarts} times; the log has the reason.', { restarts })
          : undefined;
      const said = sentences(problem === undefined ? say('It gives no reason.') : problem, again);
      // A rejected configuration or a limit is not retried.
      const isTried = !CONDITION_PARTS.some((part) => part === name);
      const remedy = isTried
        ? say(
            'It is retried automatically. Fix what this check reports. If that does not help, download the support bundle (System page) and ask for help.',
          )
        : say(
            'Do what this check says. If that does not help, download the support bundle (System page) and ask for help.',
          );
      if (state === 'failed') return { ...place, ...fail(said, remedy) };
      if (state === 'degraded') return { ...place, ...warn(said, remedy) };
      return { ...place, ...ok(sentences(say('Runs.'), again)) };
    });
  },
};
