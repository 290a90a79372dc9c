/** Asks upstreams, and asks on when one stopped in the middle of a chain of aliases, as authoritative servers do. */
import { danglingAlias } from '../wire/dns-answer.ts';
import type { DnsMessage } from '../wire/dns-message.ts';
import type { UpstreamQuestion } from './dns-exchange.ts';
import type { Upstreams } from './dns-upstreams.ts';

/** Aliases that we follow because the upstream does not; a chain inside an upstream's answer may be longer. */
const MAX_CHAIN_HOPS = 8;

/** As `Upstreams.ask`, with the answers of the whole chain. */
export async function askChain(
  upstreams: Pick<Upstreams, 'ask'>,
  question: UpstreamQuestion,
  deadlineMs: number,
): Promise<DnsMessage | undefined> {
  const endMs = performance.now() + deadlineMs;
  let message = await upstreams.ask(question, deadlineMs);
  for (let hops = 0; hops < MAX_CHAIN_HOPS; hops++) {
    const target = message === undefined ? undefined : danglingAlias(question, message);
    if (message === undefined || target === undefined) break;
    const rest = await upstreams.ask({ ...question, name: target }, endMs - performance.now());
    if (rest === undefined) return undefined;
    message = { ...rest, answers: [...message.answers, ...rest.answers] };
  }
  return message;
}
