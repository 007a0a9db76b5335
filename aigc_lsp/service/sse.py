"""What a server sends, read within a bound: a body, or server-sent events. Of these only `data` counts, and each of
its lines is an event of its own, as all model servers have it."""

from __future__ import annotations

from collections.abc import AsyncIterator

NONSENSE = (ValueError, TypeError, AttributeError, LookupError, RecursionError)
"""What comes of reading an answer that is not of the shape it should have."""


class TooLong(ValueError):
    """More bytes than any answer has."""


async def whole(chunks: AsyncIterator[bytes], most: int) -> bytes:
    """All of `chunks`. Raises `TooLong` behind `most` bytes."""
    body = bytearray()
    async for chunk in chunks:
        body += chunk
        if len(body) > most:
            raise TooLong(f"more than {most} bytes")
    return bytes(body)


async def events(chunks: AsyncIterator[bytes], most: int) -> AsyncIterator[str]:
    """The data of each event in `chunks`. Raises `TooLong` behind `most` bytes, lines or none."""
    size, line = 0, bytearray()
    async for chunk in chunks:
        size += len(chunk)
        if size > most:
            raise TooLong(f"more than {most} bytes")
        line += chunk
        while (end := line.find(b"\n")) >= 0:
            name, _, value = bytes(line[:end]).partition(b":")
            del line[: end + 1]
            if name == b"data":
                yield value.decode("utf-8", "replace").strip()
