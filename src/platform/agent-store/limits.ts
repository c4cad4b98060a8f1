/** Numbers that the agent's store keeps to, each with the reason for its default. */

/** Written data is made durable, and recorded as held, at least this often while anything is written. */
export const flushIntervalMilliseconds = 250;

/** ... and as soon as this much has been written: about what a disk takes in a quarter of a second. */
export const flushBytes = 64 * 1024 * 1024;

/** A flush that took long is followed by a pause of this many times as long, so that disks do not only flush. */
export const flushPauseFactor = 2;

/** The whole file system is flushed at most this often, and this long after the first write: others use it too. */
export const fileSystemFlushPauseMilliseconds = 2000;

/** Up to so many files a flush makes durable one by one; above, flushing the whole file system once is cheaper. */
export const filesFlushedSingly = 32;

/** `sync -f` is given up after this time, and files are flushed one by one. */
export const fileSystemFlushTimeoutMilliseconds = 120_000;

/** Recently written blocks that are kept in memory to be passed on. */
export const blockMemoryBytes = 32 * 1024 * 1024;

/** They are kept only while other agents read here: so long after a read. */
export const blockMemoryIdleMilliseconds = 10_000;

/** The work that one job of a thread covers, so that others get their turn: bytes ... */
export const jobBytes = 8 * 1024 * 1024;

/** ... and files. */
export const jobFiles = 256;

/** Names that a job on the tree (directories, links, removal) covers. */
export const jobEntries = 512;

/** Blocks that wait for the writing thread go to it together, up to so many bytes ... */
export const writeJobBytes = 4 * 1024 * 1024;

/** ... and with one job more than it is busy with, so that it never waits for the next. */
export const writeJobsAtOnce = 2;

/** Files that each thread keeps open. */
export const openFiles = 64;

/** Files up to this length are copied rather than cloned: a clone costs more than the bytes. */
export const smallestClonedFileBytes = 128 * 1024;

/** A journal is written anew when it is longer than this and than twice what it was then. */
export const journalRewriteBytes = 4 * 1024 * 1024;

/** Blocks looked at before the event loop gets its turn. */
export const blocksBetweenPauses = 20_000;

/** Files from this length on are written past the page cache where the system can: of smaller ones it costs little. */
export const smallestDirectFileBytes = 64 * 1024 * 1024;

/** Writes shorter than this go through the page cache, which gathers them. */
export const smallestDirectWriteBytes = 128 * 1024;

/** What places in memory and in the file must be multiples of to go past the page cache, on any usual disk. */
export const directAlignmentBytes = 4096;
