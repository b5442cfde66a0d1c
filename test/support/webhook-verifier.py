"""Checks requests of a webhook with what others wrote: one JSON object a line, answers each with "ok" or why not.

{"headers": {...}, "body": "...", "secret": "whsec_..."}       by the package standardwebhooks: v1
{"headers": {...}, "body": "...", "public": "<base64>"}        by the package cryptography: v1a
"""

import base64
import json
import sys

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from standardwebhooks import Webhook


def check_v1(request):
    Webhook(request["secret"]).verify(request["body"], request["headers"])


def check_v1a(request):
    headers = request["headers"]
    content = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.{request['body']}".encode()
    key = Ed25519PublicKey.from_public_bytes(base64.b64decode(request["public"]))
    signatures = [text[4:] for text in headers["webhook-signature"].split(" ") if text.startswith("v1a,")]
    assert len(signatures) == 1, headers
    key.verify(base64.b64decode(signatures[0]), content)


for line in sys.stdin:
    request = json.loads(line)
    try:
        (check_v1 if "secret" in request else check_v1a)(request)
        print("ok", flush=True)
    except Exception as error:  # whatever says that it does not verify
        print(f"{type(error).__name__}: {error}", flush=True)
