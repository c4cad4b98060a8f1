/** Bounds and times of block streams. Memory is bounded by the two pools, whatever peers do. */

/** Memory for blocks that are received or wait to be verified and written. Used from its beginning: it costs what is used. */
export const receivePoolBytes = 128 * 1024 * 1024;
/** Blocks received and not yet written, above which no further batch is begun. Keeps memory small where disks are slow. */
export const maximumWritingBytes = 6 * 1024 * 1024;
/** Memory for what is read and waits to be sent. */
export const sendPoolBytes = 64 * 1024 * 1024;
/** Memory is given out in multiples of this. */
export const slotUnitBytes = 64 * 1024;

/** What a lane reads at once to send it: so much time at its rate, between these bounds. */
export const readAheadNanoseconds = 300_000_000;
export const minimumReadBytes = 64 * 1024;
export const maximumReadBytes = 1024 * 1024;

/** What a lane hands over to be sent at once, as time at its rate, where the system spreads it evenly ... */
export const smoothQuantumNanoseconds = 8_000_000;
/** ... of which a lane this fast hands over more, but for the end of what it sends: each wake-up costs more than its bytes ... */
export const longQuantumNanoseconds = 24_000_000;
export const longQuantumBitsPerSecond = 150_000_000;
/** ... and where it leaves at once: a burst should fit into the buffers of a link. */
export const paceQuantumNanoseconds = 4_000_000;
/** What a lane may catch up after a late timer, where the system spreads it: with the quantum, and what may lie in sockets of a busy machine, under 20 ms ... */
export const smoothCreditNanoseconds = 5_000_000;
/** ... and where it does not: bursts of under 10 ms, with the quantum and the timer's slack. */
export const sendCreditNanoseconds = 5_000_000;
/** The system's pace, in relation to the rates of a connection's lanes: a little more, so that none falls behind it. */
export const systemPaceFactor = 1.05;
/** It is not told less: a lane's rate is kept without it, and what was handed over at a higher rate holds up what comes next. */
export const leastSystemBytesPerSecond = 2_000_000;
/** The least that is sent at once, in full frames of the wire. */
export const minimumChunkFrames = 2;
/** Bytes handed to the system and not taken by it yet, above which a connection is full ... */
export const maximumQueuedBytes = 1024 * 1024;
/** ... and above this where lanes are slow: what is queued goes out at the speed of the network, not of the lane. */
export const minimumQueuedBytes = 64 * 1024;
/** What a connection sends in one turn before it lets others have theirs. */
export const maximumTurnBytes = 4 * 1024 * 1024;

/** What a lane may receive at once after it received less than its rate for a while. */
export const receiveCreditNanoseconds = 50_000_000;
/** How far a lane's source may run ahead of its rate before the target stops reading. */
export const receiveToleranceNanoseconds = 50_000_000;
/** A slow connection is read when about so much has come: wake-ups cost more than bytes. */
export const gatherBytes = 256 * 1024;
/** But no later than this. */
export const maximumGatherNanoseconds = 16_000_000;
/** A wait that is not worth a timer. */
export const minimumGatherNanoseconds = 1_000_000;
/** What a connection reads into when it does not read into a block; also how large the rest of a block must be for that. */
export const scratchBytes = 64 * 1024;

/** How often what was received is told. */
export const reportMilliseconds = 250;
/** How often a source looks again at blocks that are asked for and that it did not hold. */
export const rescanMilliseconds = 200;
/** How many of them at once. */
export const rescanBlocks = 256;
/** A block that is asked for and neither held nor coming is refused after this long: the news of it may be on its way. */
export const absentGraceMilliseconds = 1_500;
/** A handed-over block of a file set that the agent was not told of yet waits so long for the controller's word. */
export const unknownFileSetMilliseconds = 15_000;
/** How often it is tried again meanwhile, unless there is news. */
export const unknownRetryMilliseconds = 250;
/** A connection without any lane, or whose peer takes nothing, is closed after this long. */
export const idleConnectionMilliseconds = 60_000;

/** Lanes of one connection. */
export const maximumLanesPerConnection = 1_024;
/** Streams (file sets and orders) of one lane. */
export const maximumStreamsPerLane = 256;
/** Requests of one lane that wait. */
export const maximumRequestsPerLane = 4_096;
/** Ranges of one lane that tickets allow. */
export const maximumAllowedRanges = 200_000;
/** Batches that one connection has handed over and that are not answered yet. */
export const maximumPushedBatches = 256;
/** Lanes that a source remembers the tickets of, to know a ticket that it has seen before. */
export const maximumRememberedLanes = 65_536;
/** What a publisher hands over on one lane and is not acknowledged yet. */
export const maximumUnacknowledgedBytes = 32 * 1024 * 1024;
