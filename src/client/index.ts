/** What `import ... from "sluice"` gives: the client for programs, and the types of what it answers. */
export { connect, Sluice } from "./sluice.ts";
export type {
  ConnectOptions,
  GrowingFileOptions,
  KindOfTopic,
  PublishPathOptions,
  VersionOptions,
  WaitForOptions,
} from "./sluice.ts";
export type { FollowOptions } from "./event-stream.ts";
export { GrowingFile } from "./growing-file.ts";
export { ClientError } from "./client-error.ts";
export type { ClientErrorKind } from "./client-error.ts";
export { ControllerClient } from "./controller-client.ts";
export { PublishError } from "../services/publisher/publish-error.ts";
export type { PublishErrorKind } from "../services/publisher/publish-error.ts";
export type { PublishProgress, PublishResult } from "../services/publisher/publish-options.ts";
export type { WaitProgress, WaitResult } from "../services/publisher/wait-for-targets.ts";
export { UserError } from "../std/errors.ts";
export { applyEvent } from "../protocol/api/apply-event.ts";
export type { AnyTopicData, DeltaEvent, LiveEvent, SnapshotEvent, TopicData } from "../protocol/api/events.ts";
export type { TopicKind } from "../protocol/api/topics.ts";
export type * from "../protocol/api/rows.ts";
export type { PlanView } from "../protocol/plan-views.ts";
export type {
  AgentView,
  FileList,
  ResourceView,
  StatusView,
  VersionDetail,
  VersionSummary,
} from "../protocol/views.ts";
