"""A client of Nomad's event stream by python-nomad: prints each event, a line of JSON, until it is killed.

Arguments: the index to begin with, then topics such as Job:* or Allocation:web.
"""

import json
import os
import sys
import urllib.parse

import nomad

address = urllib.parse.urlparse(os.environ["NOMAD_ADDR"])
client = nomad.Nomad(host=address.hostname, port=address.port, token=os.environ.get("NOMAD_TOKEN"))
stream, _, frames = client.event.stream.get_stream(
    index=int(sys.argv[1]), topic=sys.argv[2:] or None, namespace="*", timeout=None
)
stream.daemon = True
stream.start()
while True:
    for event in frames.get()["Events"]:
        print(json.dumps(event), flush=True)
