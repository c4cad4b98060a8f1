/** The levels of the log, apart from the log itself: the command line knows them without loading it. */

/** From the least worth knowing to the most. `SLUICE_LOG_LEVEL` names the least that is shown; `silent` shows nothing. */
export const logLevels = ["debug", "info", "warn", "error", "silent"] as const;
