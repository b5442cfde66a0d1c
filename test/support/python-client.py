"""Reads a stream with Python's standard library only: python-client.py sse|ndjson|websocket URL."""

import base64
import hashlib
import json
import os
import socket
import struct
import sys
import urllib.parse
import urllib.request


def show(text):
    event = json.loads(text)
    phase = event["data"].get("phase", "")
    print(f"{event['type']} {phase}".rstrip(), flush=True)


def read_sse(url):
    request = urllib.request.Request(url, headers={"Accept": "text/event-stream"})
    with urllib.request.urlopen(request) as response:
        for line in response:
            if line.startswith(b"data: "):
                show(line[len(b"data: ") :])
    return "end"


def read_ndjson(url):
    request = urllib.request.Request(url, headers={"Accept": "application/x-ndjson"})
    with urllib.request.urlopen(request) as response:
        for line in response:
            show(line)
    return "end"


def read_websocket(url):
    address = urllib.parse.urlsplit(url)
    key = base64.b64encode(os.urandom(16)).decode()
    connection = socket.create_connection((address.hostname, address.port))
    connection.sendall(
        (
            f"GET {address.path}?{address.query} HTTP/1.1\r\nHost: {address.netloc}\r\n"
            "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Protocol: cloudevents.json\r\n\r\n"
        ).encode()
    )
    stream = connection.makefile("rb")
    status = stream.readline()
    assert b" 101 " in status, status
    headers = {}
    for line in iter(stream.readline, b"\r\n"):
        name, value = line.decode().split(":", 1)
        headers[name.lower()] = value.strip()
    digest = hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()
    assert headers["sec-websocket-accept"] == base64.b64encode(digest).decode()
    while True:
        first, length = stream.read(2)
        assert first & 0x80, "no fragments are expected"
        assert not length & 0x80, "a server does not mask"
        if length == 126:
            (length,) = struct.unpack("!H", stream.read(2))
        elif length == 127:
            (length,) = struct.unpack("!Q", stream.read(8))
        payload = stream.read(length)
        opcode = first & 0x0F
        if opcode == 1:
            show(payload)
        elif opcode == 8:
            (code,) = struct.unpack("!H", payload[:2])
            return f"end {code} {headers['sec-websocket-protocol']}"


readers = {"sse": read_sse, "ndjson": read_ndjson, "websocket": read_websocket}
print(readers[sys.argv[1]](sys.argv[2]), flush=True)
