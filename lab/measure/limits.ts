/** How often a race is looked at. */

/** Counters of devices. */
export const trafficSampleMilliseconds = 50;
/** Processor time and memory of programs: what one uses after the last look before its end is not seen. */
export const processSampleMilliseconds = 100;
/** How long the counters may take to answer once they are asked for the last time. */
export const lastSampleMilliseconds = 5_000;
