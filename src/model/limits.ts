/**
 * The limits of what the model accepts, each a named constant.
 *
 * They keep input from others from taking memory or time without end; none is meant to be met in practice.
 */

/** A path inside a file set, in bytes of UTF-8: what Linux takes. */
export const maximumPathBytes = 4096;

/** One part of a path, between two slashes: what common file systems take. */
export const maximumPathPartBytes = 255;

/** What a link points to: what Linux takes. */
export const maximumLinkTargetBytes = 4096;

/** Links followed one after another before a path is given up, as in the Linux kernel. */
export const maximumLinkDepth = 40;

/** Permission bits of a file or directory; set-user-id and its like are not distributed. */
export const maximumMode = 0o777;

/** Files, directories and links of one file set together. */
export const maximumEntries = 10_000_000;

/** Blocks of one file set. */
export const maximumBlocks = 16_777_216;

/** A whole manifest. */
export const maximumManifestBytes = 1_073_741_824;

/** The payload of one manifest record: room for a path, a link target and what later minor versions may add. */
export const maximumManifestRecordBytes = 65_536;

/** Checksums in one record of a manifest. */
export const maximumChecksumsPerRecord = 512;

/** The largest block. */
export const maximumBlockBytes = 16_777_216;

/** The smallest block size that is chosen by itself. A file set may declare a smaller one, down to 1 byte. */
export const minimumBlockBytes = 262_144;

/** How many blocks a file is cut into, about, where the two limits above allow. */
export const blocksPerFileAim = 1024;

/** The smallest piece that a manifest is carried in. */
export const manifestPieceBytes = 65_536;

/** A manifest that does not grow is carried in at most this many pieces. */
export const maximumManifestPieces = 128;

/** The end of a growing manifest that may travel in a control message instead of as a piece. */
export const inlineManifestTailBytes = 16_384;

/** Characters of a name: of a file set, version, agent, site or resource. */
export const maximumNameLength = 128;

/** Characters of a label's key. */
export const maximumLabelKeyLength = 64;

/** Characters of a label's value; as long as a name, since selectors compare names too. */
export const maximumLabelValueLength = 128;

/** Labels of one agent. */
export const maximumLabels = 64;

/** Characters of a selector. */
export const maximumSelectorLength = 4096;

/** Mistakes collected in one topology before reading is given up. */
export const maximumTopologyMistakes = 100;
