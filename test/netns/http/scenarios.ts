/** What takes more than one exchange. The driver performs them by name. */
import { performProxyHeaders } from './proxy-header.ts';
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

/** For servers with `clientAddress: "proxy-v1"`. */
export const PROXY_SCENARIOS: Readonly<Record<string, () => Promise<void>>> = {
  'a PROXY header begins each connection to a server, which serves one client only': performProxyHeaders,
};

export const SCENARIOS: Readonly<Record<string, () => Promise<void>>> = {
  ...Object.fromEntries(endings),
  'the late answer to a client that is gone reaches no other client': performAnswerOfAnother,
  'half a body of a client that is gone is not completed by another client': performUploadOfAnother,
};
