/** What a race is: a scenario that real programs run in the lab, and what they are told of its links. */
import type { Topology } from "#src/model/topology.ts";
import type { Scenario } from "#src/simulator/scenario.ts";

/** A TCP flow that is none of the tools' and takes what it gets. */
export interface CompetingFlow {
  readonly from: string;
  readonly to: string;
}

export interface Race {
  readonly name: string;
  /** Its topology is what the kernel holds the links to. */
  readonly scenario: Scenario;
  /** What the controller is given: the same, where the race says nothing else. */
  readonly declared: Topology;
  /** Whether the race says something else. */
  readonly declaresOther: boolean;
  /** False: the kernel limits nothing. */
  readonly shaped: boolean;
  readonly competing: readonly CompetingFlow[];
}
