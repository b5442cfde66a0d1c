// A client of Nomad's event stream by Nomad's own Go package: prints each event, a line of JSON, until it is killed.
// Arguments: the index to begin with, then topics such as Job:* or Allocation:web.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/hashicorp/nomad/api"
)

func main() {
	index, err := strconv.ParseUint(os.Args[1], 10, 64)
	check(err)
	topics := map[api.Topic][]string{}
	for _, argument := range os.Args[2:] {
		topic, key, _ := strings.Cut(argument, ":")
		topics[api.Topic(topic)] = append(topics[api.Topic(topic)], key)
	}
	client, err := api.NewClient(api.DefaultConfig())
	check(err)
	frames, err := client.EventStream().Stream(context.Background(), topics, index, &api.QueryOptions{Namespace: "*"})
	check(err)
	out := json.NewEncoder(os.Stdout)
	for frame := range frames {
		check(frame.Err)
		for _, event := range frame.Events {
			check(out.Encode(event))
		}
	}
}

func check(err error) {
	if err == nil {
		return
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
