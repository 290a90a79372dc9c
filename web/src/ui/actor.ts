/** Who did something, as the API names them. */
import { say, textOf } from '../core/locale.ts';

const ACTORS = {
  owner: say('owner'),
  appliance: say('appliance'),
  file: say('file'),
  nobody: say('nobody'),
  'bootstrap token': say('bootstrap token'),
};

export const actorName = (name: string): string => textOf(ACTORS, name);
