"""Which files may be read as context, and which completed in: each rule by itself, then all of them beside git."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
from pathlib import Path

import pytest
from each_row import each_row

from aigc_lsp.context.hidden import (
    AIGC_IGNORE,
    GIT_EXCLUDE,
    GIT_IGNORE,
    HEAD_BYTES,
    MAX_IGNORE_BYTES,
    IgnoreFile,
    Rules,
    is_secret,
    is_unfit,
)


def git(text: str, folder: str = "") -> IgnoreFile:
    return IgnoreFile(folder, GIT_IGNORE, text.encode())


def aigc(text: str, folder: str = "") -> IgnoreFile:
    return IgnoreFile(folder, AIGC_IGNORE, text.encode())


SECRET = """
.env  .env.local  .env.production  app/.env  production.env  .ENV  .envrc  .env/production
server.pem  tls/server.key  auth.p8  a.p12  a.PFX  a.pkcs12  putty.ppk  a.jks  a.jceks  a.bcfks  debug.keystore
a.truststore  krb5.keytab  login.keychain  login.keychain-db  a.kdb  passwords.kdbx  secring.gpg  a.pgp  office.ovpn
id_rsa  id_rsa.pub  id_dsa  id_ecdsa  id_ed25519  id_ed25519_work  deploy_rsa  github_ed25519
.ssh/config  home/.ssh/known_hosts  .gnupg/trustdb  .password-store/bank  .netrc  _netrc  .authinfo  .npmrc  web/.npmrc
.pypirc  .git-credentials  .gem/credentials  .cargo/credentials  .cargo/credentials.toml  .docker/config.json
.dockercfg  .dockerconfigjson  .kube/config  kubeconfig  prod-kubeconfig  kubeconfig.yaml  kubeconfig-prod.yml
.aws/credentials  .aws/config  .azure/accessTokens.json  .gcloud/legacy  .oci/config  .s3cfg  .boto  rclone.conf
.config/gh/hosts.yml  credentials  credentials.json  credentials.yaml  credentials.yml  credentials.csv
application_default_credentials.json  client_secret_12.apps.json  client_secrets.json  service-account.json
service-account-prod.json  service_account.json  serviceaccount.json  ci-service-account.json
google-services.json  GoogleService-Info.plist  local.settings.json  prod.tfvars  prod.tfvars.json  terraform.tfstate
terraform.tfstate.backup  credentials.tfrc.json  .terraformrc  .vault-token  .vault_pass  .vault_pass.txt
secret.yaml  secrets.yml  secrets.yaml  secrets.json  secrets.toml  .streamlit/secrets.toml  config/secrets.yml
api.secret  prod.secrets  .secrets/token  .htpasswd  .pgpass  pgpass.conf  .my.cnf  .mylogin.cnf  .bash_history
"""

ORDINARY = """
.env.example  .env.sample  .env.template  .env.dist  .env.local.example  example.env  sample.env  template.env
env.ts  environment.py  dotenv.py  envrc.md  secrets.py  secret.ts  secret_store.go  credentials.py  credential.rs
kubeconfig.go  kubeconfig_test.go  pem.c  key.py  keys.ts  keyboard.tsx  monkey.js  id.py  config.json
.docker/Dockerfile  docs/ssh/config.md  aws/client.py  history.py  settings.json  tfvars.py  netrc.py  npmrc.js
auth.json  tokens.css
"""


@each_row("path", SECRET.split())
def test_files_for_secrets_are_hidden_and_not_completed_in(path: str) -> None:
    assert is_secret(path).startswith("a file for secrets (")
    assert Rules().is_hidden(path) == Rules().is_barred(path) == is_secret(path)
    assert Rules().is_hidden(f"/home/user/{path}", opened=True) == Rules().is_barred(f"/home/user/{path}") != ""
    assert is_secret(f"deep/er/{path}")


@each_row("path", ORDINARY.split())
def test_files_that_only_sound_like_secrets_are_not_hidden(path: str) -> None:
    assert Rules().is_hidden(path) == Rules().is_barred(path) == is_secret(path) == ""


def test_no_pattern_shows_a_file_for_secrets() -> None:
    rules = Rules([git("!.env\n"), aigc("!.env\n!*.pem\n"), aigc("!*\n", "tls")], exclude=["!.env", "!*.pem"])
    assert rules.is_hidden(".env")
    assert rules.is_hidden("tls/a.pem")
    assert rules.is_hidden(".env", opened=True)


def test_completions_in_files_for_secrets_are_an_option_and_context_is_not() -> None:
    rules = Rules([aigc("*.key\n")], secret_files=True)
    assert rules.is_barred(".env") == ""
    assert rules.is_hidden(".env")
    assert rules.is_barred("a.key") == "ignored by .aigcignore (*.key)"
    assert rules.is_barred("/elsewhere/.env") == ""


# What ignore files there are, a path, and what hides it.
NESTED = [
    ([git("*.log")], "a.log", "ignored by .gitignore (*.log)"),
    ([git("*.log")], "a/b/c.log", "ignored by .gitignore (*.log)"),
    ([git("*.log")], "a.log.py", ""),
    ([git("/a.py")], "a.py", "ignored by .gitignore (/a.py)"),
    ([git("/a.py")], "b/a.py", ""),
    ([git("b/a.py")], "c/b/a.py", ""),
    ([git("build/")], "build/a/b.py", "ignored by .gitignore (build/)"),
    ([git("build/")], "src/build/b.py", "ignored by .gitignore (build/)"),
    ([git("build/")], "build", ""),
    ([git("# a comment\n\n\\#a.py\n\\!b.py")], "#a.py", "ignored by .gitignore (\\#a.py)"),
    ([git("# a comment\n\n\\#a.py\n\\!b.py")], "!b.py", "ignored by .gitignore (\\!b.py)"),
    ([git("a.py   \r\nb.py\r\n")], "a.py", "ignored by .gitignore (a.py)"),
    ([git("\ufeffa.py")], "a.py", "ignored by .gitignore (a.py)"),
    ([git("a*/**/z.py")], "ab/c/d/z.py", "ignored by .gitignore (a*/**/z.py)"),
    # Negation: the last pattern that matches decides, but below a hidden folder nothing is shown.
    ([git("*.py\n!keep.py")], "a/keep.py", ""),
    ([git("!keep.py\n*.py")], "a/keep.py", "ignored by .gitignore (*.py)"),
    ([git("out/\n!out/keep.py")], "out/keep.py", "ignored by .gitignore (out/)"),
    ([git("out/*\n!out/keep.py")], "out/keep.py", ""),
    ([git("out/**\n!out/**/\n!out/**/keep.py")], "out/a/b/keep.py", ""),
    ([git("out/**\n!out/**/\n!out/**/keep.py")], "out/a/b/drop.py", "ignored by .gitignore (out/**)"),
    ([git("x\n!d/")], "d/x", "ignored by .gitignore (x)"),
    # The deeper file wins, and knows its own folder only.
    ([git("*.py"), git("!*.py", "a")], "a/b.py", ""),
    ([git("*.py"), git("!*.py", "a")], "b.py", "ignored by .gitignore (*.py)"),
    ([git("", ""), git("/b.py", "a")], "a/b.py", "ignored by a/.gitignore (/b.py)"),
    ([git("", ""), git("/b.py", "a")], "b.py", ""),
    ([git("a/"), git("!*", "a")], "a/b.py", "ignored by .gitignore (a/)"),
    # .aigcignore hides more, and shows again what git ignores.
    ([git(""), aigc("*.sql")], "a.sql", "ignored by .aigcignore (*.sql)"),
    ([git("*.sql"), aigc("!a.sql")], "a.sql", ""),
    ([git("*.sql"), aigc("!a.sql")], "b.sql", "ignored by .gitignore (*.sql)"),
    ([git("gen/"), aigc("!gen/")], "gen/a.py", ""),
    ([git("!a.sql", "d"), aigc("*.sql")], "d/a.sql", "ignored by .aigcignore (*.sql)"),
    ([git("*.sql", "d"), aigc("!*.sql")], "d/a.sql", ""),
    ([IgnoreFile("", GIT_EXCLUDE, b"*.py"), git("!a.py")], "a.py", ""),
    ([IgnoreFile("", GIT_EXCLUDE, b"*.py"), git("!a.py")], "b.py", "ignored by .git/info/exclude (*.py)"),
]


@pytest.mark.parametrize(("files", "path", "reason"), NESTED)
def test_ignore_files(files: list[IgnoreFile], path: str, reason: str) -> None:
    assert Rules(files).is_hidden(path) == reason


def test_a_file_that_only_git_ignores_is_completed_in() -> None:
    rules = Rules([git("scratch/\n"), aigc("private/\n")], exclude=["*.gen.py"])
    assert rules.is_hidden("scratch/a.py", opened=True) == "ignored by .gitignore (scratch/)"
    assert rules.is_barred("scratch/a.py") == ""
    assert rules.is_barred("private/a.py") == "ignored by .aigcignore (private/)"
    assert rules.is_barred("scratch/a.gen.py") == "ignored by the setting context.exclude (*.gen.py)"


def test_the_setting_comes_before_the_files() -> None:
    rules = Rules([git("*.sql"), aigc("!a.py")], exclude=["/vendor/", "a.py", "!b.sql"])
    assert rules.is_hidden("a.py") == "ignored by the setting context.exclude (a.py)"
    assert rules.is_hidden("vendor/x/y.py") == "ignored by the setting context.exclude (/vendor/)"
    assert rules.is_hidden("b.sql") == ""
    assert rules.is_hidden("c.sql") == "ignored by .gitignore (*.sql)"


BROKEN = [
    (None, "cannot be read"),
    ("*.py\n".encode("utf-16"), "is not UTF-8"),
    ("*.py\n".encode("utf-16-le"), "is not text"),
    (b"caf\xe9/\n", "is not UTF-8"),
    (b"a\n" * MAX_IGNORE_BYTES, "is larger than 256 KiB"),
    (b"ok\nbuild\\\n", "has no valid pattern in line 2"),
    (b"a\n\n[b\n", "has no valid pattern in line 3"),
    (b"[z-a]\n", "has no valid pattern in line 1"),
    (b"[[:alpha:]]\n", "has no valid pattern in line 1"),
    (b"!\n", "has no valid pattern in line 1"),
]


@pytest.mark.parametrize(("content", "what"), BROKEN)
@pytest.mark.parametrize("name", [GIT_IGNORE, AIGC_IGNORE])
def test_a_broken_ignore_file_hides_all_below_it(content: bytes | None, what: str, name: str) -> None:
    rules = Rules([git("*.log"), IgnoreFile("a", name, content)])
    reason = f"a/{name} {what}; all below it is hidden until that is mended"
    assert rules.is_hidden("a/b.py") == rules.is_hidden("a/c/d.py") == reason
    assert rules.is_barred("a/b.py") == (reason if name == AIGC_IGNORE else "")
    assert not rules.may_enter("a")
    assert rules.is_hidden("b.py") == rules.is_hidden("ab/c.py") == ""
    assert rules.is_hidden("a.log") == "ignored by .gitignore (*.log)"


def test_a_broken_ignore_file_is_not_mended_by_a_deeper_one() -> None:
    rules = Rules([IgnoreFile("", AIGC_IGNORE, None), aigc("!*", "a")], exclude=["!*"])
    assert "cannot be read" in rules.is_hidden("a/b.py")


def test_a_broken_setting_hides_all() -> None:
    rules = Rules(exclude=["ok", "bad\\"])
    assert rules.is_hidden("a.py") == rules.is_barred("a.py") != ""
    assert "the setting context.exclude has no valid pattern in line 2" in rules.is_hidden("a.py")


@pytest.mark.parametrize("path", ["/etc/hosts", "../a.py", "a/../../b.py", "C:/a.py", "c:\\a.py"])
def test_outside_of_the_workspace_only_what_is_open(path: str) -> None:
    rules = Rules([aigc("*.py"), git("*")])
    assert rules.is_hidden(path) == "outside the workspace"
    assert rules.is_hidden(path, opened=True) == rules.is_barred(path) == ""
    assert not rules.may_enter(path)


def test_a_colon_in_a_name_is_no_drive() -> None:
    assert Rules().is_hidden("a:b.py") == ""


def test_a_workspace_within_a_repository() -> None:
    rules = Rules([git("dist/\n"), git("*.gen.ts", "web")], workspace="web/app")
    assert rules.is_hidden("web/app/dist/a.ts") == "ignored by .gitignore (dist/)"
    assert rules.is_hidden("web/app/a.gen.ts") == "ignored by web/.gitignore (*.gen.ts)"
    assert rules.is_hidden("web/app/a.ts") == ""
    assert rules.is_hidden("web/other/a.ts") == rules.is_hidden("web/apple/a.ts") == "outside the workspace"
    assert [rules.may_enter(f) for f in ("", "web", "web/app", "web/app/a", "web/other", "we")] == [True] * 4 + [
        False
    ] * 2


def test_letter_case() -> None:
    files = [git("Build/\n*.LOG\n")]
    assert not Rules(files).is_hidden("build/a.py")
    assert Rules(files, fold_case=True).is_hidden("build/a.log")
    assert Rules(files, fold_case=True).is_hidden("a.Log")
    assert Rules(exclude=["*.SQL"], fold_case=True).is_hidden("a.sql")


def test_version_control_s_own_files() -> None:
    rules = Rules([git("!.git/"), aigc("!*")])
    assert rules.is_hidden(".git/config") == rules.is_hidden("sub/.git/HEAD") == "version control's own"
    assert not rules.may_enter(".git")
    assert rules.is_hidden(".github/workflows/ci.yml") == ""


def test_adding_takes_the_place_of_the_same_file_and_leaves_the_first_rules_as_they_were() -> None:
    first = Rules([git("*.log")], exclude=["x.py"], fold_case=True)
    assert first.is_hidden("a/b.log")
    second = first.adding(git("*.tmp"), git("!c.tmp", "a"))
    assert (first.is_hidden("a/b.log"), first.is_hidden("a/b.tmp")) == ("ignored by .gitignore (*.log)", "")
    assert (second.is_hidden("a/b.log"), second.is_hidden("a/b.tmp")) == ("", "ignored by .gitignore (*.tmp)")
    assert second.is_hidden("a/C.TMP") == ""
    assert second.is_hidden("x.py")
    assert second.adding(git("a/")).is_hidden("a/b.py") == "ignored by .gitignore (a/)"


HEAD = "import os\n" * 100

UNFIT = [
    ("a.py", HEAD, "", "an ordinary file"),
    ("a.py", "", "", "an empty one"),
    ("a.bin", "\x7fELF\0\1", "binary", ""),
    ("a.js", "var a=1;" * 1000, "minified", ""),
    ("a.js", "x" * 600 + "\n", "", "a long line in a short file"),
    ("a.py", HEAD + "TABLE = '" + "x" * 4000 + "'\n" + HEAD, "", "one long line among others"),
    ("a.go", "// Code generated by protoc-gen-go. DO NOT EDIT.\npackage a\n", "written by a tool", ""),
    ("a.rs", "/* @generated by x */\n", "written by a tool", ""),
    ("a.py", "\n" * 20 + "# @generated\n", "", "said too far below to be about the file"),
    ("a.py", "# editor@generatedness.example\n", "", "not the mark"),
    ("package-lock.json", "{}", "written by a tool", ""),
    ("web/app.min.js", "a", "written by a tool", ""),
    ("api/x_pb2.py", "a", "written by a tool", ""),
    ("poetry.lock", "a", "written by a tool", ""),
    ("lock.py", "a", "", "only sounds so"),
]


@pytest.mark.parametrize(("path", "head", "reason", "why"), UNFIT, ids=[f"{row[0]}-{row[3]}" for row in UNFIT])
def test_files_of_no_use_as_context(path: str, head: str, reason: str, why: str) -> None:
    content = head.encode()
    assert is_unfit(path, content[:HEAD_BYTES], len(content)) == reason


def test_limits_of_a_file() -> None:
    assert is_unfit("a.py", b"a", 1024 * 1024) == ""
    assert is_unfit("a.py", b"a", 1024 * 1024 + 1) == "larger than 1024 KiB"
    assert is_unfit("a.py", b"a", 2049, max_bytes=2048) == "larger than 2 KiB"
    assert is_unfit("a.py", b"a = 1\n" * 100, 600, max_line=4) == "minified"


def test_a_character_cut_in_two_at_the_end_of_the_head_is_no_sign_of_a_binary() -> None:
    assert is_unfit("a.py", ("# é\n" * 4000).encode()[: HEAD_BYTES - 1][:-2], 16_000) == ""


NAMES = ["a", "b", "ab", "c.x", ".h", "B"]
GLOBS = ["a", "b", "ab", "*", "*.x", "?", "[ab]", "a*", "**", "c.x", ".h", "*b", "[!a]", "B"]


def some_pattern(chance: random.Random) -> str:
    pattern = "/".join(chance.choice(GLOBS) for _ in range(chance.choice([1, 1, 1, 2, 2, 3])))
    pattern = "/" * (chance.random() < 0.25) + pattern + "/" * (chance.random() < 0.3)
    return "!" * (chance.random() < 0.35) + pattern + chance.choice(["", "", "", "", "  ", "\r"])


def some_tree(chance: random.Random, root: Path) -> list[str]:
    files = []
    for _ in range(60):
        path = "/".join(chance.choice(NAMES) for _ in range(chance.randint(1, 4)))
        try:
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).touch(exist_ok=False)
        except OSError:
            continue  # a name that is taken, by a file where a folder is needed or the other way round
        files.append(path)
    return files


@pytest.mark.skipif(shutil.which("git") is None, reason="git says what its ignore files mean")
@pytest.mark.parametrize("seed", range(4))
def test_gitignore_means_what_it_means_to_git(seed: int, tmp_path: Path) -> None:
    """Any patterns, in any folders: visible is what git would add, and a walk that prunes finds all of it."""
    chance = random.Random(seed)
    home = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull, "HOME": str(tmp_path / "home")}
    surroundings = {name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "XDG_"))} | home
    root = tmp_path / "tree"
    root.mkdir()
    subprocess.run(["git", "init", "-q", str(root)], env=surroundings, check=True)
    files = some_tree(chance, root)
    folders = sorted({path.rpartition("/")[0] for path in files} | {""})
    for _ in range(25):
        ignores = []
        for folder in folders:
            (root / folder / GIT_IGNORE).unlink(missing_ok=True)
            if not folder or chance.random() < 0.2:
                text = "\n".join(some_pattern(chance) for _ in range(chance.randint(1, 5)))
                (root / folder / GIT_IGNORE).write_bytes(text.encode())
                ignores.append(git(text, folder))
        command = ["git", "-C", str(root), "ls-files", "--others", "-z", "--exclude-standard"]
        said = subprocess.run(command, env=surroundings, check=True, capture_output=True, text=True).stdout
        rules = Rules(ignores)
        visible = {path for path in files if not rules.is_hidden(path)}
        assert visible == set(said.split("\0")) & set(files), ignores
        for path in visible:
            parts = path.split("/")[:-1]
            assert all(rules.may_enter("/".join(parts[:end])) for end in range(len(parts) + 1))
