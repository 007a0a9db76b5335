"""Secrets that are known by their shape: tokens with a prefix, passwords in URLs, private keys.

detect-secrets gives the shapes that it knows; its checks over the network are never called, and its settings not used.
Its import takes a tenth of a second and 9 MB, so it comes with the first text that is looked at.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from aigc_lsp.context.secret_values import PLACEHOLDER, is_placeholder

# Ours, for what it lacks: what a line in lower case must hold, and an expression; its group or all of it is the secret.
_OWN = (
    (("eyj",), r"(?<![\w-])eyJ[\w-]{8,}={0,2}\.[\w-]{4,}={0,2}(?:\.[\w-]*){0,3}"),
    (("github_pat_",), r"github_pat_\w{22,}"),
    (("sk-",), r"sk-(?:ant|proj|svcacct|admin|or|lf|None)-[\w-]{20,}"),
    (("sk-",), r"sk-[A-Za-z0-9]{32,}"),
    (("akcp",), r"AKCp[A-Za-z0-9]{40,}"),
    (("hf_",), r"hf_[A-Za-z0-9]{30,}"),
    (("gsk_", "xai-", "pplx-"), r"(?:gsk_|xai-|pplx-)[A-Za-z0-9]{40,}"),
    (("r8_",), r"r8_[A-Za-z0-9]{37,}"),
    (("aiza",), r"AIza[\w-]{35}"),
    (("gocspx-",), r"GOCSPX-[\w-]{24,}"),
    (("ya29.",), r"ya29\.[\w-]{20,}"),
    (("1//0",), r"1//0[\w-]{40,}"),
    (("npm_",), r"npm_[A-Za-z0-9]{36}"),
    (("dckr_",), r"dckr_(?:pat|oat)_[\w-]{20,}"),
    (("shp",), r"shp(?:at|ca|pa|ss|ua)_[0-9a-fA-F]{32}"),
    (("dop_v1_", "doo_v1_", "dor_v1_"), r"do[opr]_v1_[0-9a-f]{64}"),
    (("k_test_", "k_live_"), r"[rs]k_(?:test|live)_[0-9a-zA-Z]{24,}"),
    (("whsec_",), r"whsec_[A-Za-z0-9+/=]{24,}"),
    (("xapp-", "xox"), r"(?:xapp|xox[a-z])-(?:\d-)?[\w-]{20,}"),
    (("sq0atp-", "eaaa"), r"sq0atp-[\w-]{22}|EAAA[\w-]{60}"),
    (("hvs.", "hvb."), r"hv[bs]\.[\w-]{24,}"),
    (("lin_api_",), r"lin_api_[A-Za-z0-9]{40}"),
    (("dapi",), r"dapi[0-9a-f]{32}"),
    (("pmak-",), r"PMAK-[0-9a-f]{24}-[0-9a-f]{34}"),
    (("nrak-",), r"NRAK-[A-Z0-9]{27}"),
    (("glsa_", "glc_"), r"glsa_[A-Za-z0-9]{32}_[0-9a-f]{8}|glc_[A-Za-z0-9+/=]{32,}"),
    (("sntrys_", "sntryu_"), r"sntrys_[A-Za-z0-9+/=_]{40,}|sntryu_[0-9a-f]{64}"),
    (("atatt3", "atctt3"), r"AT[AC]TT3[\w=-]{60,}"),
    (("pul-",), r"pul-[0-9a-f]{40}"),
    (("age-secret-key-",), r"AGE-SECRET-KEY-1[0-9A-Z]{58}"),
    (("key-",), r"key-[0-9a-f]{32}"),
    (("q~",), r"[\w.~-]{3}\dQ~[\w.~-]{31,34}"),
    (("sharedaccesskey=", "accountkey="), r"(?:SharedAccessKey|AccountKey)=([A-Za-z0-9+/]{40,}={0,2})"),
    (("sig=",), r"[?&]sig=([A-Za-z0-9%+/=]{40,})"),
    (("/webhooks/",), r"discord(?:app)?\.com/api/webhooks/\d+/([\w-]{60,})"),
    (("://",), r"://[^\s:/?#@\"'`<>]{0,64}:([^\s/@\"'`<>\[\]]{3,})@[\w\[]"),
)

_SHORTEST_TOKEN = 18
# What an expression leaves over: newer tokens are longer than they were once.
_REST = re.compile(r"[\w-]*")

# Private keys in PEM and in PuTTY's form; the group is a beginning.
_KEY_MARK = re.compile(
    r"(-----BEGIN [A-Z0-9 ]{0,24}PRIVATE KEY(?: BLOCK)?-----|Private-Lines: \d+)"
    r"|-----END [A-Z0-9 ]{0,24}PRIVATE KEY(?: BLOCK)?-----|Private-MAC:"
)
_KEY_LINES = re.compile(r"(?:[^\n]*[A-Za-z0-9+/=]{24}[^\n]*(?:\n|\Z)|[ \t\r]*\n|[ \t]*[\w-]+: [^\n]*\n)*")
_KEY_PIECE = re.compile(rf"{PLACEHOLDER}|\\[nr]|([A-Za-z0-9+/=]{{8,}})")
_ENCODED = re.compile(r"[A-Za-z0-9+/=]{24}")
_LONGEST_KEY = 16 * 1024


@dataclass(frozen=True, slots=True)
class Detector:
    """`expressions` are tried on the lines that hold one of `gates` in lower case, or on all if there are none.

    group  the part of a match that is the secret, where an expression has parts
    dense  whether a gate is in the secret or right before it, so that there are no blanks around it
    """

    gates: tuple[str, ...]
    expressions: tuple[re.Pattern[str], ...]
    group: int
    dense: bool


@cache
def detectors() -> Sequence[Detector]:
    """All of them, imported and compiled once.

    Those of detect-secrets are left out that find what is no secret (IP addresses), what `secret_values` finds
    (keywords, high entropy, IBM, Cloudant, SoftLayer), or not just the secret (Artifactory, npm, private keys), and
    that take minutes for a long line made for it (JSON web tokens, OpenAI).
    """
    from detect_secrets.plugins import (
        aws,
        azure_storage_key,
        basic_auth,
        discord,
        github_token,
        gitlab_token,
        mailchimp,
        pypi_token,
        sendgrid,
        slack,
        square_oauth,
        stripe,
        telegram_token,
        twilio,
    )

    gitlab = "glpat- gldt- glft- glsoat- glrt- glcbt- glimt- glptt- glagent- gloas- gr1348941"
    dense = (
        (azure_storage_key.AzureStorageKeyDetector(), "accountkey="),
        (github_token.GitHubTokenDetector(), "ghp_ gho_ ghu_ ghs_ ghr_"),
        (gitlab_token.GitLabTokenDetector(), gitlab),
        (mailchimp.MailchimpDetector(), "-us"),
        (pypi_token.PypiTokenDetector(), "pypi-"),
        (sendgrid.SendGridDetector(), "sg."),
        (slack.SlackDetector(), "xox hooks.slack.com"),
        (square_oauth.SquareOAuthDetector(), "sq0csp-"),
        (stripe.StripeDetector(), "k_live_"),
        (telegram_token.TelegramBotTokenDetector(), ":aa"),
    )
    others = (
        (aws.AWSKeyDetector(), "akia asia abia acca a3t aws"),
        (basic_auth.BasicAuthDetector(), "://"),
        (discord.DiscordBotTokenDetector(), ""),
        (twilio.TwilioKeyDetector(), ""),
    )
    return (
        *(Detector(tuple(gates.split()), tuple(plugin.denylist), 0, True) for plugin, gates in dense),
        *(Detector(tuple(gates.split()), tuple(plugin.denylist), 1, False) for plugin, gates in others),
        *(Detector(gates, (re.compile(shape),), 1, gates != ("://",)) for gates, shape in _OWN),
    )


def find(text: str, lowered: str) -> Iterator[tuple[int, int]]:
    """Where secrets are in `text`, in no order; `lowered` is the same text in lower case."""
    # Most texts hold no token at all. Looking for seventy gates takes longer than finding where one could be.
    dense = "\n".join([piece for piece in lowered.split() if len(piece) >= _SHORTEST_TOKEN])
    for detector in detectors():
        if detector.dense and not any(gate in dense for gate in detector.gates):
            continue
        for first, last in _lines_with(detector.gates, lowered):
            for expression in detector.expressions:
                for match in expression.finditer(text, first, last):
                    start, end = match.span(min(detector.group, expression.groups))
                    if not is_within(text, start) and not is_placeholder(text[start:end]):
                        rest = _REST.match(text, end)
                        yield start, rest.end() if rest else end
    if "private" in lowered:
        yield from _private_keys(text)


def _lines_with(gates: Sequence[str], lowered: str) -> Iterator[tuple[int, int]]:
    """Where the lines are that hold one of `gates`; all of the text where there are none."""
    if not gates:
        yield 0, len(lowered)
    for gate in gates:
        at = lowered.find(gate)
        while at >= 0:
            end = lowered.find("\n", at)
            end = end if end >= 0 else len(lowered)
            yield lowered.rfind("\n", 0, at) + 1, end
            at = lowered.find(gate, end)


def is_within(text: str, at: int) -> bool:
    """Whether the characters on both sides of `at` are letters or digits, so that what ends there is but a piece."""
    return text[at - 1 : at].isalnum() and text[at : at + 1].isalnum()


def _private_keys(text: str) -> Iterator[tuple[int, int]]:
    """The encoded lines of private keys, each for itself; where an end of a key is missing, those like it."""
    begun: int | None = None
    for mark in (*_KEY_MARK.finditer(text), None):
        ends = mark is not None and not mark[1]
        if mark and ends and begun is not None and mark.start() - begun < _LONGEST_KEY:
            yield from _pieces(text, begun, mark.start())
        else:
            if begun is not None and (lines := _KEY_LINES.match(text, begun)):
                yield from _pieces(text, begun, lines.end())
            if mark and ends:
                yield from _pieces(text, _first_line(text, mark.start()), mark.start())
        begun = mark.end() if mark and not ends else None


def _first_line(text: str, end: int) -> int:
    """Where the encoded lines begin that end at `end`."""
    start = text.rfind("\n", 0, end) + 1
    while start > 0:
        before = text.rfind("\n", 0, start - 1) + 1
        if not _ENCODED.search(text, before, start):
            break
        start = before
    return start


def _pieces(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    if _ENCODED.search(text, start, end):
        for piece in _KEY_PIECE.finditer(text, start, end):
            if piece[1]:
                yield piece.span(1)
