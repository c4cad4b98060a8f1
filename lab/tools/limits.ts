/** How long the tools of a race are waited for. */

/** From the start of a tool's programs until all of them run. */
export const toolStartMilliseconds = 60_000;
/** A race is given up after so long: several times what the slowest tool takes for the largest of ours. */
export const defaultRaceTimeoutMilliseconds = 900_000;
/** How often it is looked whether a host is done. The time itself is that of the file system. */
export const completionLookMilliseconds = 20;
/** How often things are looked at while programs start. */
export const startLookMilliseconds = 20;
/** The command line is a program of its own each time, and must not take the processor from what is starting. */
export const agentListMilliseconds = 500;
