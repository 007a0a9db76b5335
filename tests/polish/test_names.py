"""Names that a suggestion uses and that exist nowhere."""

from __future__ import annotations

from each_row import each_row

from aigc_lsp.polish.names import unknown_names

# language, the line before, what is suggested, the names that nobody knows. `known` and `self_made` are known.
CASES = {
    "a call": ("python", "", "made_up(known)", "made_up"),
    "an argument": ("python", "known(", "made_up)", "made_up"),
    "a receiver": ("python", "", "made_up.get(1)", "made_up"),
    "a value": ("python", "x = ", "made_up", "made_up"),
    "each once, in order": ("python", "", "b_one(a_one.x, b_one(1))", "b_one a_one"),
    "members": ("python", "", "known.made_up(1).other.third", ""),
    "a keyword argument": ("python", "known(", "made_up=1)", ""),
    "a target": ("python", "", "made_up = 1\nknown(made_up)", ""),
    "targets": ("python", "", "one, two = known\nprint(one, two)", ""),
    "a loop": ("python", "", "for one, two in known:\n    print(one, two.x)", ""),
    "a comprehension": ("python", "x = ", "[one.a for one in known]", ""),
    "parameters": ("python", "", "def f(one, two=None, *rest):\n    return one(two, rest)", ""),
    "a lambda": ("python", "x = ", "known(lambda one, two: one(two))", ""),
    "an import": ("python", "", "from made.up import one as two, three\ntwo(three)", ""),
    "with": ("python", "", "with known(1) as one:\n    one.read()", ""),
    "an exception": ("python", "", "except ValueError as one:\n    print(one)", ""),
    "a string and a comment": ("python", "x = ", '"made_up(1)"  # made_up(2)', ""),
    "in a string": ("python", 'x = "', 'made_up(1)"', ""),
    "builtins": ("python", "", "print(len(sorted(range(3))), ValueError)", ""),
    "half a name": ("python", "kno", "wn(1)", ""),
    "half a name that is none": ("python", "made_", "up(1)", "made_up"),
    "a decorator": ("python", "", "@made_up", ""),
    "const": ("javascript", "", "const one = known(1);\none.x();", ""),
    "taken apart": ("javascript", "", "const { one, two: three } = known;\none(three);", ""),
    "an arrow": ("javascript", "", "known((one, two) => one(two))", ""),
    "an arrow of one": ("javascript", "", "known(one => one.x)", ""),
    "keys": ("javascript", "x = ", "{ one: 1, two: made_up(2) }", "made_up"),
    "of": ("javascript", "", "for (const one of known) { one(); }", ""),
    "the browser": ("typescript", "", "document.body.append(new Map())", ""),
    "a condition": ("typescript", "", "if (madeUp.x) {", "madeUp"),
    "a type": ("typescript", "", "function f(one: MadeUp): void { one.x(); }", ""),
    "a method": ("java", "", "void one(Known two) { two.x(); }", ""),
    "a declaration": ("java", "", "Known one = known.x();\none.y(madeUp);", "madeUp"),
    "a lifetime": ("rust", "", "fn one<'a>(two: &'a str) { two.len(); made_up(two); }", "made_up"),
    "a macro": ("rust", "", "println!(known); made_up!(known);", "made_up"),
    "short": ("go", "", "one, err := known.X()\nif err != nil { made_up(one) }", "made_up"),
    "the C library": ("c", "", "printf(known); made_up(strlen(known));", "made_up"),
    "a pointer": ("c", "", "char *one = known;\nstrlen(one);", ""),
    "std": ("cpp", "", "std::vector<int> one;\none.size();", ""),
    "C#": ("csharp", "", "var one = madeUp.X();\nConsole.WriteLine(one);", "madeUp"),
    "a block's": ("ruby", "", "known.each { |one, two| one.x(two.y) }", ""),
    "Ruby": ("ruby", "", "puts(known)\nmade_up.x", "made_up"),
    "PHP": ("php", "", "$one = count($known);\nmade_up($one);", "made_up"),
    "a shell script": ("shellscript", "", "made_up $(other)", ""),
    "no grammar": ("lua", "", "made_up(1)", ""),
    "nothing": ("python", "", "", ""),
}


@each_row("case", list(CASES))
def test_unknown_names(case: str) -> None:
    language, before, text, unknown = CASES[case]
    assert unknown_names(text, language, lambda name: name.lower() == "known", before) == tuple(unknown.split())


def test_who_is_known_is_never_named() -> None:
    assert unknown_names("made_up(other.x)", "python", lambda name: True) == ()
