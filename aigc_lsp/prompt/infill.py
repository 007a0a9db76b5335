"""Fill-in-the-middle prompts: one function of the text, the model's row and a budget.

Suffix first (SPM) puts what stays the same while typing before what grows, so that a keystroke only appends to the
prompt (Bavarian et al. 2022; order and healing measured in ARCHITECTURE.md). Segments run from the most stable to the
least (invariant 7): extra files and suffix, then the file's head, then the prefix.

Extra files stand before all else in a model's own tokens for that, or below comments that name their paths, where the
prefix begins: which of the two is in the model's row.

Token healing: the last word of the prefix may be half a token. Its tokens are taken off the prompt, and what they
spelled is returned as `heal`: the model must begin its answer with exactly those bytes, in whatever tokens it likes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from aigc_lsp.catalogue import FileTokens, Fim, Segment
from aigc_lsp.prompt.comments import path_comment

STEP = 128
"""Tokens: where the prompt must be shortened, its edges move in steps of this, so that typing does not shift them."""

HEAL_TOKENS = 4
"""At most so many tokens are taken back: a word that is longer is healed from within, at a whole character."""


class Encoding(Protocol):
    def encode(self, text: str) -> list[int]: ...
    def control(self, token: str) -> int: ...
    def bytes_of(self, id: int) -> bytes: ...


@dataclass(frozen=True, slots=True)
class ExtraFile:
    """Text from elsewhere, to stand before the hole's own file."""

    filename: str
    text: str


@dataclass(frozen=True, slots=True)
class Hole:
    """What is around the cursor. `prefix` and `suffix` meet there.

    `head` stands before the prefix, and stays where that is shortened: imports, and the headers of what the cursor is
    in. It is empty or ends with a newline.
    """

    prefix: str
    suffix: str
    extra: tuple[ExtraFile, ...] = ()
    filename: str = ""
    head: str = ""


@dataclass(frozen=True, slots=True)
class Prompt:
    tokens: tuple[int, ...]
    heal: bytes
    healed: tuple[int, ...]
    """The tokens that were taken back: those that spelled `heal`."""
    truncated: bool


def render(
    hole: Hole,
    fim: Fim,
    files: FileTokens | None,
    vocabulary: Encoding,
    *,
    prefix_budget: int,
    suffix_budget: int,
    extra_budget: int = 0,
    order: str | None = None,
    heal: bool | None = None,
) -> Prompt:
    """The prompt for `hole` in the model's own format. Budgets are in tokens; `order` and `heal` override its row.

    The prefix keeps its end and its head, the suffix its beginning; extra files are dropped whole from the front until
    they fit.
    """
    template = fim.templates[order or fim.order]
    head = _keep_beginning(vocabulary.encode(hole.head), prefix_budget // 2, vocabulary)
    prefix = vocabulary.encode(hole.prefix)
    suffix = vocabulary.encode(hole.suffix)
    kept_prefix = _keep_end(prefix, prefix_budget - len(head), vocabulary)
    kept_suffix = _keep_beginning(suffix, suffix_budget, vocabulary)
    truncated = len(kept_prefix) < len(prefix) or len(kept_suffix) < len(suffix)
    tail = healed_tokens(kept_prefix, vocabulary) if (fim.healing if heal is None else heal) else 0
    healed = tuple(kept_prefix[len(kept_prefix) - tail :])
    heal_bytes = b"".join(map(vocabulary.bytes_of, healed))
    before, within = _extra_tokens(hole, files, vocabulary, extra_budget)
    slots = {"prefix": [*within, *head, *kept_prefix[: len(kept_prefix) - tail]], "suffix": kept_suffix}
    tokens = before + _fill(template, slots, vocabulary)
    # A prompt of nothing at all (an empty file and a model without FIM tokens) still needs a token to run.
    return Prompt(tuple(tokens) or tuple(vocabulary.encode("\n")), heal_bytes, healed, truncated)


def healed_tokens(prefix: Sequence[int], vocabulary: Encoding) -> int:
    """How many of the last tokens spell an unfinished word: that word, or the run of blanks or signs, at the end.

    All of its tokens are taken back, not the last alone: "retur" is " ret" + "ur", while " return" is one token.
    """
    count = 0
    kind = ""
    for token in reversed(prefix[-HEAL_TOKENS:]):
        data = vocabulary.bytes_of(token)
        count += 1
        if not data:
            return count - 1
        kind = kind or _kind(data[-1:])
        if any(_kind(data[at : at + 1]) != kind for at in range(len(data))) or kind != "word":
            break  # the token reaches beyond the word's beginning, so the word ends here
    while 0 < count < len(prefix) and _is_continuation(vocabulary.bytes_of(prefix[-count])):
        count += 1
    return count


def _kind(byte: bytes) -> str:
    if byte.isalnum() or byte == b"_" or byte >= b"\x80":
        return "word"
    return "blank" if byte.isspace() else "sign"


def _fill(template: Sequence[Segment], slots: dict[str, list[int]], vocabulary: Encoding) -> list[int]:
    tokens: list[int] = []
    for segment in template:
        tokens += slots[segment.text] if segment.is_slot else [vocabulary.control(segment.text)]
    return tokens


def _extra_tokens(
    hole: Hole, files: FileTokens | None, vocabulary: Encoding, budget: int
) -> tuple[list[int], list[int]]:
    """Other files: the tokens before the hole's own file, and those where its prefix begins."""
    if not hole.extra or budget <= 0:
        return [], []
    if files is not None and files.format == "tokens":
        separator = [vocabulary.control(files.file_sep)]
        head = [vocabulary.control(files.repo_name), *vocabulary.encode("repository\n")]
        own = separator + vocabulary.encode(f"{hole.filename}\n") if hole.filename else separator
        blocks = [separator + vocabulary.encode(f"{file.filename}\n{file.text}\n") for file in hole.extra]
        return _fitting(head, blocks, own, budget), []
    named, end = _commented(hole)
    return [], _fitting([], list(map(vocabulary.encode, named)), vocabulary.encode(end), budget)


def commented_files(hole: Hole) -> str:
    """Other files below comments that say their paths, and then the path of the hole's own; empty without any."""
    named, own = _commented(hole)
    return "".join((*named, own)) if named else ""


def _commented(hole: Hole) -> tuple[list[str], str]:
    named = [f"{path_comment(file.filename)}{file.text}\n" for file in hole.extra]
    return named, f"\n{path_comment(hole.filename)}"


def _fitting(head: list[int], blocks: list[list[int]], end: list[int], budget: int) -> list[int]:
    while blocks and sum(map(len, [head, *blocks, end])) > budget:
        blocks.pop(0)
    return [*head, *(token for block in blocks for token in block), *end] if blocks else []


def _keep_end(tokens: list[int], budget: int, vocabulary: Encoding) -> list[int]:
    """The end of `tokens`, at most `budget` of them, begun at a whole character; the cut moves in steps."""
    if len(tokens) <= budget:
        return tokens
    step = min(STEP, max(1, budget // 4))
    start = -(-(len(tokens) - budget) // step) * step
    while start < len(tokens) and _is_continuation(vocabulary.bytes_of(tokens[start])):
        start += 1
    return tokens[start:]


def _keep_beginning(tokens: list[int], budget: int, vocabulary: Encoding) -> list[int]:
    """The beginning of `tokens`, at most `budget` of them, ended at a whole character."""
    end = max(0, min(len(tokens), budget))
    while 0 < end < len(tokens) and _is_continuation(vocabulary.bytes_of(tokens[end])):
        end -= 1
    return tokens[:end]


def _is_continuation(data: bytes) -> bool:
    """Whether a token begins inside a UTF-8 character."""
    return bool(data) and data[0] & 0xC0 == 0x80
