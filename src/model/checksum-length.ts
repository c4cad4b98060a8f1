/** The length of checksums, by itself: threads that only hash need nothing else of checksums, nor what that loads. */

/** Every algorithm's checksum has this length. */
export const checksumLengthBytes = 32;
