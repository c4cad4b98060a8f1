/** What a program's end tells the script that started it. */
export const exitCodes = {
  ok: 0,
  /** It could not do what it was told. */
  failure: 1,
  /** It was used wrongly: an unknown command or option, a value that does not fit. */
  usage: 2,
  /** The controller could not be reached. */
  unreachable: 3,
  /** It waited, but not all of it had happened by then. */
  timedOut: 4,
  /** What is there already stands against it: another content, an active version. */
  conflict: 5,
  /** It was stopped by a signal, as shells tell it of SIGINT. */
  interrupted: 130,
} as const;
