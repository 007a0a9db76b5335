"""What a run came to: its curve as SVG, and everything that it depends on as JSON."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from aigc_lsp import __version__
from aigc_lsp.adapt.checkpoint import State
from aigc_lsp.adapt.settings import Settings

FILE = "report.json"

WIDTH, HEIGHT, LEFT, BOTTOM, TOP = 720, 360, 56, 40, 30
SMOOTH = 20
"""Steps that the drawn loss is the mean of."""


def as_json(
    state: State,
    settings: Settings,
    identity: dict[str, Any],
    counts: dict[str, Any],
    before: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """All settings and seeds, digests, hardware, versions, tokens, and every evaluation; with `before`, the report of
    the run whose adapter this one began from, as it is."""
    return {
        "program": __version__,
        "settings": settings.to_json(),
        **identity,
        "data": counts,
        "steps": state.step,
        "tokens": state.tokens,
        "tokens_altogether": state.tokens + altogether(before or {}),
        "tokens_learnt": state.learnt,
        "training_seconds": round(state.seconds, 1),
        "tokens_per_second": round(state.tokens / state.seconds, 1) if state.seconds else None,
        "best": {"step": state.best_step, "held_out_loss": state.best_loss},
        "held_out": state.held,
        "losses": [[step, round(loss, 4)] for step, loss in state.losses],
        "hardware": hardware(settings.device),
        "versions": {"python": platform.python_version(), "torch": torch.__version__},
        **({"before": before} if before else {}),
    }


def altogether(found: Mapping[str, Any]) -> int:
    """Tokens of the run that `found` reports and of all before it."""
    return int(found.get("tokens_altogether", found.get("tokens", 0)))


def read(folder: Path) -> dict[str, Any] | None:
    """The report in `folder`; None where there is none that says how many tokens it is of."""
    try:
        found: dict[str, Any] = json.loads((folder / FILE).read_text(encoding="utf-8"))
        return found if altogether(found) else None
    except (OSError, ValueError, TypeError, AttributeError):
        return None


def hardware(device: str) -> dict[str, Any]:
    """What computed it, in the system's own words."""
    if device == "cuda":
        return {"device": torch.cuda.get_device_name(), "cores": os.cpu_count()}
    return {"device": _processor(), "cores": os.cpu_count(), "capability": torch.backends.cpu.get_cpu_capability()}


def _processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as stream:
            return next(line.split(":", 1)[1].strip() for line in stream if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def curve(state: State) -> str:
    """The training loss (smoothed) and the held-out loss by steps, and the held-out exact matches, as one SVG."""
    raw = [loss for _, loss in state.losses]
    smooth = [sum(raw[max(0, n - SMOOTH) : n + 1]) / len(raw[max(0, n - SMOOTH) : n + 1]) for n in range(len(raw))]
    trained = [(float(step), loss) for (step, _), loss in zip(state.losses, smooth, strict=True)]
    held = [(float(each["step"]), float(each["loss"])) for each in state.held]
    exact = [(float(each["step"]), float(each["exact"])) for each in state.held]
    last = max([1.0, *(step for step, _ in trained)])
    top = max([0.1, *(loss for _, loss in [*trained, *held])]) * 1.05
    marks = [top * n / 4 for n in range(5)]
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" '
            'font-size="12"><rect width="100%" height="100%" fill="white"/>',
            *(
                f'<line x1="{LEFT}" x2="{WIDTH - LEFT}" y1="{(y := _y(mark, top)):.1f}" y2="{y:.1f}" stroke="#ddd"/>'
                f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{mark:.2f}</text>'
                f'<text x="{WIDTH - LEFT + 6}" y="{y + 4:.1f}" fill="#2a7">{mark / top:.0%}</text>'
                for mark in marks
            ),
            _line(trained, last, top, "#88a", 1.0),
            _line(held, last, top, "#c33", 2.0),
            _line(exact, last, 1.0, "#2a7", 2.0),
            f'<text x="{LEFT}" y="18" fill="#88a">training loss (mean of {SMOOTH} steps)</text>'
            f'<text x="{LEFT + 230}" y="18" fill="#c33">held-out loss</text>'
            f'<text x="{LEFT + 340}" y="18" fill="#2a7">held-out exact matches (right)</text>',
            f'<text x="{WIDTH / 2}" y="{HEIGHT - 10}" text-anchor="middle">steps: {last:.0f}, '
            f"{state.tokens:,} tokens</text>",
            "</svg>\n",
        ]
    )


def _y(value: float, top: float) -> float:
    return HEIGHT - BOTTOM - value / top * (HEIGHT - BOTTOM - TOP)


def _line(points: Sequence[tuple[float, float]], last: float, top: float, colour: str, width: float) -> str:
    placed = " ".join(f"{LEFT + x / last * (WIDTH - 2 * LEFT):.1f},{_y(y, top):.1f}" for x, y in points)
    return f'<polyline points="{placed}" fill="none" stroke="{colour}" stroke-width="{width}"/>'
