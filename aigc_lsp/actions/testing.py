"""Write a test for a function: its frame follows from the code and the project, what is called with which values, and
what is expected, is the model's.

Asked for a whole test in a chat the default model says the function again, invents imports and does not end. So it goes
on with an opening (`testing_forms`) for a few lines, with the function shown as another file.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from aigc_lsp.actions.answer import filled_in, secrets_of, turn_of
from aigc_lsp.actions.outcome import Placed, checked, with_line_ends
from aigc_lsp.actions.testing_forms import Form, Part, form_of
from aigc_lsp.actions.testing_place import PlaceOfTest
from aigc_lsp.config import Config
from aigc_lsp.context.document import Document
from aigc_lsp.context.secrets import masked, redact
from aigc_lsp.context.window import gather
from aigc_lsp.docstring.subject import Subject
from aigc_lsp.errors import ActionRefused
from aigc_lsp.polish.finish import finished
from aigc_lsp.polish.stop import rule_for, verdict
from aigc_lsp.service.backend import Backend
from aigc_lsp.service.wire import InfillRequest
from aigc_lsp.syntax import parse
from aigc_lsp.text import Edit, Span, Text

PART_TOKENS = 160
SHOWN_CHARACTERS = 2400
"""Of the file that is tested: all of it where it has no more, else the function or its class."""
SHOWN_TOKENS = 800
PREFIX_TOKENS, SUFFIX_TOKENS = 384, 64

NOTHING = "The model wrote no test that could be used, so nothing was changed."


@dataclass(frozen=True, slots=True)
class _Frame:
    """Where in a file the test goes, and what stands around its parts."""

    offset: int
    lead: str
    tail: str


async def write_test(
    document: Document, subject: Subject, place: PlaceOfTest, backend: Backend, config: Config
) -> Placed:
    """Raises `EngineUnavailable`, and `ActionRefused` where no test can be written, or none that is sound."""
    form = form_of(subject, document.text.source, place)
    before = place.before or Text("")
    source = before.source.replace("\r\n", "\n")
    existing = source if place.before is not None else None
    every = _imports(form, form.parts)
    frame = _frame(form, existing, subject.language, every)
    written, used = "", list[Part]()
    for part in form.parts:
        head = source[: frame.offset] + frame.lead + written
        said = await _said(document, subject, part, place, head, frame.tail + source[frame.offset :], backend, config)
        if said and not (used and said in written):  # what was right above is no error here
            used.append(part)
            gap = "\n\n" if subject.language == "python" and written else ""
            written += f"{gap}{part.opening}{said}\n{part.closing}"
    if not re.search(rf"\b{re.escape(form.calls)}\b", written):
        raise ActionRefused(NOTHING)
    imports = _imports(form, used)
    frame = _frame(form, existing, subject.language, imports)
    edits = _imported(imports, source, subject.language) if existing is not None else []
    edits.append(Edit(Span(frame.offset, frame.offset), frame.lead + written + frame.tail))
    edits = [_in_file(before, source, edit) for edit in edits]
    checked(subject.language, before, edits, config)
    return Placed(place.path, place.before, tuple(edits))


async def _said(
    document: Document,
    subject: Subject,
    part: Part,
    place: PlaceOfTest,
    head: str,
    tail: str,
    backend: Backend,
    config: Config,
) -> str:
    """What stands behind the opening of `part`, or "" where nothing sound is said."""
    offset = len(head) + len(part.opening)
    text = Text(f"{head}{part.opening}\n{part.closing}{tail}")
    there = Document(document.uri, place.path, subject.language, 0, text, parse(subject.language, text))
    if there.tree is None:
        return ""
    window = gather(
        Text(masked(text.source, subject.language)),
        offset,
        language=subject.language,
        path=place.relative,
        prefix_tokens=PREFIX_TOKENS,
        suffix_tokens=SUFFIX_TOKENS,
        tree=there.tree,
    )
    rule = rule_for(there.tree.place(offset), window, part.most_lines)
    if rule is None:
        return ""
    rule = replace(rule, is_block=True)
    secret = await secrets_of(document)
    request = InfillRequest(
        document=turn_of(document),
        filename=place.relative,
        input_head=redact(window.head, subject.language).text,
        input_prefix=window.prefix,
        input_suffix=window.suffix,
        input_extra=((place.subject, redact(_shown(document, subject), subject.language, secret).text),),
        n_predict=PART_TOKENS,
        model=config.model,
        prefix_tokens=PREFIX_TOKENS,
        suffix_tokens=SUFFIX_TOKENS,
        extra_tokens=SHOWN_TOKENS,
    )
    said = await filled_in(
        backend, config, request, about=there, is_enough=lambda said: verdict(said, rule) is not None
    )
    never = config.completion.never
    found = finished(said.text, (), rule, window, there, offset, ended=said.ended, asked=True, never=never)
    return found.insertion.text.rstrip()


def _shown(document: Document, subject: Subject) -> str:
    """What the model sees of the file that is tested."""
    source = document.text.source.replace("\r\n", "\n")
    if len(source) <= SHOWN_CHARACTERS or document.tree is None:
        return source[:SHOWN_CHARACTERS]
    scopes = document.tree.scopes(subject.header.start)
    owner = next((each for each in reversed(scopes) if each.kind == "class"), None)
    if owner is not None and len(owner.span) <= SHOWN_CHARACTERS:
        return document.text.slice(owner.span)
    return document.text.slice(subject.span)[:SHOWN_CHARACTERS]


def _imports(form: Form, parts: Sequence[Part]) -> tuple[str, ...]:
    """Libraries first."""
    return tuple(dict.fromkeys((*(line for part in parts for line in part.imports), *form.imports)))


def _frame(form: Form, source: str | None, language: str, imports: Sequence[str]) -> _Frame:
    """`source` is the text of the file that is there; None where it is to be made."""
    begin, end = form.around
    if source is None:
        return _Frame(0, form.joint.join(imports) + form.head + begin, end + "}\n" * (language == "java"))
    gap = "" if not source or source.endswith("\n") else "\n"
    if language == "python":
        main = re.search(r"^if __name__ ==", source, re.M)
        if main:
            return _Frame(main.start(), "", "\n\n")
        return _Frame(len(source), gap + "\n\n", "")
    if language == "rust" and not re.search(r"\bmod tests\s*\{", source):
        return _Frame(len(source), gap + form.head, "}\n")
    if language in ("java", "rust"):
        return _Frame(max(source.rstrip().rfind("}"), 0), "\n", "")
    return _Frame(len(source), gap + "\n" + begin, end)


def _imported(imports: Sequence[str], source: str, language: str) -> list[Edit]:
    """What brings those of `imports` that a file of tests lacks: libraries above its own, the others below."""
    missing = [line for line in imports if not _is_imported(line, source)]
    if not missing:
        return []
    text = Text(source)
    tree = parse(language, text)
    found = [each.span for each in tree.imports() if each.module != "__future__"] if tree is not None else []
    # What is imported deeper, in a function or a `try`, is nobody else's.
    spans = [span for span in found if text.line_start(text.line_at(span.start)) == span.start]
    if not spans:
        return [Edit(Span(0, 0), "\n".join(missing) + "\n\n")]
    first, last = text.line_start(text.line_at(spans[0].start)), text.line_end(text.line_at(spans[-1].end - 1))
    libraries = [line for line in missing if line.startswith("import ") and language == "python"]
    others = "".join(f"\n{line}" for line in missing if line not in libraries)
    edits = [Edit(Span(first, first), "\n".join(libraries) + "\n\n")] if libraries else []
    return edits + ([Edit(Span(last, last), others)] if others else [])


def _is_imported(line: str, source: str) -> bool:
    names = re.findall(r"\w+", line.rpartition("import")[2] if "from '" not in line else line.partition("from '")[0])
    wanted = [name for name in names if name not in ("import", "const", "require", "node", "strict", "assert")]
    if not wanted:
        return line in source
    imports = "\n".join(re.findall(r"^(?:from|import|const|\s+\w+,|\)).*$", source, re.M))
    return all(re.search(rf"\b{re.escape(name)}\b", imports) for name in wanted)


def _in_file(before: Text, source: str, edit: Edit) -> Edit:
    """`edit` of `source`, which has other line ends, in terms of `before`."""
    if before.source == source:
        return edit

    def there(offset: int) -> int:
        plain = Text(source)
        line = plain.line_at(offset)
        return before.line_start(line) + offset - plain.line_start(line)

    span = Span(there(edit.span.start), there(edit.span.end))
    return Edit(span, with_line_ends(before, edit.new_text))
