/** Bounds of what is taken from the network. Every one is checked before memory is spent on the message. */

/** The largest control message, in bytes of JSON text. A larger one closes the connection. */
export const maximumMessageBytes = 8 * 1024 * 1024;
/** Ranges in one list of ranges of one message (a report is split when it has more). */
export const maximumRangesPerMessage = 200_000;
/** Entries of a list in a message that is not a list of ranges. */
export const maximumListEntries = 100_000;
/** Characters of a free text, such as the detail of a failure. */
export const maximumTextLength = 2_000;
/** Other lanes that one may have to wait for. */
export const maximumLanesBefore = 256;
/** Characters of a ticket. */
export const maximumTicketLength = 65_536;
/** Bytes of a piece of a manifest or a challenged block that one message carries, before base64. */
export const messagePayloadBytes = 192 * 1024;
