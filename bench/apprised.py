"""The same messages by apprise, for `bench/messages.py`: `python -m bench.apprised FOLDER`, asked on stdin.

One URL for each message, as one must who wants to know what became of each; all are handed over at once.
"""

import asyncio
import json
import logging
import sys
import time
from typing import Any
from urllib.parse import urlsplit

import apprise

TEXT = "1 MAJOR: Cable C1 down, Barbados, since 14:05 AST. Call the landing station."


def urls(asked: dict[str, Any]) -> list[str]:
    gateway = urlsplit(asked["gateway"])
    login = "-username=lambi&-password=kannel-secret&-smsc=FAKE"
    found = []
    for n in range(asked["contacts"]):
        found += [
            f"form://{gateway.netloc}{gateway.path}?method=GET&{login}&-to=%2B1246555{n:04}&:message=text&:title=&:type=&:version=",
            f"mailto://127.0.0.1:{asked['mail']}/?from=lambi@watch.example&to=c{n}@operator.example&mode=insecure",
        ]
    return found


async def tell(url: str) -> bool:
    one = apprise.Apprise()
    one.add(url)
    return bool(await one.async_notify(body=TEXT, title=TEXT))


async def main() -> None:
    logging.getLogger("apprise").setLevel(logging.CRITICAL)
    asked = json.loads(sys.stdin.read())
    cpu, began = time.process_time(), time.monotonic()
    taken = await asyncio.gather(*map(tell, urls(asked)))
    print(json.dumps({"seconds": time.monotonic() - began, "cpu": time.process_time() - cpu, "taken": sum(taken)}))


if __name__ == "__main__":
    asyncio.run(main())
