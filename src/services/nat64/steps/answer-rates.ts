/** The rate limits of the ICMP errors that the translator itself sends. */
import { type RateShares, createRateShares } from '../../../net/rate-shares.ts';

/** The limit per second for all hosts of a side together (RFC 4443 section 2.4 f, RFC 1812 section 4.3.2.8). */
export const ANSWERS_PER_SECOND = 200;
/** An additional limit, only for errors about the path MTU: without these errors, connections hang. */
const MTU_ANSWERS_PER_SECOND = 100;
/** The rates of each side. Its hosts share them, and a flood on one side does not use up the rate of the other. */
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
