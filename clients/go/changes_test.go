package changefeed_test

import (
	"encoding/json"
	"errors"
	"testing"

	"example.com/nomad-changefeed/changefeed"
)

func changesOf(t *testing.T, text string) []changefeed.JSONChange {
	t.Helper()
	var changes []changefeed.JSONChange
	if err := json.Unmarshal([]byte(text), &changes); err != nil {
		t.Fatal(err)
	}
	return changes
}

func TestChangesKeepEveryDigitAndWhatTheyDoNotTouch(t *testing.T) {
	before := `{"b":1795434687866379238,"a":{ "kept" : [1.10, 1e2] },"t":"\u00fc <&>","n":9007199254740993}`
	after := `{"b":1795434687866379239,"a":{ "kept" : [1.10, 1e2] },"t":"\u00fc <&>","n":9007199254740993,"new":"<&>"}`
	changes := changesOf(t, `[{"path":"/b","from":1795434687866379238,"to":1795434687866379239},{"path":"/new","to":"<&>"}]`)
	made, err := changefeed.ApplyChanges(json.RawMessage(before), changes)
	if err != nil || string(made) != after {
		t.Errorf("%s, %v", made, err)
	}
	undone, err := changefeed.UndoChanges(json.RawMessage(after), changes)
	if err != nil || string(undone) != before {
		t.Errorf("%s, %v", undone, err)
	}
}

func TestNumbersAreComparedByWhatTheyAreWorth(t *testing.T) {
	for _, same := range []bool{true, false} {
		pairs := [][2]string{{"1", "1.0"}, {"100", "1e2"}, {"-0", "0"}, {"0.10", "1E-1"}, {"1e400", "10e399"}}
		if !same {
			pairs = [][2]string{{"1795434687866379238", "1795434687866379239"}, {"1", "-1"}, {"1", "10"}, {"1e400", "1e401"}}
		}
		for _, pair := range pairs {
			changes := []changefeed.JSONChange{{Path: "/a", From: json.RawMessage(pair[1]), To: json.RawMessage("2")}}
			_, err := changefeed.ApplyChanges(json.RawMessage(`{"a":`+pair[0]+`}`), changes)
			if same != (err == nil) || (err != nil && !errors.Is(err, changefeed.ErrOtherVersion)) {
				t.Errorf("%v: %v", pair, err)
			}
		}
	}
}
