"""Secrets in text: each kind is found, ordinary code is left alone, and what is redacted is gone.

No token stands here in one piece, so that nobody's scanner takes this file for a leak.
"""

from __future__ import annotations

import base64
import json
import random
import re
import string
import subprocess
import sys
from itertools import pairwise

import pytest
from each_row import each_row
from hypothesis import given
from hypothesis import strategies as st

from aigc_lsp.context.secret_values import PLACEHOLDER
from aigc_lsp.context.secrets import find, masked, redact, redact_around, telling_in

LOWER, UPPER, DIGITS, HEX = string.ascii_lowercase, string.ascii_uppercase, string.digits, "0123456789abcdef"
LETTERS = LOWER + UPPER + DIGITS
URL_SAFE = LETTERS + "-_"


def made(length: int, alphabet: str = LETTERS, seed: int = 0) -> str:
    """Random characters of which each kind in `alphabet` is among the first, as it is in nearly all real ones."""
    chance = random.Random(f"{seed} {length} {alphabet}")
    kinds = [kind for kind in (LOWER[:6], UPPER[:6], DIGITS) if kind[0] in alphabet]
    start = "".join(chance.choice(kind) for kind in kinds)
    return (start + "".join(chance.choice(alphabet) for _ in range(length)))[:length]


def encoded(*parts: object) -> str:
    pieces = [part if isinstance(part, bytes) else json.dumps(part).encode() for part in parts]
    return ".".join(base64.urlsafe_b64encode(piece).rstrip(b"=").decode() for piece in pieces)


TOKENS = {
    "AWS key": "AK" + "IA" + made(16, UPPER + DIGITS),
    "AWS session key": "AS" + "IA" + made(16, UPPER + DIGITS),
    "GitHub": "gh" + "p_" + made(36),
    "GitHub app": "gh" + "s_" + made(36),
    "GitHub, longer than it was once": "gh" + "o_" + made(52),
    "GitHub fine-grained": "github" + "_pat_" + made(22) + "_" + made(59),
    "GitLab": "gl" + "pat-" + made(20, URL_SAFE),
    "GitLab runner": "gl" + "rt-" + made(20),
    "JSON web token": encoded({"alg": "HS256", "typ": "JWT"}, {"sub": "1"}, made(32).encode()),
    "encrypted JSON web token": ".".join([encoded({"alg": "RSA-OAEP"}), made(43), made(16), made(40), made(22)]),
    "Slack bot": "xo" + "xb-" + made(12, DIGITS) + "-" + made(12, DIGITS) + "-" + made(24),
    "Slack app": "xa" + "pp-1-" + made(11, UPPER + DIGITS) + "-" + made(13, DIGITS) + "-" + made(40, HEX),
    "Slack webhook": "https://hooks.sl"
    + "ack.com/services/T"
    + made(8, UPPER + DIGITS)
    + "/B"
    + made(8)
    + "/"
    + made(24),
    "Stripe": "sk" + "_live_" + made(24),
    "Stripe test": "sk" + "_test_" + made(99),
    "Stripe webhook": "wh" + "sec_" + made(32),
    "OpenAI": "s" + "k-" + made(20) + "T3Blbk" + "FJ" + made(20),
    "OpenAI project": "s" + "k-proj-" + made(120, URL_SAFE),
    "OpenAI alike": "s" + "k-" + made(32),
    "Anthropic": "s" + "k-ant-api03-" + made(95, URL_SAFE),
    "Hugging Face": "h" + "f_" + made(34),
    "Groq": "gs" + "k_" + made(52),
    "Replicate": "r" + "8_" + made(37),
    "Google": "AI" + "za" + made(35, URL_SAFE),
    "Google OAuth": "ya" + "29." + made(60, URL_SAFE),
    "Google client": "GOC" + "SPX-" + made(28, URL_SAFE),
    "npm": "np" + "m_" + made(36),
    "PyPI": "py" + "pi-AgEIcHlwaS5vcmc" + made(120, URL_SAFE),
    "SendGrid": "S" + "G." + made(22) + "." + made(43),
    "Mailchimp": made(32, LOWER[:6] + DIGITS) + "-u" + "s14",
    "Mailgun": "ke" + "y-" + made(32, HEX),
    "Twilio": "S" + "K" + made(32, HEX),
    "Telegram": made(10, DIGITS) + ":A" + "A" + made(33, URL_SAFE),
    "Discord": "M" + made(23) + "." + made(6) + "." + made(27),
    "Square": "sq0" + "csp-" + made(43, URL_SAFE),
    "Square access": "sq0" + "atp-" + made(22, URL_SAFE),
    "Shopify": "shp" + "at_" + made(32, HEX),
    "DigitalOcean": "dop" + "_v1_" + made(64, HEX),
    "Docker": "dck" + "r_pat_" + made(27, URL_SAFE),
    "Databricks": "da" + "pi" + made(32, HEX),
    "Grafana": "gl" + "sa_" + made(32) + "_" + made(8, HEX),
    "Sentry": "snt" + "ryu_" + made(64, HEX),
    "Vault": "hv" + "s." + made(90, URL_SAFE),
    "Atlassian": "AT" + "ATT3" + made(180, URL_SAFE),
    "Linear": "lin" + "_api_" + made(40),
    "Postman": "PM" + "AK-" + made(24, HEX) + "-" + made(34, HEX),
    "New Relic": "NR" + "AK-" + made(27, UPPER + DIGITS),
    "Pulumi": "pu" + "l-" + made(40, HEX),
    "age": "AGE-SEC" + "RET-KEY-1" + made(58, UPPER + DIGITS),
    "Artifactory": "AK" + "Cp" + made(69),
    "Azure client": made(3) + "8" + "Q~" + made(34, URL_SAFE),
}


@each_row("token", TOKENS)
@pytest.mark.parametrize("frame", ["x = '{}'", "{}", "# see {}, or ask", '{{"x": "{}"}}', "f({})"])
def test_tokens_with_a_shape_of_their_own(token: str, frame: str) -> None:
    text = frame.format(token)
    assert redact(f"a\n{text}\nb\n").text == f"a\n{frame.format(PLACEHOLDER)}\nb\n"
    (span,) = find(text)
    assert text[span.start : span.end] == token


HOLDERS = [
    'api_key = "{}"',
    "api_key='{}'",
    '    "apiKey": "{}",',
    "'client-secret' => '{}',",
    'const clientSecret: string = "{}";',
    'let token: &str = "{}";',
    'auth_token := "{}"',
    'private static final String ACCESS_TOKEN = "{}";',
    'char secret[] = "{}";',
    'os.environ["API_KEY"] = "{}"',
    'os.environ.get("SECRET_KEY", "{}")',
    "builder.setToken('{}')",
    'password = "{}"',
    'self.db_password: str | None = "{}"',
    "export API_TOKEN={}",
    "SECRET_KEY={}",
    "  client_secret: {}",
    "Authorization: Bearer {}",
    'headers = {{"Authorization": "Bearer {}"}}',
    "curl -H 'X-Api-Key: {}' https://example.com",
    "https://example.com/a?access_token={}&page=2",
    "<password>{}</password>",
    '{{\\"token\\": \\"{}\\"}}',
    'stripe_key = "{}"',
    "//registry.example.com/:_authToken={}",
]


@each_row("holder", HOLDERS)
@pytest.mark.parametrize(
    "value",
    [
        made(24),
        made(32, HEX),
        made(40, LETTERS + "+/"),
        made(20, LOWER + DIGITS),
        "1b4e28ba-2fa1-41d2-883f-b9a761bde3fb",
    ],
    ids=["base 62", "hex", "base 64", "lower", "UUID"],
)
def test_random_values_of_names_that_say_so(holder: str, value: str) -> None:
    assert redact(holder.format(value)).text == holder.format(PLACEHOLDER)


CHOSEN = ["Tr0ub4dor&3", "hunter2!X", "S0mmer-2031", "qwE9#zzPl"]


@pytest.mark.parametrize("value", CHOSEN)
@pytest.mark.parametrize(
    "holder", ['password = "{}"', '"db_password": "{}"', "connect(user='x', passwd='{}')", '<user pwd="{}"/>']
)
def test_passwords_that_people_choose(holder: str, value: str) -> None:
    assert redact(holder.format(value)).text == holder.format(PLACEHOLDER)


@pytest.mark.parametrize("value", CHOSEN)
def test_passwords_in_configuration_need_no_quotes(value: str) -> None:
    text = f"services:\n  db:\n    POSTGRES_PASSWORD: {value}\n"
    assert redact(text, "yaml").text == text.replace(value, PLACEHOLDER)
    assert redact(text, "python").text is text
    assert redact(f"DB_PASSWORD={value}\n", "dotenv").text == f"DB_PASSWORD={PLACEHOLDER}\n"


def test_a_value_after_a_blank_in_configuration() -> None:
    assert redact(f"ENV DB_PASSWORD {made(20)}\n", "dockerfile").text == f"ENV DB_PASSWORD {PLACEHOLDER}\n"


URLS = [
    "postgres://user:{}@host/db",
    "postgresql+psycopg2://app:{}@db.internal:5432/app",
    "redis://:{}@localhost:6379/0",
    "https://me:{}@github.com/me/it.git",
    "amqp://guest:{}@[::1]:5672/",
    "mongodb+srv://root:{}@cluster0.example.net/?retryWrites=true",
]


@each_row("url", URLS)
@pytest.mark.parametrize("password", ["pass", "hunter2", "p%40ss!w0rd", made(24)])
def test_passwords_in_urls(url: str, password: str) -> None:
    assert redact(f'dsn = "{url.format(password)}"\n').text == f'dsn = "{url.format(PLACEHOLDER)}"\n'


def test_azure_connection_strings_and_signatures() -> None:
    key = made(86, LETTERS + "+/") + "=="
    text = f"DefaultEndpointsProtocol=https;AccountName=a;AccountKey={key};EndpointSuffix=core.windows.net"
    assert key not in redact(text).text
    assert redact(text).text.endswith(";EndpointSuffix=core.windows.net")
    bus = f"Endpoint=sb://a.example/;SharedAccessKeyName=root;SharedAccessKey={key[:43]}="
    assert key[:43] not in redact(bus).text
    url = f"https://a.blob.example/c?sv=2024-01-01&sig={made(43)}%3D"
    assert redact(url).text == f"https://a.blob.example/c?sv=2024-01-01&sig={PLACEHOLDER}"


def key_lines(kind: str = "RSA PRIVATE KEY", lines: int = 5) -> list[str]:
    body = [made(64, LETTERS + "+/", seed) for seed in range(lines)]
    return [f"-----BEGIN {kind}-----", *body, made(18) + "==", f"-----END {kind}-----"]


KINDS = ["RSA PRIVATE KEY", "PRIVATE KEY", "EC PRIVATE KEY", "OPENSSH PRIVATE KEY", "ENCRYPTED PRIVATE KEY"]


@pytest.mark.parametrize("kind", [*KINDS, "PGP PRIVATE KEY BLOCK"])
@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_private_keys_line_by_line(kind: str, ending: str) -> None:
    begin, *body, end = key_lines(kind)
    text = ending.join(['KEY = """', begin, *body, end, '"""', "x = 1", ""])
    assert redact(text).text == text.replace(begin, begin).replace(ending.join(body), ending.join([PLACEHOLDER] * 6))


def test_private_keys_in_other_forms() -> None:
    begin, *body, end = key_lines()
    for text in (
        json.dumps({"private_key": "\n".join([begin, *body, end]), "type": "service_account"}),
        "key = (\n" + "".join(f'    "{line}\\n"\n' for line in [begin, *body, end]) + ")\n",
        "key: |\n" + "".join(f"  {line}\n" for line in [begin, *body, end]) + "next: 1\n",
        "\n".join([begin, "Proc-Type: 4,ENCRYPTED", "DEK-Info: AES-128-CBC,01", "", *body, end]),
        "\n".join(["PuTTY-User-Key-File-3: ssh-ed25519", "Private-Lines: 2", *body[:2], "Private-MAC: 00"]),
    ):
        out = redact(text).text
        assert not any(line in out for line in body)
        assert out.count("\n") == text.count("\n")


def test_private_keys_without_an_end_or_a_beginning() -> None:
    begin, *body, end = key_lines()
    cut_below = "\n".join(["x = 1", begin, *body[:3]])
    assert redact(cut_below).text == "\n".join(["x = 1", begin, *[PLACEHOLDER] * 3])
    cut_above = "\n".join([*body[2:5], end, "x = 1"])
    assert redact(cut_above).text == "\n".join([*[PLACEHOLDER] * 3, end, "x = 1"])


def test_what_is_a_secret_once_is_one_wherever_it_stands() -> None:
    value = made(24)
    text = f'token = "{value}"\nprint("{value}")\nurl = f"https://example.com/{value}/x"\nother = "a{value}"\n'
    assert redact(text).text == text.replace(f'"{value}"', f'"{PLACEHOLDER}"').replace(f"/{value}/", f"/{PLACEHOLDER}/")


def test_a_short_password_in_a_url_is_not_looked_for_elsewhere() -> None:
    text = 'def pass_(): ...\nurl = "http://user:pass@host"\nif x: pass\n'
    assert redact(text).text == text.replace(":pass@", f":{PLACEHOLDER}@")


INNOCENT = [
    "password = None",
    "password = getpass()",
    "password = ''",
    'password = "password"',
    'password = "changeme"',
    "password: str",
    "self.password = password or config.default_password1",
    "token = tokenizer.next()",
    "token = tokens[0]",
    'token = "<|endoftext|>"',
    'pad_token="[PAD]"',
    "TOKEN_TYPE = 'identifier'",
    'os.environ["API_KEY"]',
    'api_key = os.environ["OPENAI_API_KEY_2"]',
    "const apiKey = process.env.STRIPE_API_KEY_V2;",
    'api_key = "YOUR_API_KEY_HERE_123"',
    'api_key = "sk-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"',
    'api_key = "${API_KEY_1234567890abc}"',
    'api_key = f"{prefix}{number}a1b2c3d4"',
    'secret = "{{ vault.secret1.value2 }}"',
    'secret_key = "<insert-your-key-2-here>"',
    'SECRET_NAME = "prod/db/a1b2c3d4e5f6a7b8"',
    'key = "sha256WithRSAEncryption"',
    'secret = SecretKeyFactory("PBKDF2WithHmacSHA256")',
    'cache_key = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"',
    'public_key = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"',
    '<assemblyIdentity publicKeyToken="1fc8b3b9a1e18e3b"/>',
    "compare(token, x2y4z6w8v1u3t5s7r9, a1)",
    'tokenizer = "x2y4z6w8v1u3t5s7r9"',
    'author: "x2y4z6w8v1u3t5s7r9"',
    'PASSENGER = "X2Y4Z6W8V1U3T5S7R9"',
    'password_hash = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"',
    '"PasswordLastUsed": "2016-09-08T21:47:36Z"',
    'id = "1b4e28ba-2fa1-41d2-883f-b9a761bde3fb"',
    'key = "1b4e28ba-2fa1-41d2-883f-b9a761bde3fb"',
    "hash = 'da39a3ee5e6b4b0d3255bfef95601890afd80709'",
    "integrity sha512-iLAF5sLBiVFxGxHhEZ0JEBfcAJm7Q9jgMaOuVvPqLLJhUEqbJlrhSFTyMRTRvQJ3Wm0fX5ic7M5u2kcCsqkYkQ==",
    'checksum = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"',
    '{file = "keyring-24.3.0-py3-none-any.whl", hash = "sha256:4446d35d636e6a10b8bce7caa66913dd9eca5fd2"}',
    'data = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="',
    'verify(token="eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9...")',
    "monkey = 'a1B2c3D4e5F6g7H8i9J0'",
    "bypass('anotherdomain.com:8888')",
    'keyboard = "qwertzuiopasdfghjkl123456"',
    "class pkcs8_priv_key_info_st(Structure):",
    'if "BEGIN RSA PRIVATE KEY" in text:',
    'pem = f"-----BEGIN PRIVATE KEY-----\\n{body}\\n-----END PRIVATE KEY-----"',
    "-----BEGIN CERTIFICATE-----\nMIIDdzCCAl+gAwIBAgIEAgAAuTANBgkqhkiG9w0BAQUF\n-----END CERTIFICATE-----",
    "http://localhost:8080/a@b",
    "https://example.com/@scope/name:1",
    'url = f"postgres://{user}:{password}@{host}/db"',
    "url = 'postgres://user:$PASSWORD@host/db'",
    "url = 'postgres://user:%s@host/db'",
    "url = 'https://user:<password>@host'",
    "git clone git@github.com:me/it.git",
    "Authorization: AWS4-HMAC-SHA256 Credential=x",
    "from secrets import token_hex, compare_digest",
    "task-force-risk-" + "a" * 40,
    '<div class="sk-folding-cube sk-cube2-wrapper-element-inner">',
]


@each_row("text", INNOCENT)
@pytest.mark.parametrize("language", ["", "yaml"])
def test_ordinary_code_is_left_alone(text: str, language: str) -> None:
    assert find(text, language) == ()
    assert redact(text, language).text is text


def test_nothing_is_taken_out_of_the_middle_of_something_longer() -> None:
    inside = made(40) + "AK" + "IA" + made(16, UPPER + DIGITS) + made(40)
    assert redact(inside).text is inside


def test_tokens_written_as_one_word_are_all_taken_out() -> None:
    first, second = TOKENS["AWS key"], TOKENS["JSON web token"]
    text = f"a = '{TOKENS['GitHub']}'\nb = '{first}{second}'\n"
    assert redact(text).text == f"a = '{PLACEHOLDER}'\nb = '{PLACEHOLDER}.{PLACEHOLDER}'\n"
    head, _, rest = second.partition(".")
    assert [text[span.start : span.end] for span in find(text)] == [TOKENS["GitHub"], first + head, rest]


def test_positions_hold_where_lower_case_is_longer() -> None:
    text = "İİİ " * 20 + f'\napi_key = "{made(24)}"\n'
    (span,) = find(text)
    assert text[span.start : span.end] == made(24)


def test_spans_are_in_order_apart_and_within_a_line() -> None:
    begin, *body, end = key_lines()
    text = "\n".join([f"a = '{TOKENS['GitHub']}'; b = '{TOKENS['npm']}'", begin, *body, end, f'password="{CHOSEN[0]}"'])
    spans = find(text)
    assert len(spans) == 2 + 6 + 1
    assert all(first.end <= second.start for first, second in pairwise(spans))
    assert not any("\n" in text[span.start : span.end] for span in spans)
    assert redact(text).spans == spans


PIECES = st.one_of(
    st.sampled_from(
        [*INNOCENT, "\n", "\n", "\r\n", " ", '"', "'", ":", "=", "@", "//", "x", "<", ">", PLACEHOLDER, "\\n"]
    ),
    st.tuples(st.sampled_from(HOLDERS), st.integers(0, 50)).map(lambda row: row[0].format(made(24, LETTERS, row[1]))),
    st.tuples(st.sampled_from(URLS), st.sampled_from(CHOSEN)).map(lambda row: row[0].format(row[1])),
    st.sampled_from([*TOKENS.values(), *CHOSEN, *key_lines()]),
    st.text(max_size=8),
)


@given(st.lists(PIECES, max_size=12).map("".join), st.sampled_from(["", "yaml"]))
def test_whatever_the_text(text: str, language: str) -> None:
    done = redact(text, language)
    assert done.text.count("\n") == text.count("\n")
    assert done.text.count("\r") == text.count("\r")
    assert redact(done.text, language).text is done.text
    assert len(re.findall(PLACEHOLDER, done.text)) == len(re.findall(PLACEHOLDER, text)) + len(done.spans)
    if not done.spans:
        assert done.text is text


@given(st.sampled_from([*TOKENS.values()]), st.lists(st.sampled_from(INNOCENT), max_size=6), st.integers(0, 6))
def test_no_token_survives_among_ordinary_lines(token: str, lines: list[str], at: int) -> None:
    text = "\n".join([*lines[:at], f'x = "{token}"', *lines[at:]])
    assert redact(text).text == text.replace(token, PLACEHOLDER)


@given(st.text(alphabet=string.ascii_letters + " \n\t()[]=\"'_.,:#é", max_size=400))
def test_text_without_digits_signs_or_keys_comes_back_as_it_is(text: str) -> None:
    assert redact(text).text is text


def test_the_detector_is_not_imported_before_it_is_needed() -> None:
    code = (
        "import sys, aigc_lsp.context.secrets as secrets\n"
        "before = {'detect_secrets', 'requests'} & set(sys.modules)\n"
        "secrets.prepare()\n"
        "print(before, 'detect_secrets' in sys.modules)"
    )
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
        == "set() True\n"
    )


KEY = "AKIA" + "Q4W7ZXCVB2MNTY6P"
BODY = base64.encodebytes(random.Random(1).randbytes(57 * 21)).decode()
PEM = f"-----BEGIN RSA PRIVATE KEY-----\n{BODY}-----END RSA PRIVATE KEY-----\n"


def test_what_is_masked_keeps_every_offset() -> None:
    text = f'a = 1\nkey = "{KEY}"\n{PEM}b = 2\n'
    found = masked(text)
    assert len(found) == len(text)
    assert [line == other for line, other in zip(found.split("\n"), text.split("\n"), strict=True)].count(False) >= 20
    assert KEY not in found
    assert not any(line in found for line in BODY.split())
    assert found.endswith("b = 2\n")
    plain = "x = 1\n"
    assert masked(plain) is plain


def test_a_secret_that_the_cursor_is_in_goes_from_both_sides() -> None:
    text = f'a = 1\nkey = "{KEY}"\nb = 2\nother = "{KEY}"\nend'
    for at in range(len(text) + 1):
        before, after = redact_around(text[:at], text[at:])
        assert KEY[:8] not in before + after
        assert KEY[-8:] not in before + after
        assert before.startswith(text[: min(at, 10)][:10])
        assert after.endswith(text[max(at, len(text) - 3) :])
    assert redact_around("x = ", "1") == ("x = ", "1")


def test_what_is_secret_in_the_whole_is_secret_in_a_part() -> None:
    text = f'DB_PASSWORD = "{KEY}"\nconnection = connect("admin", "{KEY}")\nname = "Anna"\n'
    part = text.split("\n")[1]
    secret = telling_in(text)
    assert secret == {KEY}
    assert KEY not in redact(part, also=secret).text
    before, after = redact_around(part[:30], part[30:], also=secret)
    assert KEY[:6] not in before + after
    assert redact('name = "Anna"', also=secret).text == 'name = "Anna"'
    assert telling_in('token = "your-token-here"') == frozenset()
