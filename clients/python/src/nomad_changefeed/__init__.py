"""Follows a nomad-changefeed: typed events, across restarts and retention, at the consumer's own pace."""

from ._consume import Consumption, consume
from ._options import Loss, SubscribeOptions
from ._retry import RetryOptions
from ._state import IncompleteObject, NomadObject, StateChange, WatchedState, WatchStateOptions, watch_state
from ._subscription import Subscription, subscribe, subscribe_sync
from .api import EventPage, FeedApi, HistoryPage, StateRead, feed_api
from .changes import apply_changes, undo_changes
from .errors import ChangefeedError, ClientOptionInvalid, ClientStopped, RequestFailed, StreamRefused
from .items import (
    Bookmark,
    ChangeEvent,
    Connected,
    ControlEvent,
    Disconnected,
    Event,
    Gap,
    Item,
    SnapshotMark,
    SnapshotObject,
    is_about,
    original_text,
)
from .wire import ChangeData, JsonChange, Resource

__all__ = [
    "Bookmark",
    "ChangeData",
    "ChangeEvent",
    "ChangefeedError",
    "ClientOptionInvalid",
    "ClientStopped",
    "Connected",
    "Consumption",
    "ControlEvent",
    "Disconnected",
    "Event",
    "EventPage",
    "FeedApi",
    "Gap",
    "HistoryPage",
    "IncompleteObject",
    "Item",
    "JsonChange",
    "Loss",
    "NomadObject",
    "RequestFailed",
    "Resource",
    "RetryOptions",
    "SnapshotMark",
    "SnapshotObject",
    "StateChange",
    "StateRead",
    "StreamRefused",
    "SubscribeOptions",
    "Subscription",
    "WatchStateOptions",
    "WatchedState",
    "apply_changes",
    "consume",
    "feed_api",
    "is_about",
    "original_text",
    "subscribe",
    "subscribe_sync",
    "undo_changes",
    "watch_state",
]
