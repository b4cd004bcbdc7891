"""A network between a worker and its broker that is slow, stalls and resets: a TCP proxy on the loopback interface."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from typing import Any

CHUNK = 64 << 10


class Proxy:
    """Passes bytes on to `target`, both ways.

    Args:
        target: `host:port`.
        delay_s: of every piece, each way.
    """

    def __init__(self, target: str, delay_s: float = 0.0) -> None:
        self.host, _, port = target.rpartition(":")
        self.target_port = int(port)
        self.delay_s = delay_s
        self.port = 0
        self.connections = 0
        self._stalled_until = 0.0
        self._writers: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> Proxy:
        self._thread.start()
        self._call(self._open())
        return self

    def __exit__(self, *_: object) -> None:
        self.reset()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)

    def stall(self, seconds: float) -> None:
        """Let nothing pass for so long, with all connections open."""
        self._stalled_until = self._loop.time() + seconds

    def reset(self) -> None:
        """Break off every connection."""
        self._call(self._abort())

    def _call(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _open(self) -> None:
        server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]

    async def _abort(self) -> None:
        for writer in self._writers:
            writer.transport.abort()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            far_reader, far_writer = await asyncio.open_connection(self.host, self.target_port)
        except OSError:
            writer.transport.abort()
            return
        await asyncio.gather(self._pass_on(reader, far_writer), self._pass_on(far_reader, writer))

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            while data := await reader.read(CHUNK):
                await asyncio.sleep(max(self.delay_s, self._stalled_until - self._loop.time()))
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        finally:
            self._writers.discard(writer)
            writer.close()
