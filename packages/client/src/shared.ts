export { ClientOptionInvalid, StreamRefused, type RefusalReason } from "./errors.ts";
export {
  isAbout,
  type Bookmark,
  type ChangeEventOf,
  type Connected,
  type ControlEvent,
  type Disconnected,
  type Gap,
  type Item,
  type NoticeType,
  type SnapshotMark,
  type SnapshotObject,
  type TypeName,
} from "./items.ts";
export type { Loss, OnExpired, SubscribeOptions } from "./options.ts";
export type { ConsumeOptions, Consumption } from "./consume.ts";
export { originalText } from "./original-text.ts";
export type { RetryOptions } from "./retry.ts";
export type { NomadObject, StateChange } from "./state-fold.ts";
export type { Subscription } from "./subscription.ts";
export type { NomadStub } from "../../../src/schemas/nomad-stubs.ts";
export type { ResourceType } from "../../../src/schemas/resources.ts";
export type { Severity } from "../../../src/schemas/severity.ts";
export type { IncompleteObject } from "./whole-items.ts";
export type { WatchedState, WatchStateOptions } from "./watch-state.ts";
