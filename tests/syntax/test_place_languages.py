"""What surrounds a cursor in each language that has a grammar besides Python and JavaScript.

`$0` is the cursor. A row says what it is in, the names of the scopes, whether a body begins here, and how many columns
the line is indented that opens the innermost block. Each row is also tried with CRLF line ends and behind a line of
letters that take several bytes, which must not matter.
"""

from __future__ import annotations

from each_row import each_row

from aigc_lsp.syntax import parse
from aigc_lsp.syntax.place import width
from aigc_lsp.text import Text

Row = tuple[str, str, str, bool, int]
CODE, STRING, COMMENT = "code", "string", "comment"

# fmt: off
JAVA: list[Row] = [
    ("class A {\n    int f(int x) {\n        $0\n    }\n}\n", CODE, "A.f", True, 4),
    ("class A {\n    int f(int x) {\n        $0\n", CODE, "A.f", True, 4),
    ("class A {\n    int f(int x)\n    {\n        $0\n    }\n}\n", CODE, "A.f", True, 4),
    ("class A {\n    int f(int x) {\n        return x$0;\n    }\n}\n", CODE, "A.f", False, 4),
    ("class A {\n    int f(int x) {\n        return g($0\n    }\n}\n", CODE, "A.f", False, 4),
    ("class A {\n    <T> List<T> f(int x) throws E {\n        g.\n        h.$0\n    }\n}\n", CODE, "A.f", False, 4),
    ("class A {\n    void f() {\n        if (x) {\n            $0\n        }\n    }\n}\n", CODE, "A.f", True, 8),
    ("class A {\n    void f() {\n        if (x) {\n"
     "            y = $0\n    }\n\n    void g() {\n    }\n}\n", CODE, "A.f", False, 8),
    ("class A {\n    $0\n\n    void g() {\n    }\n}\n", CODE, "A", False, 0),
    ("class A {\n    void f() {\n    }\n$0\n}\n", CODE, "A", False, 0),
    ("class A {\n}\n$0\n", CODE, "", False, 0),
    ("public interface I<T> extends J {\n    $0\n}\n", CODE, "I", True, 0),
    ("enum E {\n    A, B;\n\n    int f() {\n        return $0\n    }\n}\n", CODE, "E.f", False, 4),
    ("record R(int a) {\n    R {\n        $0\n    }\n}\n", CODE, "R.R", True, 4),
    ("class A {\n    void f() {\n        x.forEach(y -> {\n"
     "            $0\n        });\n    }\n}\n", CODE, "A.f", True, 8),
    ('class A {\n    String s = "a$0b";\n}\n', STRING, "A", False, 0),
    ('class A {\n    String s = "ab$0\n}\n', STRING, "A", False, 0),
    ('class A {\n    void f() {\n        g("ab$0\n        h();\n    }\n}\n', STRING, "A.f", False, 4),
    ('class A {\n    String s = "ab\n    int x = $0\n}\n', CODE, "A", False, 0),
    ('class A {\n    String s = """\n        ab\n        $0\n', STRING, "A", False, 0),
    ("class A {\n    char c = '\"'; int x = $0\n}\n", CODE, "A", False, 0),
    ("class A {\n    // don't $0\n}\n", COMMENT, "A", False, 0),
    ("class A {\n    /** a\n     * b$0\n     */\n    void f() {\n    }\n}\n", COMMENT, "A", False, 0),
    ("class A {\n    void f() { }\n    /* a\n    $0\n", COMMENT, "A", False, 0),
]
GO: list[Row] = [
    ("package a\n\nfunc f(x int) error {\n\t$0\n}\n", CODE, "f", True, 0),
    ("package a\n\nfunc f(x int) error {\n\t$0\n", CODE, "f", True, 0),
    ("package a\n\nfunc f(x int) error {$0}\n", CODE, "f", True, 0),
    ("package a\n\nfunc (s *Server) Run(c context.Context) error {\n"
     "\treturn s.$0\n}\n\nfunc g() {\n}\n", CODE, "Run", False, 0),
    ("package a\n\nfunc (s *Server) Run(\n\tc context.Context,\n"
     ") error {\n\tx := f($0\n}\n\nfunc g() {\n}\n", CODE, "Run", False, 0),
    ("package a\n\nfunc f() {\n\tif err != nil {\n\t\t$0\n\t}\n}\n", CODE, "f", True, 8),
    ("package a\n\nfunc f() {\n\tif err != nil {\n\t\t$0\n}\n\nfunc g() {\n}\n", CODE, "f", True, 8),
    ("package a\n\nfunc f() {\n\tfor _, x := range xs {\n\t\tg(x)\n\t\t$0\n\t}\n}\n", CODE, "f", False, 8),
    ("package a\n\nfunc f() {\n\tswitch x {\n\t$0\n\t}\n}\n", CODE, "f", True, 8),
    ("package a\n\nfunc f() {\n\tgo func() {\n\t\t$0\n\t}()\n}\n", CODE, "f", True, 8),
    ("package a\n\nfunc f() {\n\tx := T{\n\t\t$0\n\t}\n}\n", CODE, "f", False, 0),
    ("package a\n\ntype S struct {\n\t$0\n}\n", CODE, "S", True, 0),
    ("package a\n\ntype S struct {\n\tA int\n\t$0\n}\n", CODE, "S", False, 0),
    ("package a\n\ntype I interface {\n\t$0\n}\n", CODE, "I", True, 0),
    ("package a\n\nfunc f() {\n}\n\n$0\n\nfunc g() {\n}\n", CODE, "", False, 0),
    ("package a\n\nimport (\n\t$0\n)\n", CODE, "", False, 0),
    ('package a\n\nvar s = "a$0b"\n', STRING, "", False, 0),
    ('package a\n\nfunc f() {\n\tg("ab$0\n\th()\n}\n', STRING, "f", False, 0),
    ("package a\n\nvar s = `ab\n$0`\n", STRING, "", False, 0),
    ("package a\n\nvar s = `ab\n$0", STRING, "", False, 0),
    ("package a\n\nvar s = `C:\\`\nvar t = $0\n", CODE, "", False, 0),
    ("package a\n\nvar r = '\"'\nvar t = f($0\n", CODE, "", False, 0),
    ("package a\n\n// f is don't$0\nfunc f() {\n}\n", COMMENT, "", False, 0),
    ("package a\n\nfunc f() {\n\t/* a $0 */\n}\n", COMMENT, "f", False, 0),
]
RUST: list[Row] = [
    ("fn f(x: i32) -> i32 {\n    $0\n}\n", CODE, "f", True, 0),
    ("fn f(x: i32) -> i32 {\n    $0\n", CODE, "f", True, 0),
    ("pub async fn f<T: A>(x: &T) -> R<()>\nwhere\n    T: B,\n{\n    $0\n}\n", CODE, "f", True, 0),
    ("impl<T> Point<T> {\n    pub fn new(x: T) -> Self {\n"
     "        Self { x$0 }\n    }\n}\n", CODE, "Point.new", False, 4),
    ("impl<T> fmt::Display for Point<T> {\n"
     "    fn fmt(&self) -> R {\n        self.$0\n    }\n}\n", CODE, "Point.fmt", False, 4),
    ("impl Point {\n    fn f(&self) {\n        let x = g(\n"
     "\n    fn h(&self) {\n        let y = self.$0\n    }\n}\n", CODE, "Point.h", False, 4),
    ("impl Point {\n    $0\n}\n", CODE, "Point", True, 0),
    ("trait T {\n    fn f(&self);\n    $0\n}\n", CODE, "T", False, 0),
    ("mod a {\n    fn f() {\n        loop {\n            $0\n        }\n    }\n}\n", CODE, "a.f", True, 8),
    ("fn f() {\n    match x {\n        $0\n    }\n}\n", CODE, "f", True, 4),
    ("fn f() {\n    match x {\n        A => {\n            $0\n        }\n    }\n}\n", CODE, "f", True, 8),
    ("fn f() {\n    if let Some(x) = y {\n        $0\n    } else {\n    }\n}\n", CODE, "f", True, 4),
    ("fn f() {\n    xs.iter().map(|x| {\n        $0\n    });\n}\n", CODE, "f", True, 4),
    ("struct S {\n    $0\n}\n", CODE, "S", True, 0),
    ("enum E {\n    A,\n    $0\n}\n", CODE, "E", False, 0),
    ("fn f() {\n}\n\n$0\n", CODE, "", False, 0),
    ("fn f<'a>(x: &'a str) {\n    g(x$0\n}\n", CODE, "f", False, 0),
    ('fn f() {\n    g("ab$0");\n}\n', STRING, "f", False, 0),
    ('fn f() {\n    g("ab$0\n', STRING, "f", False, 0),
    ('fn f() {\n    g("ab\n    cd $0\n', STRING, "f", False, 0),
    ('fn f() {\n    g(r#"a"b$0"#);\n}\n', STRING, "f", False, 0),
    ("fn f() {\n    let c = '\"';\n    g($0\n}\n", CODE, "f", False, 0),
    ("/// A don't$0\nfn f() {\n}\n", COMMENT, "", False, 0),
    ("/// A\n$0fn f() {\n}\n", CODE, "", False, 0),
    ("fn f() {\n    /* a $0 */\n}\n", COMMENT, "f", False, 0),
]
C: list[Row] = [
    ("int f(int x)\n{\n    $0\n}\n", CODE, "f", True, 0),
    ("int f(int x) {\n    $0\n}\n", CODE, "f", True, 0),
    ("int f(int x) {\n    $0\n", CODE, "f", True, 0),
    ("static struct point *make(int x,\n"
     "                          int y)\n{\n    return $0\n}\n", CODE, "make", False, 0),
    ("int f(int x)\n{\n    return g($0\n}\n\nint h(void)\n{\n    return 1;\n}\n", CODE, "f", False, 0),
    ("int f(int x)\n{\n    if (x) {\n        $0\n    }\n}\n", CODE, "f", True, 4),
    ("int f(int x)\n{\n    if (x) {\n        y = $0\n}\n\nint h(void)\n{\n    return 1;\n}\n", CODE, "f", False, 4),
    ("int f(int x)\n{\n    for (;;) {\n        g();\n        $0\n    }\n}\n", CODE, "f", False, 4),
    ("int f(int x)\n{\n    do {\n        $0\n    } while (x);\n}\n", CODE, "f", True, 4),
    ("struct point {\n    $0\n};\n", CODE, "point", True, 0),
    ("struct point {\n    int x;\n    $0\n};\n", CODE, "point", False, 0),
    ("typedef struct {\n    int x;\n    $0\n} Point;\n", CODE, "Point", False, 0),
    ("enum color {\n    RED,\n    $0\n};\n", CODE, "color", False, 0),
    ("int xs[] = {\n    $0\n};\n", CODE, "", False, 0),
    ("#define A 1\n$0\nint f(void) {\n}\n", CODE, "", False, 0),
    ("#ifdef A\nint f(void)\n{\n    $0\n}\n#endif\n", CODE, "f", True, 0),
    ("#error don't\nint f(void)\n{\n    g($0\n}\n", CODE, "f", False, 0),
    ('char *s = "a$0b";\n', STRING, "", False, 0),
    ('void f(void)\n{\n    g("ab$0\n    h();\n}\n', STRING, "f", False, 0),
    ('#include "a$0.h"\n', STRING, "", False, 0),
    ("#include <a$0.h>\n", STRING, "", False, 0),
    ("char c = '$0a';\n", STRING, "", False, 0),
    ("// don't$0\n", COMMENT, "", False, 0),
    ("int f(void)\n{\n    /* a\n     * $0\n     */\n}\n", COMMENT, "f", False, 0),
    ("int x;\n/* a\n$0", COMMENT, "", False, 0),
]
CPP: list[Row] = [
    ("namespace n {\nclass Foo : public Bar {\n  public:\n"
     "    Foo(int x) : x_(x) {\n        $0\n    }\n};\n}\n", CODE, "n.Foo.Foo", True, 4),
    ("template <typename T>\nT max(T a, T b)\n{\n    $0\n}\n", CODE, "max", True, 0),
    ("void n::Foo::run(int a) const {\n    v.$0\n}\n", CODE, "n::Foo::run", False, 0),
    ("void n::Foo::run(int a) const {\n"
     "    v.f($0\n}\n\nint g() {\n    return 1;\n}\n", CODE, "n::Foo::run", False, 0),
    ("class Foo {\n    int f(const std::vector<int> &x) const override {\n"
     "        return x.$0\n    }\n};\n", CODE, "Foo.f", False, 4),
    ("class Foo {\n    $0\n};\n", CODE, "Foo", True, 0),
    ("class Foo {\n  public:\n    $0\n};\n", CODE, "Foo", False, 0),
    ("enum class E : int {\n    $0\n};\n", CODE, "E", True, 0),
    ("int f() {\n    auto g = [&](int x) {\n        $0\n    };\n}\n", CODE, "f", True, 4),
    ("int f() {\n    try {\n        $0\n    } catch (const E &e) {\n    }\n}\n", CODE, "f", True, 4),
    ("int f() {\n    for (auto x : xs) {\n        $0\n", CODE, "f", True, 4),
    ('extern "C" {\n$0\n}\n', CODE, "", True, 0),
    ("namespace a::b {\n    $0\n}\n", CODE, "a::b", True, 0),
    ("int &f(int &a) {\n    return $0\n}\n", CODE, "f", False, 0),
    ("std::vector<int> f() {\n    return {$0};\n}\n", CODE, "f", False, 0),
    ('auto s = R"(a"b$0)";\n', STRING, "", False, 0),
    ('auto s = u8"a$0";\n', STRING, "", False, 0),
    ("int x = 1'000'000;\nint y = f($0\n", CODE, "", False, 0),
    ('int f() {\n    g("ab$0\n    h();\n}\n', STRING, "f", False, 0),
    ("int f() {\n    // don't$0\n}\n", COMMENT, "f", False, 0),
]
CSHARP: list[Row] = [
    ("namespace A\n{\n    class B\n    {\n        void F(int x)\n"
     "        {\n            $0\n        }\n    }\n}\n", CODE, "A.B.F", True, 8),
    ("namespace A.B;\n\nclass C\n{\n    void F(int x)\n    {\n        $0\n", CODE, "C.F", True, 4),
    ('class B\n{\n    public async Task<int> F(string s = "a")\n'
     "    {\n        await s.$0\n    }\n\n    void G() { }\n}\n", CODE, "B.F", False, 4),
    ("class B\n{\n    public List<int> F(string s)\n    {\n"
     "        return G($0\n    }\n\n    void H()\n    {\n    }\n}\n", CODE, "B.F", False, 4),
    ("class B\n{\n    public int X\n    {\n        $0\n    }\n}\n", CODE, "B.X", True, 4),
    ("class B\n{\n    public int X\n    {\n        get\n"
     "        {\n            return $0\n        }\n    }\n}\n", CODE, "B.X", False, 8),
    ("class B\n{\n    public int X { get; $0 }\n}\n", CODE, "B.X", False, 4),
    ("class B\n{\n    public int X => $0;\n}\n", CODE, "B", False, 0),
    ("class B\n{\n    public B(int x) : base(x)\n    {\n        $0\n    }\n}\n", CODE, "B.B", True, 4),
    ("interface I\n{\n    $0\n}\n", CODE, "I", True, 0),
    ("enum E\n{\n    A,\n    $0\n}\n", CODE, "E", False, 0),
    ("record R(int A)\n{\n    int F() => $0\n}\n", CODE, "R", False, 0),
    ("class B\n{\n    void F()\n    {\n        foreach (var x in xs)\n"
     "        {\n            $0\n        }\n    }\n}\n", CODE, "B.F", True, 8),
    ("class B\n{\n    void F()\n    {\n        xs.Select(x =>\n"
     "        {\n            $0\n        });\n    }\n}\n", CODE, "B.F", True, 8),
    ("class B\n{\n    void F() { }\n$0\n}\n", CODE, "B", False, 0),
    ("#region don't\nclass B\n{\n    int F()\n    {\n"
     "        return G($0\n    }\n}\n#endregion\n", CODE, "B.F", False, 4),
    ('var s = "a$0b";\n', STRING, "", False, 0),
    ('var s = $"a{b$0}c";\n', CODE, "", False, 0),
    ('var s = $"a{b}c$0";\n', STRING, "", False, 0),
    ('var s = $"a{b$0', CODE, "", False, 0),
    ('var s = $"a{b}c$0', STRING, "", False, 0),
    ('var s = @"a\nb$0";\n', STRING, "", False, 0),
    ('var s = @"a\nb$0', STRING, "", False, 0),
    ('var s = """\n    a\n    $0\n', STRING, "", False, 0),
    ('class B\n{\n    void F()\n    {\n        G("ab$0\n        H();\n    }\n}\n', STRING, "B.F", False, 4),
    ("class B\n{\n    /// <summary>don't$0\n    void F() { }\n}\n", COMMENT, "B", False, 0),
]
RUBY: list[Row] = [
    ("def f(x)\n  $0\nend\n", CODE, "f", True, 0),
    ("def f(x)\n  $0\n", CODE, "f", True, 0),
    ("def f\n  $0\nend\n", CODE, "f", True, 0),
    ("def f$0\nend\n", CODE, "f", False, 0),
    ("def f(x)\n  x.$0\nend\n", CODE, "f", False, 0),
    ("class A < B\n  def f(x)\n    $0\n  end\nend\n", CODE, "A.f", True, 2),
    ("class A\n  def f(x)\n    $0\n\n  def g\n    1\n  end\nend\n", CODE, "A.f", True, 2),
    ("class A\n  def self.f(x)\n    y = g($0\n  end\n\n  def g\n  end\nend\n", CODE, "A.f", False, 2),
    ("module M\n  class A\n    def f?\n      @x = $0\n    end\n  end\nend\n", CODE, "M.A.f?", False, 4),
    ("class A\n  $0\nend\n", CODE, "A", True, 0),
    ("class A\n  def f\n    1\n  end\n  $0\nend\n", CODE, "A", False, 0),
    ("class A\n  def f\n    1\n  end\nend\n$0\n", CODE, "", False, 0),
    ("class A\n  def f\n    1\n  end$0\nend\n", CODE, "A", False, 0),
    ("def f\n  if x\n    $0\n  else\n    y\n  end\nend\n", CODE, "f", True, 2),
    ("def f\n  if x\n    y\n  else\n    $0\n  end\nend\n", CODE, "f", True, 2),
    ("def f\n  xs.each do |x|\n    $0\n  end\nend\n", CODE, "f", True, 2),
    ("def f\n  xs.map { |x|\n    $0\n  }\nend\n", CODE, "f", True, 2),
    ("def f\n  while x\n    y\n    $0\n  end\nend\n", CODE, "f", False, 2),
    ("def f\n  case x\n  when 1\n    $0\n  end\nend\n", CODE, "f", True, 2),
    ("def f\n  begin\n    x\n  rescue E => e\n    $0\n  end\nend\n", CODE, "f", True, 2),
    ("def f\n  x\nensure\n  $0\nend\n", CODE, "f", True, 0),
    ("def f\n  x = if y\n    $0\n  end\nend\n", CODE, "f", True, 2),
    ("def f = g($0)\n", CODE, "f", False, 0),
    ("x = { a: $0 }\n", CODE, "", False, 0),
    ("return 1 if $0\n", CODE, "", False, 0),
    ('x = "a$0b"\n', STRING, "", False, 0),
    ('x = "a#{b$0}c"\n', CODE, "", False, 0),
    ('x = "a#{b}c$0"\n', STRING, "", False, 0),
    ('def f\n  x = "a#{b$0\nend\n', CODE, "f", False, 0),
    ('def f\n  puts "ab$0\nend\n', STRING, "f", False, 0),
    ("x = <<~A\n  ab $0\nA\n", STRING, "", False, 0),
    ("x = <<~A\n  ab $0", STRING, "", False, 0),
    ("x = %w[a $0b]\n", STRING, "", False, 0),
    ("x = :a\ny = /a$0b/\n", STRING, "", False, 0),
    ("# don't$0\n", COMMENT, "", False, 0),
    ("=begin\nab$0\n=end\n", COMMENT, "", False, 0),
]
PHP: list[Row] = [
    ("<?php\nfunction f(int $x): int {\n    $0\n}\n", CODE, "f", True, 0),
    ("<?php\nfunction f(int $x): int\n{\n    $0\n}\n", CODE, "f", True, 0),
    ("<?php\nfunction f(int $x): int\n{\n    $0\n", CODE, "f", True, 0),
    ("<?php\nnamespace A;\nclass B extends C\n{\n    public function f(?int $x): ?self\n"
     "    {\n        return $this->$0\n    }\n\n    function g() { }\n}\n", CODE, "B.f", False, 4),
    ("<?php\nclass B\n{\n    public static function f($x)\n    {\n"
     "        $y = g($0\n    }\n\n    function h()\n    {\n    }\n}\n", CODE, "B.f", False, 4),
    ("<?php\nclass B\n{\n    $0\n}\n", CODE, "B", True, 0),
    ("<?php\nclass B\n{\n    use T;\n    $0\n}\n", CODE, "B", False, 0),
    ("<?php\ninterface I {\n    $0\n}\n", CODE, "I", True, 0),
    ("<?php\ntrait T {\n    function f() {\n"
     "        foreach ($a as $b) {\n            $0\n        }\n    }\n}\n", CODE, "T.f", True, 8),
    ("<?php\nif ($a):\n    $0\nendif;\n", CODE, "", True, 0),
    ("<?php\n$f = function ($x) use ($y) {\n    $0\n};\n", CODE, "", True, 0),
    ("<?php\nfunction f() {\n}\n$0\n", CODE, "", False, 0),
    ("<?php\n$x = [\n    $0\n];\n", CODE, "", False, 0),
    ("<p>don't$0</p>\n<?php\nf();\n", CODE, "", False, 0),
    ("<p>don't</p>\n<?php\nfunction f() {\n    g($0\n}\n", CODE, "f", False, 0),
    ("<?php\n$x = 'a$0b';\n", STRING, "", False, 0),
    ("<?php\nfunction f() {\n    g('ab$0\n", STRING, "f", False, 0),
    ('<?php\nfunction f() {\n    g("ab {$x$0\n', CODE, "f", False, 0),
    ('<?php\n$x = "a $y b$0";\n', STRING, "", False, 0),
    ("<?php\n$x = <<<A\n  ab $0\nA;\n", STRING, "", False, 0),
    ("<?php\n$x = <<<A\n  ab $0", STRING, "", False, 0),
    ("<?php\n// don't$0\n", COMMENT, "", False, 0),
    ("<?php\n# don't$0\n", COMMENT, "", False, 0),
    ("<?php\n/** a\n * $0\n */\nfunction f() {}\n", COMMENT, "", False, 0),
]
SHELL: list[Row] = [
    ("f() {\n  $0\n}\n", CODE, "f", True, 0),
    ("f() {\n  $0\n", CODE, "f", True, 0),
    ("function f {\n  local x=$0\n}\n", CODE, "f", False, 0),
    ('f() {\n  if [ -z "$1" ]; then\n    $0\n  fi\n}\n', CODE, "f", True, 2),
    ('f() {\n  if [ -z "$1" ]; then\n    $0\n}\n\ng() {\n  :\n}\n', CODE, "f", True, 2),
    ("if a\nthen\n  $0\nfi\n", CODE, "", True, 0),
    ("if a; then\n  b\nelse\n  $0\nfi\n", CODE, "", True, 0),
    ("if a; then\n  b\n  $0\nelse\n  c\nfi\n", CODE, "", False, 0),
    ("for i in a b; do\n  $0\ndone\n", CODE, "", True, 0),
    ('while read -r x; do\n  echo "$x"\n  $0\ndone\n', CODE, "", False, 0),
    ("case $x in\n  $0\nesac\n", CODE, "", True, 0),
    ("case $x in\n  a)\n    $0\n    ;;\nesac\n", CODE, "", True, 2),
    ("f() {\n  x\n}\n$0\n", CODE, "", False, 0),
    ("x=(\n  $0\n)\n", CODE, "", False, 0),
    ("f() {\n  g | $0\n}\n", CODE, "f", False, 0),
    ("f() {\n  g $(h $0\n}\n", CODE, "f", False, 0),
    ('echo "a$0b"\n', STRING, "", False, 0),
    ('echo "a $(b$0) c"\n', CODE, "", False, 0),
    ('f() {\n  echo "ab$0\n}\n', STRING, "f", False, 0),
    ("f() {\n  echo 'ab$0\n}\n", STRING, "f", False, 0),
    ('echo "a $(b$0\n', CODE, "", False, 0),
    ("cat <<A\nab $0\nA\n", STRING, "", False, 0),
    ("cat <<A\nab $0", STRING, "", False, 0),
    ("# don't$0\n", COMMENT, "", False, 0),
    ("x=1 # don't$0\n", COMMENT, "", False, 0),
]
# fmt: on

TABLES = {
    "java": JAVA,
    "go": GO,
    "rust": RUST,
    "c": C,
    "cpp": CPP,
    "csharp": CSHARP,
    "ruby": RUBY,
    "php": PHP,
    "shellscript": SHELL,
}
ROWS = [(language, *row) for language, rows in TABLES.items() for row in rows]
WIDE = {"php": "<p>é日😀</p>\n", "ruby": "# é日😀\n", "shellscript": "# é日😀\n"}


def seen(marked: str, language: str) -> tuple[str, str, bool, int]:
    offset = marked.index("$0")
    text = Text(marked[:offset] + marked[offset + 2 :])
    tree = parse(language, text)
    assert tree is not None
    place = tree.place(offset)
    assert place.block_end is None or offset <= place.block_end <= len(text)
    return place.kind, ".".join(name for name, _ in place.scope), place.opens_block, width(place.block_indent)


@each_row(("language", "marked", "kind", "scope", "opens", "columns"), ROWS)
def test_place(language: str, marked: str, kind: str, scope: str, opens: bool, columns: int) -> None:
    expected = (kind, scope, opens, columns)
    assert seen(marked, language) == expected
    assert seen(marked.replace("\n", "\r\n"), language) == expected
    assert seen(WIDE.get(language, "// é日😀\n") + marked, language) == expected
