"""Type real code key by key through the real language server, as an editor does: `aigc-lsp replay`.

`replay_scenes` says what is typed, `replay_typist` with which keys, `replay_play` types and accepts, `replay_count`
says what it came to, `replay_page` draws it; `replay_subjects` and `replay_llama` are those who are typed to.

The model server runs in a folder of its own, with default settings but for those in the environment, so that the user's
is neither asked nor stopped and what it has learned of the user decides nothing.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

from aigc_lsp import catalogue
from aigc_lsp.measure import machine
from aigc_lsp.measure.figures import Report
from aigc_lsp.measure.ours import OurServer
from aigc_lsp.measure.replay_count import figures, typed_by_machine
from aigc_lsp.measure.replay_llama import LlamaVim
from aigc_lsp.measure.replay_play import Moment, Played, Typing, play
from aigc_lsp.measure.replay_scenes import Scene, Wanted, scenes
from aigc_lsp.measure.replay_subjects import LanguageServer
from aigc_lsp.service.client import EngineClient

Said = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Replay:
    """A run: `ours` has a scene for each that was typed, and `peer` the same ones where there was a peer."""

    report: Report
    ours: tuple[Played, ...]
    peer: tuple[Played, ...] = ()
    peer_name: str = ""

    def to_json(self) -> dict[str, Any]:
        return {**self.report.to_json(), "scenes": [_summary(each) for each in self.ours + self.peer]}


def run(
    names: Sequence[str],
    wanted: Wanted,
    typing: Typing,
    model_name: str,
    into: Path,
    peer: str = "",
    log: Path | None = None,
    say: Said = lambda _: None,
) -> Replay:
    """Type all scenes of `names`, to us and, where `peer` is `llama-server=URL`, to it: scene by scene in turn, so that
    what else the machine does meanwhile meets both. `log`: a line of JSON for each answer, written as they come.

    Raises `UsageError`, `FetchFailed`, `ModelMissing` or `EngineUnavailable`.
    """
    model = catalogue.load(model_name)
    other = LlamaVim.connect(peer, model) if peer else None
    with scenes(names, wanted, into) as found:
        say(f"{len(found)} scenes, {sum(scene.characters for scene in found):,} characters")
        server = OurServer(model, threads=0)
        try:
            ours, theirs = asyncio.run(_all(found, typing, server.environment, other, log, say))
        finally:
            server.close()
    facts = machine.describe(model.name, model.sha256) | asdict(typing) | {"scenes": len(found)}
    against = other.name if other else ""
    peers = (other.describe(),) if other else ()
    return Replay(Report(tuple(figures(ours, theirs, against)), facts, peers), tuple(ours), tuple(theirs), against)


async def _all(
    found: Sequence[Scene],
    typing: Typing,
    environment: Mapping[str, str],
    other: LlamaVim | None,
    log: Path | None,
    say: Said,
) -> tuple[list[Played], list[Played]]:
    client = EngineClient(Path(environment["AIGC_LSP_RUNTIME_DIR"], "engine.sock"))
    subject = LanguageServer({**os.environ, **environment}, (await client.health()).pid, client)
    ours, theirs = list[Played](), list[Played]()
    file = log.open("w", encoding="utf-8") if log else None
    try:
        for scene in found:
            ours.append(await play(subject, scene, typing, say))
            if file is not None:
                write_log(file, ours[-1])
            if other is not None:
                theirs.append(await play(other, scene, typing, say))
                await other.rest()
    finally:
        if file is not None:
            file.close()
        await subject.close()
        await client.close()
        if other is not None:
            await other.close()
    return ours, theirs


def write_log(file: IO[str], played: Played) -> None:
    for row in rows(played):
        file.write(json.dumps(row, ensure_ascii=False) + "\n")
    file.flush()


def rows(played: Played) -> Iterator[dict[str, Any]]:
    """What is logged of each answer, shown or not. `truth` is what comes at the cursor, `truth_line` the rest of the
    line; `fits` (whole, line or empty) and `right_characters` say how much of `shown` is it."""
    for moment in played.moments:
        if moment.is_answered:
            yield _row(played.scene, moment)


def _row(scene: Scene, moment: Moment) -> dict[str, Any]:
    said = asdict(moment)
    cost = said.pop("cost")
    cost["pieces"] = [list(piece) for piece in moment.cost.pieces]
    return {
        "file": scene.name,
        "language": scene.language,
        **said,
        "truth_line": moment.truth.split("\n", 1)[0],
        **cost,
    }


def _summary(played: Played) -> dict[str, Any]:
    """One scene, without source text but for what was shown."""
    return {
        "subject": played.subject,
        "name": played.scene.name,
        "language": played.scene.language,
        "characters": played.scene.characters,
        "passages": len(played.scene.passages),
        "requests": len(played.moments),
        "typed_by_machine": typed_by_machine([played]),
        "seconds": round(played.seconds, 1),
        "cpu_seconds": round(played.cpu_seconds, 1),
        "model_requests": played.model_requests,
        "shown": [asdict(shown) for shown in played.shown],
    }
