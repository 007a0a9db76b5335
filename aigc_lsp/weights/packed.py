"""The packed directory: what a conversion wrote, sealed by a `manifest.json` that is written last.

A directory without a manifest, of another format version or of another source does not count as packed. The
cheap check reads the manifest and compares file sizes; the full one reads every byte.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from pathlib import Path

FORMAT_VERSION = 3
MANIFEST = "manifest.json"


def seal(directory: Path, source_sha256: str, recipe: str) -> None:
    """Flush every file below `directory` to the disk and write the manifest over them. `recipe`: what decided the
    packed form beside the source (`Model.recipe`)."""
    files = {}
    for file in sorted(path for path in directory.rglob("*") if path.is_file()):
        flush(file)
        name = file.relative_to(directory).as_posix()
        files[name] = {"bytes": file.stat().st_size, "sha256": sha256_of(file)}
    manifest = directory / MANIFEST
    content = {"format": FORMAT_VERSION, "source_sha256": source_sha256, "recipe": recipe, "files": files}
    manifest.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    flush(manifest)
    flush(directory)


def damage(directory: Path, source_sha256: str, recipe: str) -> str | None:
    """What the cheap check finds wrong with `directory`, as the end of a sentence; None where it is sound."""
    try:
        manifest = json.loads((directory / MANIFEST).read_text(encoding="utf-8"))
        found, source = manifest["format"], manifest["source_sha256"]
        sizes = {name: int(entry["bytes"]) for name, entry in manifest["files"].items()}
    except (FileNotFoundError, NotADirectoryError):
        return f"{directory / MANIFEST} is missing"
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        return f"{directory / MANIFEST} cannot be read ({error})"
    if found != FORMAT_VERSION:
        return f"{directory} has the format version {found} instead of {FORMAT_VERSION}"
    if source != source_sha256:
        return f"{directory} was made from a file with the SHA-256 {source} instead of {source_sha256}"
    if manifest.get("recipe", recipe) != recipe:  # earlier ones do not say it
        return f"{directory} was made by a descriptor that packs in another way or names other control tokens"
    for name, size in sizes.items():
        file = directory / name
        if not file.is_file():
            return f"{file} is missing"
        if file.stat().st_size != size:
            return f"{file} has {file.stat().st_size} bytes instead of {size}"
    return None


def problems(directory: Path, source_sha256: str, recipe: str) -> list[str]:
    """What the full check finds wrong, one sentence end for each file."""
    if found := damage(directory, source_sha256, recipe):
        return [found]
    files = json.loads((directory / MANIFEST).read_text(encoding="utf-8"))["files"]
    return [
        f"{directory / name} has the SHA-256 {digest} instead of {entry['sha256']}"
        for name, entry in files.items()
        if (digest := sha256_of(directory / name)) != entry["sha256"]
    ]


def sha256_of(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def flush(path: Path) -> None:
    """Make the file or directory at `path` survive a power cut; some systems cannot flush a directory."""
    with contextlib.suppress(PermissionError):
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
