"""When a server elsewhere may be asked, and what to say of its refusals."""

from __future__ import annotations

import email.utils
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from aigc_lsp.errors import EngineUnavailable
from aigc_lsp.service.remote_place import Place

BACKOFF_SECONDS = (1.0, 2.0, 5.0, 10.0, 30.0)
TOKEN_SECONDS = 60.0
"""A token that was refused is no better in a second."""
LIMIT_SECONDS = 10.0
"""Where a server that limits does not say for how long."""
MOST_LIMIT_SECONDS = 3600.0


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why there is no answer, as a sentence that says what to do; `seconds`: for at least so long nothing is asked."""

    reason: str
    seconds: float = 0.0
    is_limit: bool = False


class Declined(Exception):
    """The server answers, and says no."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.reason)
        self.refusal = refusal


class Gate:
    """Shut for a while by each refusal, longer after each; an answer opens it."""

    def __init__(self) -> None:
        self._refusal = Refusal("")
        self._refusals = 0
        self._opens_at = 0.0

    @property
    def shut_by(self) -> Refusal | None:
        return self._refusal if self.seconds > 0 else None

    @property
    def seconds(self) -> float:
        """Until it opens."""
        return max(0.0, self._opens_at - time.monotonic())

    def check(self) -> None:
        """Raises `EngineUnavailable` while it is shut."""
        if found := self.shut_by:
            raise EngineUnavailable(found.reason)

    def shut(self, refusal: Refusal) -> None:
        backoff = BACKOFF_SECONDS[min(self._refusals, len(BACKOFF_SECONDS) - 1)]
        self._refusal, self._refusals = refusal, self._refusals + 1
        self._opens_at = time.monotonic() + max(refusal.seconds, 0.0 if refusal.is_limit else backoff)

    def open(self) -> None:
        self._refusals, self._opens_at = 0, 0.0


def declined(status: int, headers: Mapping[str, str], kind: str, place: Place) -> Refusal:
    """What an answer with an error `status` means. `kind` is the server's own word for it, or empty."""
    server, token_env = place.origin, place.token_env
    said = f"{status}, {kind}" if kind else str(status)
    pause = _retry_after(headers.get("retry-after", ""))
    if status == 429 or (status == 503 and pause is not None):
        seconds = LIMIT_SECONDS if pause is None else pause
        return Refusal(
            f"{server} limits how often it is asked ({status}): nothing is for {math.ceil(seconds)} s.", seconds, True
        )
    if status in (401, 403) and token_env:
        reason = f"{server} refuses the token in {token_env} ({said}). Look at engine.token_env and at that variable."
        return Refusal(reason, TOKEN_SECONDS)
    if status in (401, 403):
        reason = (
            f"{server} wants a token ({said}). Put one into an environment variable, and name it in engine.token_env."
        )
        return Refusal(reason, TOKEN_SECONDS)
    if 300 <= status < 400:
        there = urlsplit(headers.get("location", "")).netloc.rpartition("@")[2]
        elsewhere = f" to {there[:80]}" if there else ""
        return Refusal(f"{server} sends us on{elsewhere}, and we do not follow. Set engine.url to the right address.")
    if status == 404:
        return Refusal(
            f"{server} has no such path or model ({said}). Look at engine.url, engine.api and engine.remote_model."
        )
    if 400 <= status < 500:
        return Refusal(
            f"{server} does not take our requests ({said}). Look at engine.api, engine.fim, engine.remote_model and at "
            "the budgets under context, which may be more than it has room for."
        )
    return Refusal(f"{server} cannot answer ({said}). Its own log says why.")


def trouble(error: Exception, server: str) -> Refusal:
    """Why no answer came, or none that can be read."""
    import httpx

    if isinstance(error, TimeoutError):
        return Refusal(f"{server} does not answer in time. Look whether it is busy, or raise engine.timeout_ms.")
    if isinstance(error, httpx.ProxyError):
        return Refusal(f"The proxy on the way to {server} lets nothing through. Look at HTTPS_PROXY and NO_PROXY.")
    if "CERTIFICATE_VERIFY_FAILED" in str(error):
        return Refusal(
            f"The certificate of {server} cannot be trusted. SSL_CERT_FILE may name a file of others that can."
        )
    if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
        return Refusal(f"No server answers at {server}. Start it, or look at engine.url.")
    if isinstance(error, httpx.HTTPError | OSError):
        return Refusal(f"{server} broke off ({type(error).__name__}). Its own log says why.")
    return Refusal(f"{server} gives answers that make no sense. Look at engine.url and engine.api.")


def _retry_after(value: str) -> float | None:
    """Seconds, from a number or a date; None where it is neither."""
    try:
        seconds = float(value)
    except ValueError:
        try:
            seconds = email.utils.parsedate_to_datetime(value).timestamp() - time.time()
        except (ValueError, OverflowError):
            return None
    return min(max(seconds, 1.0), MOST_LIMIT_SECONDS) if math.isfinite(seconds) else None
