"""What `aigc-lsp status` says: who is asked for completions, whether it answers, and how it is.

`look` asks, and never raises for what a server does or does not do; `lines` are its answer for people, `to_json` for
programs.
"""

from __future__ import annotations

import asyncio
import statistics
from collections.abc import Iterator
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any

from aigc_lsp.config import Config, options
from aigc_lsp.errors import EngineUnavailable
from aigc_lsp.service.wire import HUNG_SECONDS, Health


@dataclass(frozen=True, slots=True)
class Status:
    url: str = ""
    """Of the server elsewhere that is asked; empty for the model server on this machine."""
    health: Health | None = None
    message: str = ""
    """Why there is no health."""
    is_running: bool = False
    """Whether a server is there, answering or not."""
    up_seconds: float | None = None
    differing: dict[str, tuple[Any, Any]] = field(default_factory=dict)
    """Options that the model server runs under and that are configured otherwise here: there, and here."""

    @property
    def is_hung(self) -> bool:
        stalled = self.health is not None and self.health.stalled_s > HUNG_SECONDS
        return stalled or (self.is_running and self.health is None)

    def to_json(self) -> dict[str, Any]:
        return {
            "running": self.is_running,
            "url": self.url,
            "message": self.message,
            "up_seconds": self.up_seconds,
            "differing": {key: {"there": there, "here": here} for key, (there, here) in self.differing.items()},
            "health": self.health.to_json() if self.health is not None else None,
        }


def look(config: Config) -> Status:
    """How the server that `config` names is."""
    return asyncio.run(_elsewhere(config) if config.engine.url else _here(config))


async def _here(config: Config) -> Status:
    from aigc_lsp.service import life, place

    client = life.connect()
    try:
        health = await client.health()
    except EngineUnavailable:
        if place.is_running():
            return Status(message="The model server does not answer; `aigc-lsp stop` ends it.", is_running=True)
        return Status(message="No model server is running.")
    finally:
        await client.close()
    return Status("", health, "", True, up_seconds(health.pid), differing(config, health))


async def _elsewhere(config: Config) -> Status:
    from aigc_lsp.service import remote

    url = config.engine.url
    try:
        backend = remote.connect(config)
        try:
            return Status(url, await anext(backend.watch()), "", True)
        finally:
            await backend.close()
    except EngineUnavailable as error:
        return Status(url, message=str(error))


def up_seconds(pid: int) -> float | None:
    """How long the process `pid` has run; None where there is none that can be asked."""
    import time

    import psutil

    try:
        return round(time.time() - psutil.Process(pid).create_time(), 1) if pid else None
    except psutil.Error:
        return None


def differing(config: Config, health: Health) -> dict[str, tuple[Any, Any]]:
    """Of the options that a running model server cannot change, those that are others in `config`."""
    from aigc_lsp.service.life import differing_settings

    return differing_settings(health.settings, {option.key: attrgetter(option.key)(config) for option in options()})


def lines(status: Status) -> list[str]:
    if status.health is None:
        return [status.message]
    return [f"{name:<14} {said}" for name, said in _rows(status, status.health)]


def _rows(status: Status, health: Health) -> Iterator[tuple[str, str]]:
    if status.url:
        yield "server", f"{status.url}, which answers; the model server of this machine is not used"
    else:
        up = f", up {_duration(status.up_seconds)}" if status.up_seconds is not None else ""
        yield "model server", f"process {health.pid}, version {health.version}{up}"
    yield "model", f"{health.model or 'unnamed'}: {_phase(health)}"
    if health.message:
        yield "", health.message
    if others := [name for name in health.loaded if name != health.model]:
        yield "in memory too", ", ".join(others)
    if health.device:
        yield "device", ", ".join(filter(None, [health.device, health.packing, f"profile {health.profile}"]))
    if health.resident_bytes:
        yield "memory", _memory(health)
    if not status.url:
        yield "clients", f"{health.clients}; {health.running} request(s) under way, {health.waiting} waiting"
        yield "answered", f"{health.requests}{_latency(health)}"
    if health.step_ms:
        yield "speed", f"{health.prefill_per_second:.0f} tokens/s read, {health.step_ms:.0f} ms a token written"
    if health.stalled_s > HUNG_SECONDS:
        yield "hung", f"no sign of life for {health.stalled_s:.0f} s; `aigc-lsp stop` ends it"
    if health.note:
        yield "note", health.note
    for key, (there, here) in status.differing.items():
        yield "setting", f"{key} is {there} there and {here} here; `aigc-lsp stop`, and the next one takes yours"


def _phase(health: Health) -> str:
    if health.phase == "idle":
        return "asleep, since nobody has asked for a while; the next request brings it back"
    return f"{health.phase}{f' {health.percentage} %' if health.percentage is not None else ''}"


def _memory(health: Health) -> str:
    said = f"{health.resident_bytes / 1e6:,.0f} MB resident"
    if not health.kv_budget_bytes:
        return said
    share = health.kv_bytes / health.kv_budget_bytes
    return f"{said}; KV cache {health.kv_bytes / 1e6:,.0f} of {health.kv_budget_bytes / 1e6:,.0f} MB ({share:.0%})"


def _latency(health: Health) -> str:
    if not health.latencies_ms:
        return ""
    first, end = (statistics.median(column) for column in zip(*health.latencies_ms, strict=True))
    last = health.latencies_ms[-1]
    return (
        f"; of the last {len(health.latencies_ms)} the median took {first:.0f} ms to the first text and {end:.0f} to "
        f"the end, the latest {last[0]:.0f} and {last[1]:.0f}"
    )


def _duration(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s" if minutes else f"{rest} s"
