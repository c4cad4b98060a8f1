/** What the controller shows of a stored schedule (claim 8). */
import { z } from "zod";

const count = z.int().min(0);

const planStepViewSchema = z
  .object({
    source: z.string(),
    start: count.describe("The first block"),
    end: count.describe("Behind the last block"),
    rateBitsPerSecond: count,
    startSeconds: z.number().describe("When it was predicted to begin, since the plan's beginning"),
  })
  .meta({ id: "PlanStepView" });

export const planViewSchema = z
  .object({
    fileSet: z.string(),
    madeAtMilliseconds: count,
    predictedSeconds: z.number().describe("How long all of it was predicted to take"),
    isWhole: z
      .boolean()
      .describe("False: it had too many steps, or not everything could be had; the rest is decided on when it is due"),
    transfers: count,
    storedBytes: count,
    counts: z
      .object({ following: count, left: count, done: count })
      .describe("Targets that follow it, that have left it because reality differed, and that hold everything"),
    begun: count.describe("Transfers that were instructed from it since the controller started"),
    agents: z.array(
      z.object({
        agent: z.string(),
        state: z.enum(["following", "left", "done"]),
        transfers: count,
        firstSeconds: z.number(),
        lastSeconds: z.number(),
      }),
    ),
    steps: z.array(planStepViewSchema).optional().describe("Of the agent that was asked for, in order"),
  })
  .meta({ id: "PlanView" });
export type PlanView = z.infer<typeof planViewSchema>;
