/**
 * The rows that the event stream and the views of a live page are made of. A row is always whole: a newer one with the
 * same key replaces it. Rates are bits per second on the wire, sizes bytes of content, dates milliseconds since 1970.
 */
import { z } from "zod";
import { fileSetStatusSchema } from "../agent-messages.ts";

const count = z.int().min(0);
const rate = count.describe("Bits per second on the wire");
const capability = rate.nullable().describe("Bits per second on the wire; null: no limit is stated");
const dateMilliseconds = count.describe("Milliseconds since 1970");
const secondsLeft = z.number().min(0).nullable();

/** What is allocated and measured of one resource. */
export const usageSchema = z.object({
  capabilityBitsPerSecond: capability,
  /** Rates of lanes, each times how long the lane had it: a mean over the last seconds, as is what came through. */
  allocatedBitsPerSecond: rate,
  measuredBitsPerSecond: rate,
});
export type Usage = z.infer<typeof usageSchema>;

export const controllerRowSchema = z
  .object({
    term: count,
    agentsOnline: count,
    agentsKnown: count,
    lanes: count.describe("Lanes that run now"),
    /** Since this controller started. */
    lanesOpened: count,
    lanesEnded: count,
    lanesFailed: count,
    receivedBitsPerSecond: rate.describe("What all agents receive together"),
    outOfUse: count.describe("Components that are out of use"),
    waitsForAgents: z.boolean().describe("Just started: nothing is scheduled until agents are back"),
  })
  .meta({ id: "ControllerRow" });
export type ControllerRow = z.infer<typeof controllerRowSchema>;

export const siteRowSchema = z
  .object({
    site: z.string(),
    agentsOnline: count,
    agentsKnown: count,
    uplink: usageSchema,
    downlink: usageSchema,
    withinBitsPerSecond: rate.describe("What the site's agents receive from one another"),
    outOfUse: z.boolean().describe("Its uplink or downlink is out of use"),
  })
  .meta({ id: "SiteRow", description: "A site; key: site" });
export type SiteRow = z.infer<typeof siteRowSchema>;

export const siteLinkRowSchema = z
  .object({
    link: z.string().describe("FROM>TO"),
    from: z.string(),
    to: z.string(),
    through: z.array(z.string()).describe("Named resources that the path uses beside the sites' uplink and downlink"),
    lanes: count,
    /** The least of what lies on the path. */
    capabilityBitsPerSecond: capability,
    allocatedBitsPerSecond: rate,
    measuredBitsPerSecond: rate,
    outOfUse: z.boolean(),
  })
  .meta({
    id: "SiteLinkRow",
    description:
      "What goes from one site to another; only pairs in use or with a path stated in the topology; key: link",
  });
export type SiteLinkRow = z.infer<typeof siteLinkRowSchema>;

export const resourceRowSchema = z
  .object({
    resource: z.string(),
    kind: z.enum(["siteUplink", "siteDownlink", "link", "nicUp", "nicDown", "component"]),
    owner: z.string().describe("The site, agent or link that it belongs to"),
    capabilityBitsPerSecond: capability,
    allocatedBitsPerSecond: rate,
    measuredBitsPerSecond: rate,
    carriedBytes: count.describe("Bytes of content that came over it since this controller started"),
    failures: count,
    outOfUse: z.boolean(),
    reason: z.string().optional().describe("The last failure, or what is suspected"),
    retryInSeconds: z.number().min(0).optional().describe("When it is tried again by itself, if it is out of use"),
  })
  .meta({ id: "ResourceRow", description: "A resource, or a component that has failed; key: resource" });
export type ResourceRow = z.infer<typeof resourceRowSchema>;

export const heldBackBySchema = z
  .object({
    resource: z.string().nullable().describe("The name of the resource; null: several together, or none with a limit"),
    text: z.string().describe("For people: `the downlink of site iad`"),
    /** No schedule can be faster than this from now on. */
    secondsAtLeast: z.number().min(0),
  })
  .meta({ id: "HeldBackBy" });
export type HeldBackBy = z.infer<typeof heldBackBySchema>;

export const fileSetRowSchema = z
  .object({
    fileSet: z.string().describe("NAME@VERSION"),
    name: z.string(),
    version: z.string(),
    state: z.enum(["publishing", "published"]),
    active: z.boolean(),
    paused: z.boolean(),
    growing: z.boolean(),
    selector: z.string(),
    priority: z.int(),
    sequence: count,
    files: count,
    blocks: count,
    totalBytes: count,
    createdAtMilliseconds: dateMilliseconds,
    targets: count,
    held: count.describe("Targets that hold all of it, verified and durable"),
    offline: count,
    stalled: count,
    heldBytes: count.describe("Bytes that targets hold"),
    wantedBytes: count.describe("targets x totalBytes"),
    rateBitsPerSecond: rate.describe("How fast heldBytes rises now"),
    secondsLeft: secondsLeft.describe("At this rate, and not below what no schedule can beat; null: not known"),
    heldBackBy: heldBackBySchema.nullable().describe("What limits it now; null: nothing is missing, or not known"),
  })
  .meta({ id: "FileSetRow", description: "One version of a file set; key: fileSet" });
export type FileSetRow = z.infer<typeof fileSetRowSchema>;

export const agentRowSchema = z
  .object({
    agent: z.string(),
    site: z.string(),
    labels: z.record(z.string(), z.string()),
    address: z.string(),
    online: z.boolean(),
    drained: z.boolean(),
    blocked: z.boolean(),
    outOfUse: z.boolean(),
    /** One word for the whole of it, the worst first. */
    state: z.enum(["blocked", "offline", "stalled", "fetching", "drained", "idle"]),
    fileSetsHeld: count.describe("File sets that it should hold and holds"),
    fileSetsWanted: count.describe("File sets that it should hold"),
    heldBytes: count.describe("Of what it should hold"),
    wantedBytes: count,
    lanesIn: count,
    lanesOut: count,
    inBitsPerSecond: rate,
    outBitsPerSecond: rate,
    failures: count,
    freeDiskBytes: count.nullable(),
  })
  .meta({ id: "AgentRow", description: "An agent; key: agent" });
export type AgentRow = z.infer<typeof agentRowSchema>;

export const flowRowSchema = z
  .object({
    flow: z.string().describe("SOURCE>TARGET"),
    source: z.string(),
    target: z.string(),
    sourceSite: z.string().nullable().describe("null: a publisher that did not say where it is"),
    targetSite: z.string(),
    publisher: z.boolean().describe("The source is a publisher that hands over"),
    lanes: count,
    allocatedBitsPerSecond: rate,
    measuredBitsPerSecond: rate,
    pendingBytes: count.describe("Queued and not yet reported"),
    fileSets: z.array(z.string()),
  })
  .meta({ id: "FlowRow", description: "The lanes from one source to one target, together; key: flow" });
export type FlowRow = z.infer<typeof flowRowSchema>;

export const failureRowSchema = z
  .object({
    failure: z.string().describe("A number that rises"),
    atMilliseconds: dateMilliseconds,
    reporter: z.string().describe("The agent that saw it"),
    kind: z.string(),
    component: z.string().describe("The component that it is put down to"),
    certain: z.boolean().describe("false: a suspicion, which a probe settles"),
    alsoSuspected: z.array(z.string()),
    source: z.string().nullable(),
    fileSet: z.string().nullable(),
    detail: z.string(),
  })
  .meta({ id: "FailureRow", description: "A failure as an agent reported it, newest last; key: failure" });
export type FailureRow = z.infer<typeof failureRowSchema>;

export const targetRowSchema = z
  .object({
    agent: z.string(),
    site: z.string(),
    online: z.boolean(),
    target: z.boolean().describe("Whether it should hold it"),
    status: z.union([fileSetStatusSchema, z.literal("unknown")]),
    heldBytes: count,
    current: z.boolean().describe("`current` points here on this agent"),
    problem: z.string().optional(),
  })
  .meta({ id: "TargetRow", description: "An agent's progress in one file set; key: agent" });
export type TargetRow = z.infer<typeof targetRowSchema>;

export const siteProgressRowSchema = z
  .object({ site: z.string(), targets: count, held: count, heldBytes: count, wantedBytes: count })
  .meta({ id: "SiteProgressRow", description: "A site's progress in one file set; key: site" });
export type SiteProgressRow = z.infer<typeof siteProgressRowSchema>;

export const rarityRowSchema = z
  .object({
    holders: count.describe("So many agents hold each of these blocks"),
    blocks: count,
    examples: z
      .array(z.object({ firstBlock: count, lastBlock: count, path: z.string().describe("The file of firstBlock") }))
      .describe("Some of them, for the rarest only"),
  })
  .meta({ id: "RarityRow", description: "How many blocks are held by how many agents, rarest first" });
export type RarityRow = z.infer<typeof rarityRowSchema>;

export const progressSampleSchema = z
  .object({
    sample: z.string().describe("Its date as text: the key"),
    atMilliseconds: dateMilliseconds,
    heldBytes: count,
    wantedBytes: count,
    held: count,
    targets: count,
  })
  .meta({ id: "ProgressSample", description: "How far a file set was at a time, oldest first; key: sample" });
export type ProgressSample = z.infer<typeof progressSampleSchema>;

export const atBestSchema = z
  .object({
    fromMilliseconds: dateMilliseconds,
    heldBytes: count.describe("What targets held then"),
    secondsAtLeast: z.number().min(0).describe("From then on, no schedule could bring the rest sooner"),
  })
  .meta({ id: "AtBest", description: "The time that no schedule beats, as it was when transfers began" });
export type AtBest = z.infer<typeof atBestSchema>;

export const usageSampleSchema = z
  .object({
    sample: z.string().describe("Its date as text: the key"),
    atMilliseconds: dateMilliseconds,
    ...usageSchema.shape,
  })
  .meta({ id: "UsageSample", description: "What a resource was used for at a time, oldest first; key: sample" });
export type UsageSample = z.infer<typeof usageSampleSchema>;

export const agentFileSetRowSchema = z
  .object({
    fileSet: z.string(),
    target: z.boolean(),
    status: z.union([fileSetStatusSchema, z.literal("unknown")]),
    heldBytes: count,
    totalBytes: count,
    current: z.boolean(),
    problem: z.string().optional(),
  })
  .meta({ id: "AgentFileSetRow", description: "One file set of an agent; key: fileSet" });
export type AgentFileSetRow = z.infer<typeof agentFileSetRowSchema>;
