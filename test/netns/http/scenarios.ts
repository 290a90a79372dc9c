/** What takes more than one exchange. The driver performs them by name. */
import { ENDINGS, performEnding } from './closing-servers.ts';
import { performAnswerOfAnother, performUploadOfAnother } from './gone-clients.ts';

const endings = (Object.keys(ENDINGS) as (keyof typeof ENDINGS)[]).flatMap((ending) =>
  (['GET', 'POST'] as const).map(
    (method) =>
      [
        `40 ${method}s to a server that ends each connection ${ending}`,
        () => performEnding(ending, method),
      ] as const,
  ),
);

export const SCENARIOS: Readonly<Record<string, () => Promise<void>>> = {
  ...Object.fromEntries(endings),
  'the late answer to a client that is gone reaches no other client': performAnswerOfAnother,
  'half a body of a client that is gone is not completed by another client': performUploadOfAnother,
};
