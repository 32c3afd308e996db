"""One InfluxDB, through influxdb-client: lines go in, InfluxQL is asked. Whose fault a failure is, is told apart."""

import asyncio
import json
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from influxdb_client.client.influxdb_client_async import InfluxDBClientAsync
from influxdb_client.rest import ApiException

from monitor.config.settings import Influx
from monitor.store.steps import HistoryError

REFUSED = frozenset({400, 413, 422})
"""The server does not want these lines, or not so many at once; any other failure may pass."""
TIMEOUT_SECONDS = 15.0
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class RefusedError(HistoryError):
    """The server refuses what it was sent."""


class AwayError(HistoryError):
    """The server cannot be reached, or cannot answer now. ``after``: seconds that it asks to be left alone."""

    def __init__(self, sentence: str, after: float = 0.0) -> None:
        super().__init__(sentence)
        self.after = after


class Server:
    """A connection that is made when it is needed."""

    def __init__(self, place: Influx, timeout: float = TIMEOUT_SECONDS) -> None:
        self.place = place
        self._timeout = timeout
        self._made: Any = None  # the library's async half has no types

    def _client(self) -> Any:
        if self._made is None:
            place = self.place
            user, _, password = place.token.partition(":") if place.v1 else ("", "", "")
            self._made = InfluxDBClientAsync(
                place.url,
                token="" if user else place.token,
                org=place.org or "-",
                timeout=int(self._timeout * 1000),
                # on the way to another machine five times fewer bytes are worth the CPU
                enable_gzip=urlsplit(place.url).hostname not in LOOPBACK,
                ssl_ca_cert=place.ca or None,
            )
            if user:
                basic = aiohttp.BasicAuth(user, password).encode()
                self._made.api_client.set_default_header("Authorization", basic)
        return self._made

    async def write(self, lines: bytes) -> None:
        """Send lines with times in microseconds; raises RefusedError, AwayError."""
        client, place = self._client(), self.place
        if place.v1:
            query = [("db", place.bucket), ("precision", "u")]
            await self._answered(self._call("/write", "POST", query, lines))
        else:
            await self._answered(client.write_api().write(place.bucket, place.org or "-", lines, "us"))

    async def ask(self, influxql: str) -> list[dict[str, Any]]:
        """Ask a question; return its series, tags as a dict, times in microseconds. Raises RefusedError, AwayError."""
        query = [("db", self.place.bucket), ("epoch", "u"), ("q", influxql)]
        answer = await self._answered(self._call("/query", "GET", query, None))
        results = (json.loads(answer) if isinstance(answer, str) else answer)["results"]
        if wrong := [result["error"] for result in results if "error" in result]:
            raise RefusedError(wrong[0])
        return [series for result in results for series in result.get("series", ())]

    def _call(self, path: str, method: str, query: list[tuple[str, str]], body: bytes | None) -> Any:
        headers = {"Content-Type": "text/plain; charset=utf-8"} if body else {"Accept": "application/json"}
        return self._client().api_client.call_api(
            path,
            method,
            query_params=query,
            header_params=headers,
            body=body,
            response_type="object" if body is None else None,
            _return_http_data_only=True,
        )

    async def _answered(self, call: Any) -> Any:
        try:
            return await call
        except ApiException as error:
            said = f"{urlsplit(self.place.url).netloc} answers {error.status}: {_reason(error)}"
            if error.status in REFUSED:
                raise RefusedError(said) from error
            raise AwayError(said, _after(error)) from error
        except (aiohttp.ClientError, OSError, TimeoutError, asyncio.IncompleteReadError) as error:
            raise AwayError(f"{urlsplit(self.place.url).netloc}: {error or type(error).__name__}") from error

    async def close(self) -> None:
        """Give the connections back; waits for nothing."""
        if self._made is not None:
            made, self._made = self._made, None
            await made.close()


def _reason(error: ApiException) -> str:
    body = error.body or b""
    text = body.decode("utf-8", "replace") if isinstance(body, bytes) else str(body)
    return " ".join(text.split())[:200] or str(error.reason)


def _after(error: Any) -> float:
    said = (error.headers or {}).get("Retry-After", "")
    return float(said) if str(said).isdigit() else 0.0
