/** The modes of scheduling, and the policies by which sources are chosen, by the names that users give them. */

/** `incremental`: on each event, looking only at what has changed (claims 6, 35). */
export const schedulingModes = ["incremental"] as const;
export type SchedulingMode = (typeof schedulingModes)[number];

/** `cost`: the cost function chooses (claim 30). */
export const schedulingPolicies = ["cost"] as const;
export type SchedulingPolicy = (typeof schedulingPolicies)[number];
