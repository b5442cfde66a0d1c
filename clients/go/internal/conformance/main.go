// Command conformance does what test/conformance/README.md asks of a client: a JSON line in, a JSON line out, until there
// are no more.
package main

import (
	"bufio"
	"encoding/json"
	"io"
	"log"
	"os"

	"example.com/nomad-changefeed/changefeed"
)

// What there is to do.
type task struct {
	Do         string
	URL        string
	Options    options
	LeaveAfter int
	StopAfter  int
	Query      json.RawMessage
	Object     string
	Changes    string
}

type outcome map[string]any

func main() {
	lines := bufio.NewReader(os.Stdin)
	answers := json.NewEncoder(os.Stdout)
	for {
		line, err := lines.ReadBytes('\n')
		if err == io.EOF {
			return
		}
		check(err)
		var given task
		check(json.Unmarshal(line, &given))
		check(answers.Encode(do(given)))
	}
}

func do(given task) outcome {
	switch given.Do {
	case "subscribe", "consume":
		return follow(given)
	case "watchState":
		return watch(given)
	case "applyChanges", "undoChanges":
		return change(given)
	default:
		return read(given)
	}
}

func change(given task) outcome {
	var changes []changefeed.JSONChange
	check(json.Unmarshal([]byte(given.Changes), &changes))
	turn := changefeed.ApplyChanges
	if given.Do == "undoChanges" {
		turn = changefeed.UndoChanges
	}
	changed, err := turn(json.RawMessage(given.Object), changes)
	if err != nil {
		return outcome{"failed": true}
	}
	return outcome{"object": changed}
}

// Of what cannot go wrong here.
func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
