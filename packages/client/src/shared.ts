export { applyChanges, undoChanges } from "./apply-changes.ts";
export { ClientOptionInvalid, StreamRefused, type RefusalReason } from "./errors.ts";
export {
  isAbout,
  type Bookmark,
  type ChangeEventOf,
  type Connected,
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
export { placementReasons, type PlacementFailures } from "./placement.ts";
export type { RetryOptions } from "./retry.ts";
export type { NomadObject, StateChange } from "./state-fold.ts";
export type { Subscription } from "./subscription.ts";
export type { NomadStub } from "./nomad-stubs.ts";
export type {
  ControlEvent,
  JsonChange,
  NodeDetails,
  ResourceType,
  Severity,
  SpecChange,
  SpecDiff,
  SpecVersion,
  TaskLog,
} from "./wire.ts";
export type { IncompleteObject } from "./whole-items.ts";
export type { WatchedState, WatchStateOptions } from "./watch-state.ts";
export { feedApi, type AlertTest, type FeedApi, type FeedApiOptions, type NewSilence } from "./feed-api.ts";
export { RequestFailed } from "./request-failed.ts";
export type { EventPage, FeedEvent, HistoryPage } from "./event-pages.ts";
export type { CountsQuery, EventsQuery, HistoryQuery, Order, StateQuery } from "./queries.ts";
export type { StateRead } from "./state-read.ts";
export type * from "./answers.ts";
