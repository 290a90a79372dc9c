/** How many ICMP errors of our own may still be sent. */
import { type RateShares, createRateShares } from '../../../net/rate-shares.ts';

/** At most so many in a second to all hosts of a side (RFC 4443 section 2.4 f, RFC 1812 section 4.3.2.8). */
export const ANSWERS_PER_SECOND = 200;
/** Beside them, for errors about the path MTU alone: without these, connections hang instead of going on. */
const MTU_ANSWERS_PER_SECOND = 100;
/** What may still be sent to each side: hosts have shares of it, and one side's floods are nothing to the other. */
export interface AnswerRates {
  readonly to6: RateShares;
  readonly mtuTo6: RateShares;
  readonly to4: RateShares;
  readonly mtuTo4: RateShares;
}

/** `random`: unsigned 32-bit numbers. */
export const createAnswerRates = (random: () => number): AnswerRates => ({
  to6: createRateShares(ANSWERS_PER_SECOND, random()),
  mtuTo6: createRateShares(MTU_ANSWERS_PER_SECOND, random()),
  to4: createRateShares(ANSWERS_PER_SECOND, random()),
  mtuTo4: createRateShares(MTU_ANSWERS_PER_SECOND, random()),
});
