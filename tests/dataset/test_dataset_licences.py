"""Under which licence a tree and each of its files are taken, and which are not."""

from __future__ import annotations

import random
import tempfile
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from each_row import each_row

from aigc_lsp.dataset.build import Counts, Options, projects
from aigc_lsp.dataset.fetch import Tree
from aigc_lsp.dataset.files import files
from aigc_lsp.dataset.licences import is_foreign, is_taken, known, licence_of

MIT = "Permission is hereby granted, free of charge, to any person obtaining a copy"
BSD = "Redistribution and use in source and binary forms, with or without modification, are permitted"
APACHE = "  Apache License\n  Version 2.0, January 2004"
GPL = "GNU GENERAL PUBLIC LICENSE\nVersion 2, June 1991"
MPL = (
    "Mozilla Public License Version 2.0\n==================================\n1. Definitions\n"
    '1.12. "Secondary License"\n    means either the GNU General Public License, Version 2.0, the GNU Lesser\n'
    "    General Public License, Version 2.1, the GNU Affero General Public\n    License, Version 3.0, or any later "
    "versions of those licenses.\n"
)
BUSL = "Business Source License 1.1\nLicensor: ACME\nChange License: Apache License, Version 2.0\n"
FSL = f"# Functional Source License, Version 1.1, MIT Future License\n\n{MIT}"
CODE = "".join(f"def work_{at}(value):\n    return value * {at} + offset_{at}\n\n\n" for at in range(6))


def tree(folder: Path, said: Mapping[str, str]) -> Path:
    root = Path(tempfile.mkdtemp(dir=folder))
    for name, text in said.items():
        root.joinpath(name).parent.mkdir(parents=True, exist_ok=True)
        root.joinpath(name).write_text(text)
    return root


@each_row(
    ("said", "licence", "taken"),
    [
        ("MIT", "MIT", True),
        ("mit", "MIT", True),
        ("MIT License", "MIT", True),
        ("The MIT License (MIT)", "MIT", True),
        ("Expat", "MIT", True),
        ("Apache Software License", "Apache-2.0", True),
        ("Apache License, Version 2.0", "Apache-2.0", True),
        ("Apache-2.0 WITH LLVM-exception", "Apache-2.0", True),
        ("(MIT OR Apache-2.0)", "MIT OR Apache-2.0", True),
        ("MIT/GPL-3.0", "MIT", True),
        ("GPL-2.0-only OR BSD-3-Clause", "BSD-3-Clause", True),
        ("MIT OR SSPL-1.0", "MIT", True),
        ("MIT AND LGPL-3.0-or-later", "", False),
        ("MIT, GPL-2.0", "", False),
        ("Expat or GPL-2, and CC-BY-3.0", "", False),
        ("MIT AND BSD-2-Clause", "MIT AND BSD-2-Clause", True),
        ("MPL-2.0 AND (Apache-2.0 OR MIT)", "MPL-2.0 AND Apache-2.0 OR MPL-2.0 AND MIT", False),
        ("(MIT OR GPL-2.0) AND (ISC OR LGPL-3.0)", "MIT AND ISC", True),
        ("Apache-2.0 OR MIT AND ISC", "Apache-2.0 OR MIT AND ISC", True),
        ("GNU GPL v2 (or later)", "", False),
        ("BSD License", "BSD-3-Clause", True),
        ("3-Clause BSD License", "BSD-3-Clause", True),
        ("BSD-2-clause", "BSD-2-Clause", True),
        ("ISC License (ISCL)", "ISC", True),
        ("Python Software Foundation License", "PSF-2.0", True),
        ("Python-2.0", "Python-2.0", True),
        ("Mozilla Public License 2.0 (MPL 2.0)", "MPL-2.0", False),
        ("MPL-1.1", "", False),
        ("GNU General Public License v3 (GPLv3)", "", False),
        ("AGPL-3.0", "", False),
        ("UNLICENSED", "", False),
        ("BSD-4-Clause", "", False),
        ("BSD-3-Clause-No-Nuclear-License", "", False),
        ("Apache-1.1", "", False),
        ("FSL-1.1-MIT", "", False),
        ("FSL-1.1-Apache-2.0", "", False),
        ("MIT with Commons Clause", "", False),
        ("Apache 2.0 / Commons-Clause", "", False),
        ("BUSL-1.1", "", False),
        ("PolyForm-Noncommercial-1.0.0", "", False),
        ("Elastic-2.0", "", False),
        ("", "", False),
    ],
)
def test_a_licence_is_known_by_its_whole_name(said: str, licence: str, taken: bool) -> None:
    assert known(said) == licence
    assert is_taken(licence) is taken


def test_mpl_is_taken_where_it_is_asked_for() -> None:
    assert is_taken("MPL-2.0", with_apart=True)
    assert not is_taken("", with_apart=True)


@each_row(
    ("name", "said", "licence"),
    [
        ("LICENSE", f"Copyright\n\n{MIT}", "MIT"),
        ("LICENSE", "MIT License\n", "MIT"),
        ("LICENSE", MPL, "MPL-2.0"),
        ("LICENSE", f"{MPL}\n{GPL}", ""),
        ("LICENSE", BUSL, ""),
        ("LICENSE", f"{BUSL}\n{APACHE}", ""),
        ("LICENSE", FSL, ""),
        ("LICENSE", f'"Commons Clause" License Condition v1.0\n\n{MIT}', ""),
        ("LICENSE", f"PolyForm Noncommercial License 1.0.0\n{MIT}", ""),
        ("LICENSE", f"Server Side Public License\n{APACHE}", ""),
        ("LICENSE", f"Elastic License 2.0 or, at your choice,\n{APACHE}", ""),
        ("LICENSE", f"{BSD}.\n3. All advertising materials mentioning features must", ""),
        ("LICENSE", "files in `lib` are BSD 2-Clause,\nall other files use a GPLv2 license", ""),
        ("LICENSE", f"{BSD}\nNeither the name of", "BSD-3-Clause"),
        ("LICENSE", f"{BSD}\n", "BSD-2-Clause"),
        ("LICENSE.txt", "GNU LESSER GENERAL PUBLIC LICENSE", ""),
        ("COPYING", APACHE, "Apache-2.0"),
        ("license.py", f'"""{MIT}"""', ""),
        ("package.json", '{"license": "ISC"}', "ISC"),
        ("package.json", '{"license": ["MIT", "GPL-3.0"]}', "MIT"),
        ("package.json", '{"license": {"type": "MIT"}}', "MIT"),
        ("package.json", "[1]", ""),
        ("PKG-INFO", "Name: a\nLicense-Expression: BSD-2-Clause\n\nLicense: GPL", "BSD-2-Clause"),
        ("PKG-INFO", "Name: a\nClassifier: License :: OSI Approved :: MIT License\n", "MIT"),
        ("PKG-INFO", f"Name: a\nLicense: Copyright A\n        \n        {MIT}\n", "MIT"),
        ("Cargo.toml", '[package]\nlicense = "MIT OR Apache-2.0"\n', "MIT OR Apache-2.0"),
        ("pyproject.toml", "[project]\nlicense = { text = 'MIT' }\n", "MIT"),
        ("debian/copyright", "Files: *\nCopyright: me\nLicense: Expat\n\nFiles: x\nLicense: GPL-2+\n", "MIT"),
        ("debian/copyright", "Files: *\nCopyright: me\nLicense: GPL-3+\n", ""),
        ("debian/copyright", f"Files: *\nLicense: BSD~Google\n\nLicense: BSD~Google\n {BSD}\n", "BSD-2-Clause"),
        ("x.gemspec", "  s.licenses = ['MIT']\n", "MIT"),
    ],
)
def test_a_tree_says_its_licence(tmp_path: Path, name: str, said: str, licence: str) -> None:
    assert licence_of(tree(tmp_path, {name: said})) == licence


@each_row(
    ("said", "licence"),
    [
        ({"PKG-INFO": "License-Expression: AGPL-3.0-only\n", "LICENSE.MIT": MIT}, ""),
        ({"PKG-INFO": "License: UNKNOWN\nClassifier: License :: OSI Approved\n", "LICENSE": MIT}, "MIT"),
        ({"PKG-INFO": "License: LICENSE.txt\n", "LICENSE.txt": MIT}, "MIT"),
        ({"package.json": '{"license": "UNLICENSED"}', "LICENSE": MIT}, ""),
        ({"package.json": '{"license": "SEE LICENSE IN LICENSE"}', "LICENSE": MIT}, "MIT"),
        ({"package.json": '{"license": "SEE LICENSE IN LICENSE"}', "LICENSE": BUSL}, ""),
        ({"package.json": "{}", "LICENSE": MIT}, "MIT"),
        ({"Cargo.toml": 'license = "MIT OR GPL-2.0"\n', "LICENSE-MIT": MIT, "LICENSE-GPL": GPL}, "MIT"),
        ({"debian/copyright": "Files: *\nLicense: GPL-3+\n", "package.json": '{"license": "MIT"}'}, ""),
        ({"debian/copyright": "Files: doc/*\nLicense: GPL-3+\n", "package.json": '{"license": "MIT"}'}, "MIT"),
        ({"LICENSE": "", "COPYING": MIT}, "MIT"),
        ({"LICENSE-MIT": MIT, "LICENSE-APACHE": APACHE}, "Apache-2.0 OR MIT"),
        ({"LICENSE-MIT": MIT, "LICENSE-APACHE": APACHE, "COPYING": GPL}, ""),
    ],
)
def test_the_first_to_say_anything_decides(tmp_path: Path, said: Mapping[str, str], licence: str) -> None:
    assert licence_of(tree(tmp_path, said)) == licence


@each_row(
    ("head", "foreign", "with_mpl"),
    [
        ("Licensed under the MIT license", False, False),
        ("This is free software under the GNU General Public License", True, True),
        ("under the terms of the GNU\n# General Public License", True, True),
        ("under the LGPL version 2", True, True),
        ("License: GPL", True, True),
        ("Copyright A. All rights reserved.\n# Redistribution and use are permitted", False, False),
        ("Copyright A. All rights reserved.", True, True),
        ("the BSD-style license and the GPLv2. You may select, at your option, one of the above-listed", False, False),
        ("CC BY-NC-SA 4.0", True, True),
        ("what cc by default does", False, False),
        ("Creative Commons Attribution-NonCommercial", True, True),
        ("the Elastic License 2.0", True, True),
        ("use of this file is governed by the Business Source License", True, True),
        ("the terms of the Mozilla Public\n# License, v. 2.0.", True, False),
        ("the Mozilla Public License Version 1.1", True, True),
        ("SPDX-License-Identifier: MIT", False, False),
        ("Copyright A. All rights reserved.\n# SPDX-License-Identifier: MIT", False, False),
        ("SPDX-License-Identifier: (GPL-2.0+ OR BSD-3-Clause) */", False, False),
        ("SPDX-License-Identifier: Apache-2.0 -->", False, False),
        ("SPDX-License-Identifier: LGPL-2.1", True, True),
        ("SPDX-License-Identifier: BUSL-1.1", True, True),
        ("SPDX-License-Identifier: SSPL-1.0", True, True),
        ("SPDX-License-Identifier: MIT AND GPL-2.0", True, True),
        ("SPDX-License-Identifier: MPL-2.0", True, False),
        ("SPDX-License-Identifier: MIT\n# SPDX-License-Identifier: GPL-2.0-only", True, True),
    ],
)
def test_a_file_says_that_it_has_another_licence(head: str, foreign: bool, with_mpl: bool) -> None:
    text = f"# {head}\n{CODE}"
    assert is_foreign(text) is foreign
    assert is_foreign(text, with_apart=True) is with_mpl
    assert not is_foreign(CODE * 30 + text), "what stands far below says nothing"


@each_row(
    ("said", "left"),
    [
        ({"sub/LICENSE": MIT}, ["a.py", "sub/b.py", "sub/below/c.py"]),
        ({"sub/COPYING": GPL}, ["a.py"]),
        ({"sub/LICENCE.txt": "All rights are ours.", "sub/below/LICENSE": MIT}, ["a.py"]),
        ({"sub/below/license.txt": GPL}, ["a.py", "sub/b.py"]),
        ({"sub/LICENSE": "See LICENSE file in the project root for more."}, ["a.py", "sub/b.py", "sub/below/c.py"]),
        ({"sub/license.md": "{include} ../LICENSE"}, ["a.py", "sub/b.py", "sub/below/c.py"]),
        ({"sub/LicenseManager.cs": "class A {}"}, ["a.py", "sub/b.py", "sub/below/c.py"]),
        ({"sub/LICENSE": MPL}, ["a.py"]),
    ],
)
def test_a_folder_with_another_licence_is_left_out(tmp_path: Path, said: Mapping[str, str], left: list[str]) -> None:
    code = dict.fromkeys(("a.py", "sub/b.py", "sub/below/c.py"), CODE)
    left_out: Counter[str] = Counter()
    found = list(files(tree(tmp_path, {"LICENSE": MIT, **said, **code}), 10, random.Random(1), left_out))
    assert sorted(file.path for file in found) == sorted(left)
    assert left_out["another licence"] == 3 - len(left)


@each_row(
    ("stanzas", "left"),
    [
        ([("*", "Expat")], ["a.py", "sub/b.py", "sub/below/c.py"]),
        ([("*", "Expat"), ("sub/*", "GPL-2+")], ["a.py"]),
        ([("*", "Expat"), ("sub/*", "GPL-2+"), ("sub/below/*", "ISC")], ["a.py", "sub/below/c.py"]),
        ([("*", "Expat"), ("sub/below/*", "ISC"), ("sub/*", "GPL-2+")], ["a.py"]),
        ([("*", "Expat"), ("b.py", "GPL-2+")], ["a.py", "sub/b.py", "sub/below/c.py"]),
        ([("*", "Expat"), ("*/?.py", "GPL-2+")], ["a.py"]),
        ([("*", "Expat"), ("x/y.py,\n ./a.py\n sub/b.p?", "GPL-2+ or Expat, and CC-BY-4.0")], ["sub/below/c.py"]),
        ([("*", "Expat"), (r"\*", "GPL-2+")], ["a.py", "sub/b.py", "sub/below/c.py"]),
        ([("*", "Expat"), ("sub/b.py", "own")], ["a.py", "sub/below/c.py"]),
        ([("*", "Expat"), ("sub/b.py", "MPL-2.0")], ["a.py", "sub/below/c.py"]),
        ([("*", "GPL-2+"), ("sub/*", "Expat")], ["sub/b.py", "sub/below/c.py"]),
        ([("sub/*", "GPL-2+")], ["a.py"]),
    ],
)
def test_the_last_of_debians_stanzas_decides_on_a_file(
    tmp_path: Path, stanzas: list[tuple[str, str]], left: list[str]
) -> None:
    said = "\n".join(f"Files: {pattern}\nCopyright: me\nLicense: {name}\n" for pattern, name in stanzas)
    code = dict.fromkeys(("a.py", "sub/b.py", "sub/below/c.py"), CODE)
    left_out: Counter[str] = Counter()
    found = files(tree(tmp_path, {"debian/copyright": said, **code}), 10, random.Random(1), left_out)
    assert sorted(file.path for file in found) == sorted(left)
    assert left_out["another licence"] == 3 - len(left)


PARTS = {
    "own.py": CODE,
    "mpl.py": f"# SPDX-License-Identifier: MPL-2.0\n{CODE.replace('work', 'mpl')}",
    "mpl/a.py": CODE.replace("work", "folder").replace("value", "amount"),
    "mpl/LICENSE": MPL,
    "acme.py": f"# Copyright ACME. All rights reserved.\n{CODE.replace('work', 'acme').replace('value', 'number')}",
    "gpl/a.py": CODE.replace("offset", "gnu").replace("value", "left").replace("work", "gnu"),
    "gpl/COPYING": GPL,
    "third-party/a.py": CODE.replace("work", "other").replace("offset", "shift"),
}


@each_row(
    ("root", "options", "taken"),
    [
        ({"LICENSE": MIT}, Options(), {"own.py"}),
        ({"LICENSE": MIT}, Options(with_mpl=True), {"own.py", "mpl.py", "mpl/a.py"}),
        ({"LICENSE": MPL}, Options(), set()),
        ({"LICENSE": MPL}, Options(with_mpl=True), {"own.py", "mpl.py", "mpl/a.py"}),
        ({}, Options(any_licence=True), {"own.py", "mpl.py", "mpl/a.py", "acme.py", "gpl/a.py"}),
        (
            {"debian/copyright": "Files: *\nLicense: GPL-3+\n"},
            Options(any_licence=True),
            {"own.py", "mpl.py", "mpl/a.py", "acme.py", "gpl/a.py"},
        ),
    ],
)
def test_what_is_asked_for_reaches_the_files(
    tmp_path: Path, root: Mapping[str, str], options: Options, taken: set[str]
) -> None:
    made = Tree("own", "folder", "1", "", tree(tmp_path, {**PARTS, **root}))
    found = projects([made], options, Counts(), lambda said: None)
    assert {file.path for project in found for file in project.files} == taken
