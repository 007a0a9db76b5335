"""What is assigned to a name that says password, secret, token or key, and looks like one.

The name alone says little: `token = tokenizer.next()`, `password = None` and `"secret": "client_secret_basic"` hold
none. So the value must look as if a machine had made it, or, for passwords, as people are told to choose them.
detect-secrets' detectors of keywords and of high entropy do this too; they were measured and left: they take ten times
as long for a file as all that is here, know no tokens, and take `"password": "password"` for a secret.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

PLACEHOLDER = "<redacted>"

# A word that says that a secret may follow, and what is looked for to find it.
_HINTS = ("pass", "pwd", "secret", "token", "key", "auth", "cred", "bearer")
_WORD = re.compile(
    r"(?P<password>pass(?:words?|wds?|wort|phrases?|codes?)?|pwd)|(?P<key>keys?)"
    r"|secrets?|tokens?|auth(?:orization|entication)?|cred(?:ential)?s?|bearer",
    re.IGNORECASE,
)
_SHORT = frozenset({"pass", "pwd", "key", "keys", "auth", "cred", "creds"})
_NAME_BEFORE = re.compile(r"[\w.$-]*\Z")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_WORDS = re.compile(r"[a-z]+")

# Between the word and its value: the rest of the name, what closes it, a type, a sign of assignment, a scheme.
_LEAD = (
    r"(?P<rest>[\w$-]{0,40})(?:\[\d{0,6}\])?[\\\"'`\])]{0,4}[ \t]*"
    r"(?P<sign>(?::[&\w'.\[\]<>|? ]{1,40})?={1,3}>?|!==?|:=?|=>|[,(>])?[ \t]*"
)
_SCHEME = r"(?:(?:bearer|basic|token|bot|digest)[ ]+)?"
_QUOTED = re.compile(
    _LEAD + r"(?:@|[rbuf]{1,2})?\\?(?P<quote>[\"'`])" + _SCHEME + r"(?P<value>[^\s\"'`]{8,512}?)\\?(?P=quote)",
    re.IGNORECASE,
)
_BARE = re.compile(_LEAD + _SCHEME + r"(?P<value>[A-Za-z0-9_+/=.~!@#%^*-]{8,512})(?![\w(\[{])", re.IGNORECASE)
_PLAIN = re.compile(_LEAD + r"(?P<value>[^\s\"'`,;<>(){}\[\]|]{8,512})", re.IGNORECASE)

# The last word of a name for something about a secret, or for what is public.
_ABOUT = re.compile(
    r"(?:id|name|type|kind|ur[il]|path|file|dir|folder|field|header|param|parameter|hash|algorithm|pattern|label|rule)s?"
    r"|sha|md|endpoint|filename|directory|prefix|suffix|hashes|digest|checksum|fingerprint|alg|format|regexp?|re|text"
    r"|title|msg|message|error|hint|help|placeholder|class|selector|icon|count|length|len|size|limit|version|arn|ref"
    r"|index|map|event|lock|method|schema|page|column|attr|attribute|policy|provider|manager|service|store|factory|model"
    r"|validator|expir\w+|ttl|scope|issuer|audience|test|used|date|time|at|age|changed|created|updated"
)
_PUBLIC = re.compile(
    r"pub(?:lic)?|next|continuation|cache|foreign|primary|partition|sort|index|hash|digest|object|dict|row"
)
# What a name may say before "key" or "pass" that makes it the key to something.
_OWNER = re.compile(
    r"api|access|secret|priv(?:ate)?|auth|account|client|service|master|sign(?:ing)?|encrypt(?:ion)?|app(?:lication)?"
    r"|storage|license|server|admin|session|aws|stripe|openai|anthropic|google|azure|maps|consumer|subscription|webhook"
    r"|db|database|user|root|mysql|postgres|pg|redis|smtp|mail|ftp|ssh"
)

_EXAMPLE = re.compile(
    r"pass|pwd|secret|token|test|example|sample|dummy|fake|change|default|your|placeholder|foo|bar|xxx|1234"
    r"|\d{4}-\d\d-\d\d",
    re.IGNORECASE,
)
_TEMPLATE = re.compile(
    r"\{[\w.:!%-]*\}|\[[\w.:^ -]*\]|<[\w.:/ -]+>|\$\{|\$\(\w|^\$\w+$|%\(\w|%[sd](?![A-Za-z0-9])"
    r"|\\[dwsbnrtuxU]|\.\.\."
)
_REPEATED = re.compile(r"^(.)\1*$|(.)\2{5}|(..)\3{4}|(...)\4{3}")
_RUN = re.compile(r"[^-_./:,=&#@()\[\]{}<>]+")
_CHUNK = re.compile(r"[A-Z]?[a-z]+|[A-Z]+|[0-9]+|[^A-Za-z0-9]+")
_UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)

_WEAK_SIGNS = (None, ",", "(")

_SHORTEST, _SHORTEST_OF_ANY_KEY = 16, 32
_FEWEST_DIFFERENT = 8
# Changes between letters, capitals and digits, a character: 0.4 in random data of 62 characters, 0.3 in base 32, and
# 0.25 in the worst of names ("PBKDF2WithHmacSHA256").
_CHANGES_MIXED, _CHANGES = 0.26, 0.16


def assigned(text: str, lowered: str, configuration: bool) -> Iterator[tuple[int, int]]:
    """Where secrets stand beside a name that calls them so. `configuration`: passwords there need no quotes."""
    for hint in _HINTS:
        at = lowered.find(hint)
        while at >= 0:
            word = _WORD.match(text, at)
            after = word.end() if word else at + len(hint)
            if word and not _one_word(text[after - 1], text[after : after + 1]):
                yield from _value_of(text, word, configuration)
            at = lowered.find(hint, after)


def looks_random(value: str, shortest: int = _SHORTEST) -> bool:
    """Whether a machine made `value`: letters, capitals and digits change more often than in names."""
    if len(value) < shortest or len(set(value)) < _FEWEST_DIFFERENT or is_placeholder(value):
        return False
    mixed = _has(value, str.islower) and _has(value, str.isupper)
    address = "://" in value or ("/" in value and not mixed)
    if address or not _has(value, str.isdigit) or not _has(value, str.isalpha):
        return False
    runs = _RUN.findall(value)
    changes = sum(len(_CHUNK.findall(run)) - 1 for run in runs)
    return changes >= (_CHANGES_MIXED if mixed else _CHANGES) * sum(map(len, runs))


def looks_chosen(value: str) -> bool:
    """Whether a person chose `value` as a password: at least three kinds of characters, and no usual example."""
    if not 8 <= len(value) <= 64 or is_placeholder(value) or _EXAMPLE.search(value) or not _has(value, str.isdigit):
        return False
    kinds = _has(value, str.islower) + _has(value, str.isupper) + any(not char.isalnum() for char in value)
    return kinds >= 2


def is_placeholder(value: str) -> bool:
    """Whether `value` says where a secret would be, or how it is put together."""
    return PLACEHOLDER in value or bool(_REPEATED.search(value) or _TEMPLATE.search(value))


def _value_of(text: str, word: re.Match[str], configuration: bool) -> Iterator[tuple[int, int]]:
    """Where the value of the name around `word` is, if it looks like a secret."""
    quoted = _QUOTED.match(text, word.end())
    plain = configuration and word["password"] and _PLAIN.match(text, word.end())
    match = quoted or plain or _BARE.match(text, word.end())
    if match is None:
        return
    weak = match["sign"] in _WEAK_SIGNS
    if weak and not (quoted or word[0].lower() == "bearer" or (configuration and not match["sign"])):
        return
    before, rest = _words_before(text, word), _words(match["rest"])
    last_before, last = "".join(before[-1:]), "".join(rest[-1:])
    if _ABOUT.fullmatch(last) or _PUBLIC.fullmatch(last_before) or "public" in before[-2:]:
        return
    owned = bool(_OWNER.fullmatch(last_before))
    if word[0].lower() in _SHORT and not owned and _one_word(text[word.start() - 1 : word.start()], text[word.start()]):
        return  # "bypass", "monkey"
    value, named = match["value"], owned or not word["key"]
    if looks_random(value, _SHORTEST if named else _SHORTEST_OF_ANY_KEY) and (named or not _UUID.fullmatch(value)):
        yield match.span("value")
        return
    # What a person chose can be many things, so the place must leave no doubt.
    settled = word["password"] and not weak and (quoted or configuration)
    if settled and looks_chosen(value):
        yield match.span("value")


def _one_word(left: str, right: str) -> bool:
    """Whether two neighbouring characters belong to one word."""
    return (left.islower() and right.islower()) or (left.isupper() and right.isupper())


def _words_before(text: str, word: re.Match[str]) -> list[str]:
    name = _NAME_BEFORE.search(text, max(0, word.start() - 60), word.start())
    return _words(name[0]) if name else []


def _words(name: str) -> list[str]:
    return _WORDS.findall(_CAMEL.sub("_", name).lower())


def _has(value: str, kind: Callable[[str], bool]) -> bool:
    return any(map(kind, value))
