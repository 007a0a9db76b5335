"""What a docstring has to tell of, read off the tree: a table for each language."""

from __future__ import annotations

from each_row import each_row

from aigc_lsp.docstring.structure import subjects
from aigc_lsp.docstring.subject import Parameter, Subject
from aigc_lsp.syntax import Tree, parse
from aigc_lsp.text import Text

SHORT = {"positional": "/", "keyword": "=", "rest": "*", "keywords": "**", "block": "&", "plain": "", "type": "<>"}


def tree_of(source: str, language: str) -> Tree:
    tree = parse(language, Text(source))
    assert tree is not None
    return tree


def listed(parameters: tuple[Parameter, ...]) -> str:
    """`*rest: int`, `a: str = 1`, `b?`: one after the other."""
    said = []
    for each in parameters:
        mark = "?" if each.optional and not each.default else ""
        type_, default = f": {each.type}" if each.type else "", f" = {each.default}" if each.default else ""
        said.append(f"{SHORT[each.kind]}{each.name}{mark}{type_}{default}")
    return ", ".join(said)


def told(subject: Subject) -> str:
    """All that is there, and nothing about what is not."""
    said = f"{subject.kind} {subject.parent + '.' if subject.parent else ''}{subject.name}"
    if subject.generics:
        said += f"<{', '.join(subject.generics)}>"
    if subject.parameters or subject.kind not in ("class", "module"):
        said += f"({listed(subject.parameters)})"
    for word, value in (("returns", subject.returns), ("yields", subject.yields)):
        if value is not None:
            said += f" {word}[{value}]"
    if subject.attributes:
        said += f" has[{listed(subject.attributes)}]"
    for word, names in (("raises", subject.raises), ("decorated", subject.decorators)):
        if names:
            said += f" {word}[{', '.join(names)}]"
    flags = [name for name in ("async", "static", "overload", "abstract") if getattr(subject, f"is_{name}")]
    return " ".join([said, *flags])


def all_told(source: str, language: str) -> list[str]:
    return [told(subject) for subject in subjects(tree_of(source, language)) if subject.kind != "module"]


PYTHON = {
    "def f(a, b=1, *c, d, e=2, **g): pass": "function f(a, b = 1, *c, =d, =e = 2, **g)",
    "def f(a: int, /, b: 'x' = 1, *, c: list[int] = []) -> None: ...": (
        "function f(/a: int, b: 'x' = 1, =c: list[int] = [])"
    ),
    "def f(*args: int, **kwargs: str): return 1": "function f(*args: int, **kwargs: str) returns[]",
    "def f(größe: int = 'ä'): return größe": "function f(größe: int = 'ä') returns[]",
    "def f(a=lambda x, *y: x): pass": "function f(a = lambda x, *y: x)",
    "def f(a,\n      # why\n      b,\n      ):\n    return": "function f(a, b)",
    "def f[T, *Ts, **P](a: T) -> T: return a": "function f<T, Ts, P>(a: T) returns[T]",
    "async def f(a): return a": "function f(a) returns[] async",
    # what is returned
    "def f(): return None": "function f()",
    "def f() -> int: return 1": "function f() returns[int]",
    "def f() -> int: raise E": "function f() raises[E]",
    "def f() -> int: ...": "function f() returns[int]",
    "def f():\n    def g(): return 1": ["function f()", "function f.g() returns[]"],
    "def f(): g = lambda: 1": "function f()",
    "def f():\n    if x:\n        return\n    return 2": "function f() returns[]",
    "def f():\n    class A:\n        def m(self): return 1": ["function f()", "class f.A", "method f.A.m() returns[]"],
    # what is yielded
    "def f() -> Iterator[int]: yield 1": "function f() yields[int]",
    "def f() -> Generator[int, str, bytes]:\n    yield 1\n    return b''": "function f() returns[bytes] yields[int]",
    "def f() -> typing.AsyncIterator[dict[str, int]]: yield {}": "function f() yields[dict[str, int]]",
    "def f(): x = yield": "function f() yields[]",
    "def f(): yield from g()": "function f() yields[]",
    "async def f():\n    async for x in y:\n        yield x": "function f() yields[] async",
    "def f(): return (yield)": "function f() returns[] yields[]",
    "def f(): return [(yield x) for x in y]": "function f() returns[] yields[]",
    "def f(): g = lambda: (yield)": "function f()",
    # what is raised
    "def f(): raise ValueError": "function f() raises[ValueError]",
    "def f(): raise a.B('x') from e": "function f() raises[a.B]",
    "def f(self): raise self.Error()": "function f(self) raises[Error]",
    "def f():\n    raise A\n    raise B\n    raise A()": "function f() raises[A, B]",
    "def f(): raise socket.timeout": "function f() raises[socket.timeout]",
    "def f(): raise make(x)": "function f()",
    "def f(): raise errors[0](1)": "function f()",
    "def f(e): raise e": "function f(e)",
    "def f():\n    error = ValueError(1)\n    raise error": "function f() raises[ValueError]",
    "def f(): raise E(1).with_traceback(t)": "function f() raises[E]",
    "def f():\n    def g(): raise A": ["function f()", "function f.g() raises[A]"],
    "def f():\n    try:\n        raise A\n    except A:\n        pass": "function f()",
    "def f():\n    try:\n        raise FileNotFoundError\n    except OSError: pass": "function f()",
    "def f():\n    try:\n        raise Mine\n    except Exception: pass": "function f()",
    "def f():\n    try:\n        raise SystemExit\n    except Exception: pass": "function f() raises[SystemExit]",
    "def f():\n    try:\n        raise A\n    except: pass": "function f()",
    "def f():\n    try:\n        raise A\n    except B: pass": "function f() raises[A]",
    "def f():\n    try:\n        raise A\n    finally: pass": "function f() raises[A]",
    "def f():\n    try: pass\n    except A: pass\n    else:\n        raise A": "function f() raises[A]",
    "def f():\n    try: g()\n    except (A, b.C):\n        raise": "function f() raises[A, b.C]",
    "def f():\n    try: g()\n    except A as e:\n        raise e": "function f() raises[A]",
    "def f():\n    try: g()\n    except A as e:\n        raise e.with_traceback(None)": "function f() raises[A]",
    "def f():\n    try: g()\n    except A as e:\n        raise B from e": "function f() raises[B]",
    "def f():\n    try: g()\n    except:\n        raise": "function f()",
    "def f():\n    try: g()\n    except* A as e:\n        raise": "function f() raises[A]",
    "def f():\n    try:\n        try: g()\n        except A: raise\n    except A: pass": "function f()",
    "def f():\n    try:\n        try: raise A\n        except B: pass\n    except A: raise C": "function f() raises[C]",
    "def f():\n    try: g()\n    except A:\n        try: raise A\n        except B: pass": "function f() raises[A]",
    # classes
    "class A: pass": "class A",
    "class A[T](B, metaclass=M):\n    x: int = 1\n    y = 2\n    _z = 3\n    __slots__ = ()": (
        "class A<T> has[x: int = 1, y = 2]"
    ),
    "class A:\n    def __init__(self, a: int, b):\n        self.a = a\n        self.b: str = b\n        self._c = 1\n"
    "        other.d = 1\n        if a:\n            self.e = 1": [
        "class A has[a: int, b: str, e]", "constructor A.__init__(a: int, b)",
    ],
    "class A:\n    def __init__(this):\n        def g(): this.x = 1\n        this.y = 1": [
        "class A has[y]", "constructor A.__init__()", "function A.__init__.g()",
    ],
    "class A:\n    def __new__(cls, a): return a": ["class A", "constructor A.__new__(a) returns[]"],
    "class A:\n    def m(self, a): return a": ["class A", "method A.m(a) returns[]"],
    "class A:\n    def m(self, /, a, *b): pass": ["class A", "method A.m(a, *b)"],
    "class A:\n    def m(*args): pass": ["class A", "method A.m(*args)"],
    "class A:\n    @staticmethod\n    def m(a): pass": ["class A", "method A.m(a) decorated[staticmethod] static"],
    "class A:\n    @classmethod\n    def m(cls, a): pass": ["class A", "method A.m(a) decorated[classmethod]"],
    "class A:\n    @property\n    def m(self) -> int: return 1": [
        "class A", "property A.m() returns[int] decorated[property]",
    ],
    "class A:\n    @m.setter\n    def m(self, v): pass": ["class A", "property A.m(v) decorated[m.setter]"],
    "class A:\n    @functools.cached_property\n    def m(self): return 1": [
        "class A", "property A.m() returns[] decorated[functools.cached_property]",
    ],
    "class A:\n    @abc.abstractmethod\n    def m(self) -> int: ...": [
        "class A", "method A.m() returns[int] decorated[abc.abstractmethod] abstract",
    ],
    "class A:\n    @abstractmethod\n    def m(self) -> int: 'D.'; raise NotImplementedError": [
        "class A", "method A.m() returns[int] raises[NotImplementedError] decorated[abstractmethod] abstract",
    ],
    "@typing.overload\ndef f(a: int) -> str: ...": (
        "function f(a: int) returns[str] decorated[typing.overload] overload"
    ),
    "@a.b(1, x=2)\n@c\n# why\nasync def f(): pass": "function f() decorated[a.b, c] async",
    "class A:\n    class B:\n        def m(self): pass": ["class A", "class A.B", "method A.B.m()"],
}  # fmt: skip

JAVASCRIPT = {
    "function f(a, b = 1, ...c) {}": "function f(a, b = 1, *c)",
    "async function f() { return 1 }": "function f() returns[] async",
    "function* f() { yield 1; }": "function f() yields[]",
    "async function* f() { yield* g(); }": "function f() yields[] async",
    "function f() { return; }": "function f()",
    "function f() { return undefined; }": "function f()",
    "function f() { return void 0; }": "function f()",
    "function f() { return null; }": "function f() returns[]",
    "function f() { g(() => 1); h(function () { return 2; }); }": "function f()",
    "const f = a => a;": "function f(a) returns[]",
    "const f = asyncs => { };": "function f(asyncs)",
    "const f = (a) => { a; };": "function f(a)",
    "export const f = async (a) => ({ a });": "function f(a) returns[] async",
    "let f = function (a) { throw a; };": "function f(a) raises[Error]",
    "const f = () => 1, g = () => { throw new A(); };": "function f() returns[]",
    "module.exports.f = function (a) {};": "function f(a)",
    "module.exports = class A { constructor(a) {} };": "constructor A.constructor(a)",
    "function constructor(a) {}": "function constructor(a)",
    "export default function (a) {}": "function default(a)",
    "export default () => 1": "function default() returns[]",
    "export default function f(a) {}": "function f(a)",
    "const o = { m(a) {}, f: (b) => b, g: function (c) {}, get p() { return 1; } };": [
        "method m(a)", "method f(b) returns[]", "method g(c)", "property p() returns[]",
    ],
    # taken apart
    "function f({ a, b = 1, c: d, ...e }) {}": "function f(root, root.a, root.b = 1, root.c)",
    "function f({ a: { b, c = 2 } }, [d, e] = []) {}": (
        'function f(root, root.a, root.a.b, root.a.c = 2, root1 = [], root1."0", root1."1")'
    ),
    "const f = ({ a }) => { const { b } = a; };": "function f(root, root.a)",
    # what is thrown
    "function f() { throw new a.B(); }": "function f() raises[a.B]",
    "function f() { throw TypeError('x'); }": "function f() raises[TypeError]",
    "function f() { throw 'x'; }": "function f() raises[Error]",
    "function f() { const e = new RangeError(); throw e; }": "function f() raises[RangeError]",
    "function f() { try { throw new A(); } catch { } }": "function f()",
    "function f() { try { throw new A(); } finally { } }": "function f() raises[A]",
    "function f() { try { g(); } catch (e) { throw e; } }": "function f() raises[Error]",
    "function f() { try { g(); } catch (e) { throw new B(e); } }": "function f() raises[B]",
    # classes
    "class A { #p = 1; q = 2; static r; constructor(x) { this.x = x; this._y = 1; } }": [
        "class A has[q = 2, r, x]", "constructor A.constructor(x)",
    ],
    "class A { static async m() {} get p() { return 1; } set p(v) {} h = (a) => a; }": [
        "class A", "method A.m() async static", "property A.p() returns[]", "property A.p(v)",
        "method A.h(a) returns[]",
    ],
    "const A = class { m() {} };": ["class A", "method A.m()"],
}  # fmt: skip

TYPESCRIPT = {
    "function f<T extends X, U = Y>(this: A, a: T, b?: number, c: string = 'x', ...d: any[]): U { return g(a); }": (
        "function f<T, U>(a: T, b?: number, c: string = 'x', *d: any[]) returns[U]"
    ),
    "function f(): void {}": "function f()",
    "function f(): never { throw new A(); }": "function f() raises[A]",
    "async function f(): Promise<void> { return g(); }": "function f() async",
    "async function f(): Promise<A<B>> { return g(); }": "function f() returns[Promise<A<B>>] async",
    "function f(x: unknown): asserts x is A { }": "function f(x: unknown)",
    "function f(x: unknown): x is A { return true; }": "function f(x: unknown) returns[x is A]",
    "function* f(): Generator<number, string> { yield 1; return 'x'; }": "function f() returns[string] yields[number]",
    "function f(cb: (e: Error, ...r: any[]) => void, o: { m(x: number): string }) {}": (
        "function f(cb: (e: Error, ...r: any[]) => void, o: { m(x: number): string })"
    ),
    "function f({ a, b = 1 }: Props) {}": "function f(props: Props, props.a, props.b = 1)",
    "function f({ a }: { a: number } = { a: 1 }) {}": "function f(root: { a: number } = { a: 1 }, root.a)",
    "export const f = async <T,>(a: T): Promise<T> => a;": "function f<T>(a: T) returns[Promise<T>] async",
    "function f(a: string): string;\nfunction f(a: any) { return a; }": [
        "function f(a: string) returns[string] overload", "function f(a: any) returns[]",
    ],
    "declare function f(a: string): string;": "function f(a: string) returns[string]",
    "interface I<T> { a?: number; readonly b: T; m(x: T): string }": [
        "class I<T> has[a: number, b: T]", "method I.m(x: T) returns[string] abstract",
    ],
    "export type P = { a: number };": "class P has[a: number]",
    "enum E { A, B = 2 }": "class E has[A, B = 2]",
    "export abstract class A<T> { private x = 1; protected y: T; z?: number;\n"
    "  constructor(public a: T, private b: string, readonly c = 1) { super(); }\n"
    "  abstract m(): void;\n  @dec({ a: 1 }) static s(): T { return g(); } }": [
        "class A<T> has[z: number, a: T, c] abstract", "constructor A.constructor(a: T, b: string, c = 1)",
        "method A.m() abstract", "method A.s() returns[T] decorated[dec] static",
    ],
    "@Component({ x: 1 })\nexport class A { @Input() a: string; h = (e: E): void => { }; }": [
        "class A has[a: string] decorated[Component]", "method A.h(e: E)",
    ],
    "namespace N { export function f() {} }": "function f()",
}  # fmt: skip

JAVA = {
    "class A { int f(final int a, List<String> b, String... c) { return 1; } }": [
        "class A", "method A.f(a: int, b: List<String>, *c: String) returns[int]",
    ],
    "class A { void f() { Runnable r = () -> { throw new A(); }; } }": ["class A", "method A.f()"],
    "public abstract class A<T extends B & C> extends D { abstract <U> U f(); }": [
        "class A<T> abstract", "method A.f<U>() returns[U] abstract",
    ],
    "class A { public int a, b; private int c; static final String D = \"x\"; }": (
        "class A has[a: int, b: int, D: String = \"x\"]"
    ),
    "class A { @Deprecated @X(1) A(int a) throws IOException { } }": [
        "class A", "constructor A.A(a: int) raises[IOException] decorated[Deprecated, X]",
    ],
    "class A { void f() throws B { throw new C(); } }": ["class A", "method A.f() raises[B, C]"],
    "class A { void f() { try { throw new C(); } catch (C | D e) { throw e; } } }": [
        "class A", "method A.f() raises[C, D]",
    ],
    "class A { void f() { try { throw new C(); } catch (Throwable e) { } } }": ["class A", "method A.f()"],
    "class A { void f() { try { throw new FooError(); } catch (Exception e) { } } }": [
        "class A", "method A.f() raises[FooError]",
    ],
    "class A { void f() { RuntimeException e = new FooException(); throw e; } }": [
        "class A", "method A.f() raises[FooException]",
    ],
    "class A { static synchronized int f() { return 1; } }": ["class A", "method A.f() returns[int] static"],
    "record R<T>(int a, T b) { R { } int c() { return a; } }": [
        "class R<T>(a: int, b: T)", "constructor R.R()", "method R.c() returns[int]",
    ],
    "enum E { A, B(1); final int x; }": "class E has[A, B, x: int]",
    "interface I { int m(int a); default void d() { } }": [
        "class I", "method I.m(a: int) returns[int] abstract", "method I.d()",
    ],
}  # fmt: skip

C = {
    "int f(int a, const char *b, char c[], void (*d)(int x), ...) { return a; }": (
        "function f(a: int, b: const char *, c: char, d: void (*)(int x), *...) returns[int]"
    ),
    "void f(void) { }": "function f()",
    "static inline const char *f(struct s *x);": "function f(x: struct s *) returns[const char *]",
    "int (*f)(int a);": [],
    "int f(int, char *);": "function f() returns[int]",
    "void f() { int (*p)(int q); g(p); }": "function f()",
    "struct s { int a, *b; void (*c)(int); };": "class s has[a: int, b: int *, c: void (*)(int)]",
    "typedef struct t { int a; } T;": "class T has[a: int]",
    "typedef struct { int a; } T;": "class T has[a: int]",
    "enum e { A, B = 2 };": "class e has[A, B = 2]",
    "union u { int a; float b; };": "class u has[a: int, b: float]",
    "struct s v = { 1 };\nint x = 1;": [],
}  # fmt: skip

CPP = {
    "template <typename T, int N = 3, class... Ts> T f(T a, Ts&&... b) { return a; }": (
        "function f<T, N, Ts>(a: T, *b: Ts &&) returns[T]"
    ),
    "auto f(int a = 1) -> std::vector<int> { return {}; }": "function f(a: int = 1) returns[std::vector<int>]",
    "void f() { throw std::runtime_error(\"x\"); }": "function f() raises[std::runtime_error]",
    "void f() { try { throw A(); } catch (...) { } }": "function f()",
    "void f() { try { throw std::logic_error(\"x\"); } catch (const std::exception& e) { throw; } }": (
        "function f() raises[std::exception]"
    ),
    "void f() { try { g(); } catch (const A& e) { throw B{}; } }": "function f() raises[B]",
    "void f() { auto g = [](int x) { throw A(); }; std::vector<int> v(3); }": "function f()",
    "namespace n { class A { int a; void p(); public: explicit A(int x); ~A(); virtual int m() const = 0; int b; "
    "static A* s(); bool operator==(const A& o) const; private: int c; }; }": [
        "class n.A has[b: int]", "method n.A.p()", "constructor n.A.A(x: int)", "method n.A.~A()",
        "method n.A.m() returns[int] abstract", "method n.A.s() returns[A*] static",
        "method n.A.operator==(o: const A &) returns[bool]",
    ],
    "int A::f(int a) { return a; }": "method A.f(a: int) returns[int]",
    "template <class... T> A::A(T... a) : b{a...} { }": "constructor A.A<T>(*a: T)",
    "A::A(int a) : b(a) { }": "constructor A.A(a: int)",
    "struct S { int a; int m() { return a; } };": ["class S has[a: int]", "method S.m() returns[int]"],
}  # fmt: skip

CSHARP = {
    "class A { public int F(this int a, ref int b, string c = \"x\", params int[] d) { return 1; } }": [
        "class A", "method A.F(a: int, b: int, c: string = \"x\", *d: int[]) returns[int]",
    ],
    "class A { async Task F() { } async Task<int> G() { return 1; } }": [
        "class A", "method A.F() async", "method A.G() returns[Task<int>] async",
    ],
    "class A<T> where T : B { public int X { get; set; } public int Y => 1; public int z; int w; }": [
        "class A<T> has[z: int]", "property A.X() returns[int]", "property A.Y() returns[int]",
    ],
    "class A { [Attr(1)] public A(int x) : base(x) { } public static int S() => 1; }": [
        "class A", "constructor A.A(x: int) decorated[Attr]", "method A.S() returns[int] static",
    ],
    "class A { void F() { throw new N.E(); } }": ["class A", "method A.F() raises[N.E]"],
    "class A { int F() => x ?? throw new E(); }": ["class A", "method A.F() returns[int] raises[E]"],
    "class A { void F() { try { throw new E(); } catch (E e) { throw; } } }": ["class A", "method A.F() raises[E]"],
    "class A { void F() { try { throw new E(); } catch (E e) when (x) { } } }": ["class A", "method A.F() raises[E]"],
    "class A { void F() { try { throw new E(); } catch { } } }": ["class A", "method A.F()"],
    "class A { void F() { Action a = () => throw new E(); int L(int q) { return q; } } }": [
        "class A", "method A.F()", "function A.F.L(q: int) returns[int]",
    ],
    "class A { IEnumerable<int> F() { yield return 1; } }": [
        "class A", "method A.F() returns[IEnumerable<int>] yields[int]",
    ],
    "record R(int A, string B);": "class R(A: int, B: string)",
    "enum E { A, B = 2 }": "class E has[A, B = 2]",
    "interface I { int M(int a); }": ["class I", "method I.M(a: int) returns[int] abstract"],
    "delegate int D(int x);": "function D(x: int) returns[int]",
}  # fmt: skip

GO = {
    "func f(a, b int, c ...string) {}": "function f(a: int, b: int, *c: string)",
    "func f(_ int, a func(x int) error) {}": "function f(a: func(x int) error)",
    "func f() (int, error) { return 1, nil }": "function f() returns[(int, error)] raises[error]",
    "func f() (n int, err error) { return }": "function f() returns[(n int, err error)] raises[error]",
    "func f() error { return nil }": "function f() returns[error] raises[error]",
    "func f() []errors { return nil }": "function f() returns[[]errors]",
    "func f[T any, K comparable](m map[K]T) T { return m }": "function f<T, K>(m: map[K]T) returns[T]",
    "func f() { g := func(x int) int { return 1 }; g(1) }": "function f()",
    "func (s *S) M(a int) {}": "method S.M(a: int)",
    "func (s S[T]) M() {}": "method S.M()",
    "type S struct { A, B int; c string; *T }": "class S has[A: int, B: int]",
    "type I interface { M(a int) error }": ["class I", "method I.M(a: int) returns[error] raises[error] abstract"],
    "type (\n\tA struct { X int }\n\tB int\n)": ["class A has[X: int]", "class B"],
}  # fmt: skip
GO = {f"package p\n\n{source}": said for source, said in GO.items()}

RUST = {
    "fn f(a: i32, mut b: &str, _: u8) -> i32 { 1 }": "function f(a: i32, b: &str) returns[i32]",
    "fn f() -> () { }": "function f()",
    "fn f() -> ! { panic!() }": "function f() raises[panic!]",
    "fn f() -> Result<i32, my::Error> { Ok(1) }": "function f() returns[Result<i32, my::Error>] raises[my::Error]",
    "fn f() -> io::Result<()> { Ok(()) }": "function f() returns[io::Result<()>] raises[io::Error]",
    "fn f() -> Result<Vec<(A, B)>, Box<dyn Error>> { g() }": (
        "function f() returns[Result<Vec<(A, B)>, Box<dyn Error>>] raises[Box<dyn Error>]"
    ),
    "fn f(a: i32) { assert!(a > 0); let g = || panic!(); }": "function f(a: i32) raises[panic!]",
    "pub async fn f<'a, T: X, const N: usize>(a: &'a T) { }": "function f<T, N>(a: &'a T) async",
    "#[derive(Debug)]\npub struct S<T> { pub a: i32, b: T }": "class S<T> has[a: i32] decorated[derive]",
    "enum E { A(i32), B { x: i32 }, C = 1 }": "class E has[A, B, C = 1]",
    "impl<T> S<T> { fn new(a: T) -> Self { S { a } } fn m(&self, b: i32) { } }": [
        "method S.new(a: T) returns[Self] static", "method S.m(b: i32)",
    ],
    "trait T { fn m(&self) -> i32; }": ["class T", "method T.m() returns[i32] abstract"],
    "mod m { fn f() { } }": "function m.f()",
}  # fmt: skip

RUBY = {
    "def f(a, b = 1, *c, d:, e: 2, **f, &g)\nend": "function f(a, b = 1, *c, =d, =e = 2, **f, &g)",
    "def f a, b\n  a\nend": "function f(a, b) returns[]",
    "def f\n  puts 1\nend": "function f()",
    "def f = 1": "function f() returns[]",
    "def f\n  return 1 if x\n  puts 2\nend": "function f() returns[]",
    "def f\n  yield 1\n  nil\nend": "function f() yields[]",
    "def f\n  raise ArgumentError, 'x'\nend": "function f() raises[ArgumentError]",
    "def f\n  raise A::B.new('x')\nend": "function f() raises[A::B]",
    "def f\n  raise 'x'\nend": "function f() raises[RuntimeError]",
    "def f\n  g\nrescue A, B => e\n  raise\nend": "function f() returns[] raises[A, B]",
    "def f\n  begin\n    raise A\n  rescue A => e\n    raise e\n  end\n  nil\nend": "function f() raises[A]",
    "def f\n  begin\n    raise A\n  rescue\n    puts 1\n  end\n  nil\nend": "function f()",
    "class A < B\n  attr_reader :x, :y\n  def initialize(a)\n    @a = a\n  end\n  def self.s = 1\n"
    "  private def p; end\n  def w=(v)\n    @w = v\n  end\n  def q? = true\nend": [
        "class A has[x, y]", "constructor A.initialize(a)", "method A.s() returns[] static", "method A.p()",
        "method A.w=(v)", "method A.q?() returns[]",
    ],
    "module M\n  class A\n  end\nend": ["class M", "class M.A"],
}  # fmt: skip

PHP = {
    "function f(int|string $a, ?Foo $b = null, &$c, ...$d): ?int { return 1; }": (
        "function f(a: int|string, b: ?Foo = null, c, *d) returns[?int]"
    ),
    "function f(): void { }": "function f()",
    "function f($a) { yield $a; }": "function f(a) yields[]",
    "function f() { $g = function ($x) { return 1; }; $h = fn($y) => $y; }": "function f()",
    "function f() { throw new \\A\\B('x'); }": "function f() raises[A\\B]",
    "function f() { try { throw new A(); } catch (A | C $e) { throw $e; } }": "function f() raises[A, C]",
    "function f() { try { throw new A(); } catch (\\Throwable $e) { } }": "function f()",
    "function f() { $e = new A(); throw $e; }": "function f() raises[A]",
    "abstract class A { public int $x = 1; private $y; #[Attr]\n"
    "  public function __construct(private int $p, public string $q = 'a') { }\n"
    "  public static function s(): int { return 1; }\n  abstract function m(): int; }": [
        "class A has[x: int, q: string] abstract", "constructor A.__construct(p: int, q: string = 'a') decorated[Attr]",
        "method A.s() returns[int] static", "method A.m() returns[int] abstract",
    ],
    "interface I { function m(int $a): int; }": ["class I", "method I.m(a: int) returns[int] abstract"],
    "enum S: string { case A = 'a'; }": "class S has[A = 'a']",
}  # fmt: skip
PHP = {f"<?php\n{source}": said for source, said in PHP.items()}

SHELL = {
    'f() { local name="$1" dir=${2:-/tmp}; echo "$@"; return 1; }': "function f($1, $2 = /tmp, *$@) returns[]",
    "function f { echo hi; }": "function f()",
    "f() { echo ${10} $2 $1; }": "function f($1, $2, $10)",
}

LANGUAGES = {
    "python": PYTHON, "javascript": JAVASCRIPT, "javascriptreact": JAVASCRIPT, "typescript": TYPESCRIPT,
    "java": JAVA, "c": C, "cpp": CPP, "csharp": CSHARP, "go": GO, "rust": RUST, "ruby": RUBY, "php": PHP,
    "shellscript": SHELL,
}  # fmt: skip
TSX = {source: said for source, said in TYPESCRIPT.items() if "<T,>" not in source}
CASES = [
    (language, source, [said] if isinstance(said, str) else list(said))
    for language, table in {**LANGUAGES, "typescriptreact": TSX}.items()
    for source, said in table.items()
]


@each_row(("language", "source", "said"), CASES)
def test_what_is_told(language: str, source: str, said: list[str]) -> None:
    assert all_told(source, language) == said


@each_row(("language", "source", "said"), CASES)
def test_other_line_ends_and_letters_change_nothing(language: str, source: str, said: list[str]) -> None:
    lead = "<?php\n" if language == "php" else ""
    comment = "# größe 😀" if language in ("python", "ruby", "shellscript") else "// größe 😀"
    odd = f"{lead}{comment}\n\n{source.removeprefix(lead)}\n".replace("\n", "\r\n")
    text = Text(odd)
    found = [each for each in subjects(tree_of(odd, language)) if each.kind != "module"]
    assert [told(each).replace("\r\n", "\n") for each in found] == said
    for each in found:
        assert each.name in text.slice(each.header).replace(" ", "") or each.name == "default"


def test_a_shells_argument_has_the_name_of_its_variable() -> None:
    (found,) = [
        s for s in subjects(tree_of('f() { local name="$1"; other=$2; }', "shellscript")) if s.kind == "function"
    ]
    assert [each.alias for each in found.parameters] == ["name", "other"]


@each_row(
    ("function", "always"),
    [
        ("function f(x) { return x }", True),
        ("function f(x) { go() }", True),  # it returns nothing at all
        ("function f(x) { if (x) return 1 }", False),
        ("function f(x) { if (x) { return 1 } else { return 2 } }", True),
        ("const f = (x) => { if (x) { return 1 } }", False),
        ("const f = (x) => x", True),
        ("const f = function (x) { for (const y of x) { if (y) return y } }", False),
        ("class C { f(x) { if (x) return; return 1 } }", False),
        ("class C { f(x) { if (x) return 1; go() } }", False),
        ("function f(x) { switch (x) { case 1: return 1; default: return 2 } }", True),
        ("function f(x) { x.forEach((y) => { if (y) return; go() }); return 1 }", True),
        ("function f(x) { if (x) return 1; throw x }", True),
        ("function f(x) { while (true) { if (x()) return 1 } }", True),
    ],
)
def test_a_way_out_without_a_value(function: str, always: bool) -> None:
    for language in ("javascript", "typescript", "typescriptreact"):
        (found,) = (each for each in subjects(tree_of(function, language)) if each.name == "f")
        assert found.always_returns == always
