"""What takes the messages and the TCP connections of one benchmark world: `python -m bench.sink LOG PORT TCP_PORT`.

It answers any request as Kannel's sendsms does (202 "0: Accepted for delivery") and writes one JSON line for each:
the monotonic time of arrival, bytes, and the text (`text` of a GET) or body.
"""

import asyncio
import json
import sys
import time
from pathlib import Path
from typing import TextIO
from urllib.parse import parse_qs, urlsplit

ANSWER = b"HTTP/1.1 202 Accepted\r\nContent-Type: text/plain\r\nContent-Length: 26\r\n\r\n0: Accepted for delivery\r\n"


async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, log: TextIO) -> None:
    """Take the requests of one connection."""
    try:
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            at = time.monotonic()
            body = await reader.readexactly(_length(head))
            writer.write(ANSWER)
            await writer.drain()
            log.write(json.dumps({"at": at, **_said(head, body)}) + "\n")
            log.flush()
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


def _length(head: str) -> int:
    lines = (line.partition(":") for line in head.lower().splitlines())
    return next((int(value) for name, _, value in lines if name == "content-length"), 0)


def _said(head: str, body: bytes) -> dict[str, object]:
    if body:
        return {"bytes": len(body), "body": body.decode()}
    query = parse_qs(urlsplit(head.split(" ", 2)[1]).query, encoding="utf-8", errors="replace")
    text = query.get("text", [""])[0]
    return {"bytes": len(text), "text": text, "to": query.get("to", [""])[0]}


async def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A TCP target: the connection was all that was asked."""
    writer.close()


async def main(log: Path, port: int, tcp_port: int) -> None:
    with log.open("a") as lines:
        async with (
            await asyncio.start_server(lambda r, w: take(r, w, lines), "127.0.0.1", port),
            await asyncio.start_server(hang_up, "0.0.0.0", tcp_port, backlog=512) as tcp,  # noqa: S104 - in a namespace
        ):
            await tcp.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])))
