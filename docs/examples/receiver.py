"""A webhook consumer in thirty lines: python3 docs/examples/receiver.py SECRET [PORT]

Verifies the signature over the raw body, then prints the event. Needs nothing but Python.
"""

import hashlib
import hmac
import json
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer

SECRET = sys.argv[1].encode()
PORT = int(sys.argv[2]) if len(sys.argv) > 2 else 9000


class Inbox(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        expected = hmac.new(SECRET, body, hashlib.sha256).hexdigest()
        genuine = hmac.compare_digest(expected.encode(), self.headers.get("X-Aureum-Signature", "").encode())
        self.send_response(204 if genuine else 400)
        self.end_headers()
        print("signature", "is right" if genuine else "IS WRONG", flush=True)
        if genuine:
            print(json.dumps(json.loads(body), indent=2), flush=True)

    def log_message(self, format: str, *args: object) -> None:
        pass


with HTTPServer(("127.0.0.1", PORT), Inbox) as server:
    print(f"Listening on http://127.0.0.1:{server.server_port}/", flush=True)
    server.serve_forever()
