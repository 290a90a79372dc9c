/** The values of `accessLog`, for a person. */
import { say } from '../../core/locale.ts';

export const ACCESS_LOG = {
  off: say('none'),
  errors: say('those that failed'),
  all: say('all'),
};
