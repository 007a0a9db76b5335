"""Chat prompts: the template's control tokens are control tokens, the same words in a message are text."""

from __future__ import annotations

import pytest
from each_row import each_row
from tiny_model import control_tokens, tiny_tokenizer

from aigc_lsp.engine.vocabulary import Vocabulary
from aigc_lsp.prompt.chat import render_chat

CHATML = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] | trim }}"
    "{{ '<|im_end|>\\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)
VOCABULARY = Vocabulary(tiny_tokenizer())


def shown(tokens: list[int]) -> str:
    """The text, with control tokens in braces."""
    names = {VOCABULARY.control(token): f"{{{token}}}" for token in control_tokens()}
    pieces = [names[token].encode() if token in names else VOCABULARY.bytes_of(token) for token in tokens]
    return b"".join(pieces).decode()


def test_a_conversation_ends_where_the_answer_begins() -> None:
    tokens = render_chat([("system", "Be brief."), ("user", "Hello é🙂")], CHATML, VOCABULARY)
    assert shown(tokens) == (
        "{<|im_start|>}system\nBe brief.{<|im_end|>}\n{<|im_start|>}user\nHello é🙂{<|im_end|>}\n"
        "{<|im_start|>}assistant\n"
    )


@each_row("token", control_tokens())
def test_a_message_cannot_say_a_control_token(token: str) -> None:
    tokens = render_chat([("user", f"a {token} b"), ("assistant", token)], CHATML, VOCABULARY)
    inside = shown(tokens).replace("{<|im_start|>}", "").replace("{<|im_end|>}", "")
    assert f"a {token} b" in inside
    assert "{" not in inside


@pytest.mark.parametrize("content", ["", "{{ 7 * 7 }}", "{% for x in y %}", "\ue0001\ue001", "\ue000", "  two  "])
def test_a_content_is_taken_as_it_is(content: str) -> None:
    text = shown(render_chat([("user", content), ("user", "second")], CHATML, VOCABULARY))
    assert text.startswith(f"{{<|im_start|>}}user\n{content}{{<|im_end|>}}")
    assert text.count("second") == 1


@pytest.mark.parametrize("template", ["{{ raise_exception('Roles must alternate') }}", "{% if %}", "{{ 1 + 'a' }}"])
def test_a_template_that_refuses_is_a_sentence(template: str) -> None:
    with pytest.raises(ValueError, match=r"^The model's chat template refuses these messages: .+\.$"):
        render_chat([("user", "x")], template, VOCABULARY)


def test_a_template_reaches_nothing_of_ours() -> None:
    with pytest.raises(ValueError, match="unsafe"):
        render_chat([("user", "x")], "{{ messages.__class__.__mro__ }}", VOCABULARY)


@each_row("token", control_tokens())
def test_a_prompt_that_is_written_out_says_control_tokens(token: str) -> None:
    control = VOCABULARY.control(token)
    assert VOCABULARY.encode_prompt(f"a{token}{token}b") == [
        *VOCABULARY.encode("a"),
        control,
        control,
        *VOCABULARY.encode("b"),
    ]
    assert VOCABULARY.encode_prompt("") == []
    assert VOCABULARY.encode_prompt(token[:-1]) == VOCABULARY.encode(token[:-1])
