"""Servers on this machine that alerts are sent to: HTTP that answers as told, and a mail server."""

from __future__ import annotations

import json
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Heard:
    """What came, and the HTTP statuses with which the next ones are answered (200 when none is left)."""

    def __init__(self) -> None:
        self.url = ""
        self.port = 0
        self.answers: list[tuple[int, dict[str, str]]] = []
        self.came: list[tuple[str, Any]] = []
        self._some = threading.Condition()

    def note(self, where: str, what: Any) -> None:
        with self._some:
            self.came.append((where, what))
            self._some.notify_all()

    def wait(self, count: int, seconds: float = 20.0) -> None:
        """Until so many have come."""
        with self._some:
            assert self._some.wait_for(lambda: len(self.came) >= count, seconds), self.came


@contextmanager
def http() -> Iterator[Heard]:
    heard = Heard()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            status, headers = heard.answers.pop(0) if heard.answers else (200, {})
            self.send_response(status)
            for name, value in ({"Content-Length": "2"} | headers).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(b"{}")
            heard.note(f"{status} {self.path}", body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        heard.port = server.server_address[1]
        heard.url = f"http://127.0.0.1:{heard.port}"
        with _serving(server):
            yield heard


@contextmanager
def mail(refuse: str = "") -> Iterator[Heard]:
    """A mail server as far as a client needs one. `refuse` names the command that it turns down."""
    heard = Heard()

    class Handler(socketserver.StreamRequestHandler):
        def say(self, text: str) -> None:
            self.wfile.write(f"{text}\r\n".encode())

        def handle(self) -> None:
            self.say("220 here")
            to: list[str] = []
            while line := self.rfile.readline().decode().strip():
                command = line.split(":")[0].split(" ")[0].upper()
                if command == refuse:
                    self.say("550 no")
                elif command == "EHLO":
                    self.say("250-here\r\n250 AUTH PLAIN")
                elif command == "AUTH":
                    heard.note("auth", line)
                    self.say("235 welcome")
                elif command == "RCPT":
                    to.append(line)
                    self.say("250 fine")
                elif command == "DATA":
                    self.say("354 go on")
                    lines = []
                    while (part := self.rfile.readline().decode()) != ".\r\n":
                        lines.append(part)
                    heard.note("mail", (to, "".join(lines)))
                    self.say("250 taken")
                elif command == "QUIT":
                    self.say("221 bye")
                    return
                else:
                    self.say("250 fine")

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        heard.port = server.server_address[1]
        with _serving(server):
            yield heard


@contextmanager
def _serving(server: socketserver.BaseServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
