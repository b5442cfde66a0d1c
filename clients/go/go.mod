module example.com/nomad-changefeed/changefeed

go 1.19

require github.com/coder/websocket v1.8.13
