/** CLOCK_MONOTONIC in milliseconds: the same in every process of the machine. */
export const monotonicMs = (): number => Number(process.hrtime.bigint() / 1000n) / 1000;
