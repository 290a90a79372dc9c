/** The actor of a change, as the API names it. */
import { say, textOf } from '../core/locale.ts';

const ACTORS = {
  owner: say('owner'),
  appliance: say('appliance'),
  file: say('file'),
  nobody: say('nobody'),
  'bootstrap token': say('bootstrap token'),
};

export const actorName = (name: string): string => textOf(ACTORS, name);
