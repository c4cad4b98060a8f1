/** What a program's end tells the script that started it. These numbers never change their meaning. */
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

/** The same for people. */
export const exitCodeTexts: readonly (readonly [number, string])[] = [
  [exitCodes.ok, "done"],
  [exitCodes.failure, "it could not do what it was told; damage was found"],
  [
    exitCodes.usage,
    "used wrongly: an unknown command or option, a value that does not fit, a mistake in a config file",
  ],
  [exitCodes.unreachable, "the controller could not be reached"],
  [
    exitCodes.timedOut,
    "publish --wait: not every target held it when the time was over; it is published, and agents go on",
  ],
  [exitCodes.conflict, "what is there already stands against it: other content under this version, an active version"],
  [exitCodes.interrupted, "stopped by a signal"],
];
