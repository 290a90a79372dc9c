/** What takes more than one exchange. The driver performs them by name. */
import { ENDINGS, METHODS, performEnding } from './closing-servers.ts';
import { performAnswerOfAnother, performUploadOfAnother } from './gone-clients.ts';

const endings = ENDINGS.flatMap((ending) =>
  Object.entries(METHODS).map(
    ([title, methods]) =>
      [
        `40 ${title} to a server that ends each connection ${ending.title}`,
        () => performEnding(ending, methods),
      ] as const,
  ),
);

export const SCENARIOS: Readonly<Record<string, () => Promise<void>>> = {
  ...Object.fromEntries(endings),
  'the late answer to a client that is gone reaches no other client': performAnswerOfAnother,
  'half a body of a client that is gone is not completed by another client': performUploadOfAnother,
};
