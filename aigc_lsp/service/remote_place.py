"""Where a server elsewhere is, and the token for it: `engine.url` and `engine.token_env`, checked."""

from __future__ import annotations

import ipaddress
import os
from dataclasses import dataclass, field
from urllib.parse import SplitResult, urlsplit

from aigc_lsp.config import EngineConfig
from aigc_lsp.errors import EngineUnavailable


@dataclass(frozen=True, slots=True)
class Place:
    """`origin`: scheme, host and port, as messages name it. `path`: that of `engine.url`, no slash at its end."""

    origin: str
    path: str
    host: str
    token_env: str = ""
    token: str = field(default="", repr=False)

    @classmethod
    def of(cls, engine: EngineConfig) -> Place:
        """Raises `EngineUnavailable`, with what to set."""
        parts = _address(engine.url)
        origin = f"{parts.scheme}://{parts.netloc}"
        return cls(origin, parts.path.rstrip("/"), parts.hostname or "", engine.token_env, _token(engine.token_env))

    @property
    def netloc(self) -> str:
        return self.origin.partition("://")[2]

    @property
    def root(self) -> str:
        """The path of what stands beside `/v1`."""
        return self.path.removesuffix("/v1")

    @property
    def is_loopback(self) -> bool:
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"

    @property
    def warning(self) -> str:
        """What the user should know of the way there, as a sentence; "" where all is well."""
        if self.token and self.origin.startswith("http://") and not self.is_loopback:
            return f"The token and your code travel unencrypted to {self.host}: an https:// address would mend that."
        return ""


def _address(url: str) -> SplitResult:
    try:
        parts = urlsplit(url.strip())
        host = parts.hostname or ""
        is_address = parts.scheme in ("http", "https") and parts.port != 0 and bool(host.encode("idna"))
    except ValueError:
        is_address = False
    # A password would stand in messages, and so might a query.
    if not is_address or any(map(str.isspace, url)) or parts.username is not None or parts.query or parts.fragment:
        raise EngineUnavailable(
            "engine.url is no address of a server: http:// or https://, a name, perhaps a port and a path, and nothing "
            "else. A token goes into the environment variable that engine.token_env names."
        )
    return parts


def _token(variable: str) -> str:
    if not variable:
        return ""
    token = os.environ.get(variable, "").strip()
    if not token:
        raise EngineUnavailable(
            f"engine.token_env names the environment variable {variable}, which is not set where the language server "
            "was started. Set it there, and start the editor again."
        )
    if not token.isascii() or not token.isprintable() or " " in token:
        raise EngineUnavailable(f"The environment variable {variable} holds no token: that would be one word.")
    return token
