package changefeed

import "encoding/json"

// What a message gives the consumer, if anything.
func (f *feed) itemOf(message message) Item {
	switch message.Type {
	case "nomad.feed.hello":
		return f.greet(message)
	case "nomad.feed.error":
		f.said = parseProblem(message.Data)
		return nil
	case "nomad.feed.bookmark":
		bookmark := &Bookmark{frame: frame{message.text}}
		if !f.notices[NoticeBookmark] || !parseData(message, bookmark) {
			return nil
		}
		return bookmark
	case "nomad.feed.gap":
		gap := &Gap{frame: frame{message.text}}
		parseData(message, gap)
		return gap
	case "nomad.feed.snapshot":
		mark := &SnapshotMark{frame: frame{message.text}}
		parseData(message, mark)
		return mark
	}
	if message.Cursor != "" {
		return message.event()
	}
	if f.isBeforeSnapshotEnd && message.Subject != "" {
		return message.object()
	}
	return nil
}

func (f *feed) greet(message message) Item {
	connected := &Connected{Again: f.wasConnected.Load()}
	if !parseData(message, connected) {
		return nil
	}
	f.wasConnected.Store(true)
	f.isConnected = true
	f.isBeforeSnapshotEnd = f.asked.get("snapshot") == "true" ||
		(connected.Gap && f.asked.get("onexpired") == string(ExpiredSnapshot))
	if !f.notices[NoticeConnected] {
		return nil
	}
	return connected
}

// False where the data is none.
func parseData(message message, into any) bool {
	err := json.Unmarshal(message.Data, into)
	return err == nil || isKindMismatch(err)
}
