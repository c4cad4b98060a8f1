/** How long the page waits for the controller. */

/** Without any event for this long the connection is given up; a quiet controller says something every 5 s. */
export const silenceMilliseconds = 15_000;
/** The pause before the first attempt to connect again; it doubles with each that fails. */
export const firstRetryMilliseconds = 500;
/** The longest pause between two attempts to connect. */
export const longestRetryMilliseconds = 5_000;
/** How long an answer to a question or an order may take. */
export const requestTimeoutMilliseconds = 30_000;
