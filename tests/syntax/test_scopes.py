"""The definitions around a cursor, in sound code and in half-written code, where they must be the same.

What is shown to a model of the scopes above must not change because a line below is not finished yet.
"""

from __future__ import annotations

import pytest
from each_row import each_row
from language_samples import SAMPLES

from aigc_lsp.syntax import Definition, Tree, parse
from aigc_lsp.text import Text

# Language, source with `$0` in it, what is around it, and what a person may have typed there so far.
ROWS = [
    (
        "python",
        """\
class A(B):
    @cached
    def f(
        self, x
    ) -> int:
        y = 1
        $0

    def g(self):
        pass
""",
        ["class A | class A(B):", "method A.f | def f( self, x ) -> int:"],
        ["return (x", "x = '", "if x", "for", '"""', "y = [\n            1,"],
    ),
    (
        "javascript",
        """\
export class A extends B {
  async f(x) {
    y();
    $0
  }

  g() {}
}
""",
        ["class A | export class A extends B", "method A.f | async f(x)"],
        ["return (x", "x = '", "if (x) {", "const {", "`a${"],
    ),
    (
        "typescript",
        """\
export const useFoo = (a: string): number => {
  y();
  $0
};

function g() {}
""",
        ["function useFoo | export const useFoo = (a: string): number =>"],
        ["return (x", "x = '", "if (x) {"],
    ),
    (
        "java",
        """\
class A {
    @Override
    public int f(
            int x) throws E {
        y();
        $0
    }

    void g() {}
}
""",
        ["class A | class A", "method A.f | public int f( int x) throws E"],
        ["return g(x", 'x = "', "if (x) {", "y."],
    ),
    (
        "go",
        """\
package a

func (s *Server) Run(
\tx int,
) error {
\ty()
\t$0
}

func g() {
}
""",
        ["method a.Server.Run | func (s *Server) Run( x int, ) error"],
        ["return g(x", 'x := "', "if x {", "y."],
    ),
    (
        "rust",
        """\
impl<T> Point<T> {
    pub fn new(x: T) -> Self
    where
        T: Copy,
    {
        y();
        $0
    }

    fn g() {}
}
""",
        ["class Point | impl<T> Point<T>", "method Point.new | pub fn new(x: T) -> Self where T: Copy,"],
        ["return g(x", "if x {", "y.", "let z ="],
    ),
    (
        "c",
        """\
static int *f(int x,
              int y)
{
    z();
    $0
}

int g(void)
{
    return 1;
}
""",
        ["function f | static int *f(int x, int y)"],
        ["return g(x", 'x = "', "if (x) {", "y->"],
    ),
    (
        "cpp",
        """\
namespace m {
int z;
}

namespace n {

static int h(int a,
             int b) {
    return a;
}

class A : public B {
public:
    int f(int x) const {
        y();
        $0
    }
};

}
""",
        ["module n | namespace n", "class n.A | class A : public B", "method n.A.f | int f(int x) const"],
        ["return g(x", 'x = "', "if (x) {", "y->"],
    ),
    (
        "csharp",
        """\
namespace N
{
    public class A : B
    {
        public int F(int x)
        {
            Y();
            $0
        }

        void G() { }
    }
}
""",
        ["module N | namespace N", "class N.A | public class A : B", "method N.A.F | public int F(int x)"],
        ["return G(x", 'x = "', "if (x) {", "y."],
    ),
    (
        "ruby",
        """\
module M
  class A < B
    def f(x)
      y
      $0
    end

    def g
    end
  end
end
""",
        ["module M | module M", "class M.A | class A < B", "method M.A.f | def f(x)"],
        ["return g(x", 'x = "', "if x", "y.each do |z", "x ="],
    ),
    (
        "php",
        """\
<?php
class A extends B
{
    public function f(int $x): int
    {
        y();
        $0
    }

    function g() { }
}
""",
        ["class A | class A extends B", "method A.f | public function f(int $x): int"],
        ["return g($x", "$x = '", "if ($x) {", "$y->"],
    ),
    (
        "shellscript",
        """\
f() {  # first
  y
  $0
}

g() {
  :
}
""",
        ["function f | f()"],
        ["x=$(g", 'x="', "if x; then", "for i in"],
    ),
]
CASES = [(language, source, expected, typed) for language, source, expected, more in ROWS for typed in ("", *more)]


def parsed(source: str, language: str) -> Tree:
    tree = parse(language, Text(source))
    assert tree is not None
    return tree


def told(text: Text, scopes: tuple[Definition, ...]) -> list[str]:
    return [f"{each.kind} {each.path} | {' '.join(text.slice(each.header).split())}" for each in scopes]


@each_row(("language", "marked", "expected", "typed"), CASES)
def test_scopes(language: str, marked: str, expected: list[str], typed: str) -> None:
    source, offset = marked.replace("$0", typed), marked.index("$0") + len(typed)
    tree = parsed(source, language)
    scopes = tree.scopes(offset)
    # What is written around the file, its package, may be lost with an error; it says nothing about the cursor.
    if not typed:
        assert told(tree.text, scopes) == expected
    assert [line.split(" | ")[1] for line in told(tree.text, scopes)] == [line.split(" | ")[1] for line in expected]
    assert [each.name for each in scopes] == [line.split(" | ")[0].split(".")[-1].split()[-1] for line in expected]
    # Behind the last statement of a body that indentation ends, the cursor is in the body and behind its span.
    for each in scopes:
        assert each.span.start <= offset
        assert language == "python" or offset <= each.span.end
    assert tuple(each.name for each in scopes) == tuple(name.split("::")[-1] for name, _ in tree.place(offset).scope)


@pytest.mark.parametrize("language", SAMPLES)
def test_scopes_are_among_the_definitions(language: str) -> None:
    tree = parsed(SAMPLES[language].source, language)
    definitions = {(each.name, each.header.start): each for each in tree.definitions()}
    for offset in range(0, len(tree.text), 7):
        for scope in tree.scopes(offset):
            known = definitions[scope.name, scope.header.start]
            assert (scope.kind, scope.header, scope.body, scope.doc) == (
                known.kind,
                known.header,
                known.body,
                known.doc,
            )
            assert scope.path == known.path


def test_decorators_and_docs_belong_to_a_scope() -> None:
    source = "# no\n\n@cached\ndef f(x):\n    '''Documented.'''\n    return x\n"
    tree = parsed(source, "python")
    (scope,) = tree.scopes(len(source) - 2)
    assert tree.text.slice(scope.span).startswith("@cached")
    assert scope.doc is not None
    assert tree.text.slice(scope.doc) == "Documented."
    assert scope.body is not None
    assert tree.text.slice(scope.body).endswith("return x")


def test_no_scope_at_the_top() -> None:
    tree = parsed("def f():\n    pass\n\n\n", "python")
    assert tree.scopes(len(tree.text)) == ()
    assert tree.scopes(-5) == tree.scopes(0)
    assert tree.scopes(10**9) == ()
