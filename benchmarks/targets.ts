/** What the scenarios are to reach. A target is on one figure of one scenario; figures.ts says how each is worked out. */
import type { FigureName } from "./figures.ts";

export interface Target {
  readonly scenario: string;
  readonly figure: FigureName;
  /** The figure is to be at most this. */
  readonly atMost?: number;
  /** The figure is to be this, to two decimals. */
  readonly exactly?: number;
}

export const targets: readonly Target[] = [
  { scenario: "one-site-16", figure: "overOptimum", atMost: 1.015 },
  { scenario: "one-site-100", figure: "overOptimum", atMost: 1.015 },
  { scenario: "one-site-1000", figure: "overOptimum", atMost: 1.015 },
  { scenario: "one-site-100-fine", figure: "overOptimum", atMost: 1.01 },
  { scenario: "four-sites", figure: "ratio", atMost: 1.015 },
  { scenario: "four-sites", figure: "copies", exactly: 3 },
  { scenario: "four-sites-uneven", figure: "ratio", atMost: 1.05 },
  { scenario: "ten-sites-half", figure: "ratio", atMost: 1.03 },
  { scenario: "ten-sites-half", figure: "copies", exactly: 9 },
  { scenario: "ten-sites-two", figure: "ratio", atMost: 1.045 },
  { scenario: "ten-sites-ten", figure: "ratio", atMost: 1.04 },
  { scenario: "ten-sites-one", figure: "ratio", atMost: 1.05 },
  { scenario: "ten-sites-near", figure: "ratio", atMost: 1.05 },
  { scenario: "hundred-sites-half", figure: "ratio", atMost: 1.045 },
  { scenario: "hundred-sites-half", figure: "copies", exactly: 99 },
  { scenario: "hundred-sites", figure: "ratio", atMost: 1.02 },
  { scenario: "unequal-uplinks", figure: "ratio", atMost: 1.01 },
  { scenario: "unequal-uplinks", figure: "copies", exactly: 7 },
  { scenario: "unequal-egress", figure: "ratio", atMost: 1.05 },
  { scenario: "unequal-uploads", figure: "ratio", atMost: 1.03 },
  { scenario: "several-origins", figure: "ratio", atMost: 1.05 },
  { scenario: "small-files", figure: "ratio", atMost: 1.05 },
  { scenario: "jitter", figure: "ratio", atMost: 1.08 },
  { scenario: "kraken", figure: "p50Seconds", atMost: 10.2 },
  { scenario: "kraken", figure: "p999Seconds", atMost: 10.3 },
  { scenario: "dragonfly", figure: "makespanSeconds", atMost: 8.3 },
  { scenario: "cloudcast-aws", figure: "ratio", atMost: 1.02 },
  { scenario: "gscale", figure: "meanOverDirect", atMost: 1 / 2 },
  { scenario: "gscale", figure: "meanOverRandom", atMost: 1 / 1.3 },
  { scenario: "gscale", figure: "p99OverDirect", atMost: 1 },
  { scenario: "gscale", figure: "p99OverRandom", atMost: 1 },
  { scenario: "latency", figure: "overLatencyNone", atMost: 1.02 },
  { scenario: "straggler", figure: "healthyRatio", atMost: 1.04 },
  { scenario: "churn", figure: "healthyRatio", atMost: 1.08 },
  { scenario: "growing", figure: "ratio", atMost: 1.02 },
];

/** Those that end within seconds: `npm test` runs them and compares them with the baseline. */
export const quickScenarios: readonly string[] = [
  ...["one-site-16", "one-site-100", "four-sites", "four-sites-uneven", "unequal-uplinks", "unequal-egress"],
  ...["several-origins", "latency-none", "latency", "growing", "straggler"],
];
