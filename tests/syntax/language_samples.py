"""A sample of each language, and what a person reads in it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Sample:
    """definitions, imports, uses  what is read in `source`, and in the stretch `$1`…`$2` of `used`
    comment, first  what begins a comment, and what must stand before one
    """

    source: str
    definitions: str
    imports: str
    used: str
    uses: str
    comment: str = "//"
    first: str = ""


PYTHON = Sample(
    source='''\
"""Documented."""

from __future__ import annotations

import os, os.path as p
from .pkg.mod import (
    a,
    b as c,
)
from x import *

MAX: int = 3
table = {
    "a": 1,
}
type Alias = int


@dec(1)
@other.thing
class Foo(Base, metaclass=M):
    """Documented foo.

    More.
    """

    attr: list[str] = []

    async def run(
        self, x: int, y: "str" = "a"
    ) -> Optional[Bar]:
        """Runs it
        over there."""
        local = self.x
        MAX = 1

        def inner(): return local
        return inner()

    @property
    def p(self): return self.attr


if os.name:
    from q import Z

    later = Z
''',
    definitions="""
        constant MAX | MAX: int = 3
        variable table | table =
        type Alias | type Alias = int
        class Foo | class Foo(Base, metaclass=M): -- Documented foo.
        variable Foo.attr | attr: list[str] = []
        method Foo.run | async def run( self, x: int, y: "str" = "a" ) -> Optional[Bar]: -- Runs it over there.
        function Foo.run.inner | def inner():
        method Foo.p | def p(self):
        variable later | later = Z
    """,
    imports="""
        __future__: annotations
        os
        os.path as p
        .pkg.mod: a, b as c
        x as *
        q: Z
    """,
    used="""\
from m import n
def f(self, x: Bar):
    $1y = self.client.get(x, key=Foo[0].z)  # no
    s = f"no {yes(1)}"
    n: Baz | None = m.n.o(lambda q: q)
    from m import k
    def g(): pass$2
""",
    uses="""
        y name
        self name
        self.client attribute
        get call
        x name
        Foo name
        z attribute
        s name
        yes call
        n name
        Baz type
        m name
        m.n attribute
        o call
        q name
        q name
    """,
    comment="#",
)

JAVASCRIPT = Sample(
    source="""\
import React, { useState as us, memo } from "react";
import * as ns from './x';
import './side';
export { a, b as c } from './y';
export * from './z';
const fs = require("fs");
const { p, q: r } = require("path");

/** Documented. */
export class Foo extends Bar {
  #n = 1;
  static K = 2;
  h = () => { const local = 1; };

  /**
   * Runs.
   *
   * @param s no
   */
  async run(s) {
    return this.h(s);
  }
}

export const MAX = 3;
let v = 1, w;
export default function main() {}
// Uses foo.
const useFoo = async (a) => (
  a.b
);
const o = {
  m() {},
  k: () => 1,
};
exports.c = function () {};
describe("x", () => { const inner = 1; function g() {} });
""",
    definitions="""
        constant fs | const fs = require("fs")
        class Foo | export class Foo extends Bar -- Documented.
        variable Foo.#n | #n = 1
        constant Foo.K | static K = 2
        method Foo.h | h = () =>
        method Foo.run | async run(s) -- Runs.
        constant MAX | export const MAX = 3
        variable v | v = 1
        variable w | w
        function main | export default function main()
        function useFoo | const useFoo = async (a) => -- Uses foo.
        constant o | const o =
        method o.m | m()
        method o.k | k: () =>
        method exports.c | exports.c = function ()
        function g | function g()
    """,
    imports="""
        react: default as React, useState as us, memo
        ./x as ns
        ./side
        ./y: a, b as c
        ./z as *
        fs as fs
        path: p, q as r
    """,
    used="""\
function f(a) {
  $1const x = a.b?.c(new Foo(), `no ${yes}`); // no
  return <Comp key={v}>no</Comp>;$2
}
""",
    uses="""
        x name
        a name
        a.b attribute
        c call
        Foo call
        yes name
        Comp name
        v name
        Comp name
    """,
)

TYPESCRIPT = Sample(
    source="""\
import type { T } from "./t";
import d, * as all from './d';

/** Documented. */
@Component({})
export abstract class Foo<T> extends Bar<T> implements I {
  /** Named. */
  @Input() private readonly x: string = "a";
  constructor(private a: A) { super(); }
  abstract z(n: number): void;
  @Dec()
  get y(): number { return this.a.b; }
}

export interface I extends J {
  m(a: string): void;
  p?: number;
}
type A = { a: string } | B;
export type Wide = {
  a: string;
};
const enum E { A, B = 2 }
declare function d(x: number): string;
declare module "foo" { export function g(): void }
namespace N { export const o: A = 1; }
export const f = <T,>(x: T): T => x;
""",
    definitions="""
        class Foo | export abstract class Foo<T> extends Bar<T> implements I -- Documented.
        constant Foo.x | private readonly x: string = "a" -- Named.
        method Foo.constructor | constructor(private a: A)
        method Foo.z | abstract z(n: number): void
        method Foo.y | get y(): number
        class I | export interface I extends J
        method I.m | m(a: string): void
        variable I.p | p?: number
        type A | type A = { a: string } | B
        type Wide | export type Wide =
        class E | const enum E
        constant E.A | A
        constant E.B | B = 2
        function d | declare function d(x: number): string
        module foo | declare module "foo"
        function foo.g | export function g(): void
        module N | namespace N
        constant N.o | export const o: A = 1
        function f | export const f = <T,>(x: T): T =>
    """,
    imports="""
        ./t: T
        ./d as all: default as d
    """,
    used="""\
function f(a: A.B<C>) {
  $1let x: Map<string, D> = a.b<Q>(c as E);
  this.x!.y();$2
}
""",
    uses="""
        x name
        Map type
        D type
        a name
        a.b call
        Q type
        c name
        E type
        this.x attribute
        y call
    """,
)

JAVA = Sample(
    source="""\
package com.x;

import java.util.*;
import java.util.List;
import static a.B.c;

/**
 * Documented foo,
 * in two lines.
 * @param <T> no
 */
@Service
public class Foo<T> extends Bar implements I {
    public static final int MAX = 3;
    private Map<String, Integer> names = new HashMap<>(), other;

    public Foo(String name) { this.names = name; }

    // Gets.
    @Override
    public <A> List<A> get(int x) throws E {
        int local = x;
        Runnable r = () -> { int deep = 1; };
        return null;
    }

    enum Color { RED, GREEN(1) { void f() {} }; int v; }
    interface J { void m(); int K = 1; }
    record R(int a, int b) { R { } }
    @interface An { String value() default "x"; }
}
""",
    definitions="""
        module com.x | package com.x
        class com.x.Foo | public class Foo<T> extends Bar implements I -- Documented foo, * in two lines.
        constant com.x.Foo.MAX | public static final int MAX = 3
        variable com.x.Foo.names | private Map<String, Integer> names = new HashMap<>(), other
        variable com.x.Foo.other | private Map<String, Integer> names = new HashMap<>(), other
        method com.x.Foo.Foo | public Foo(String name)
        method com.x.Foo.get | public <A> List<A> get(int x) throws E -- Gets.
        class com.x.Foo.Color | enum Color
        constant com.x.Foo.Color.RED | RED
        constant com.x.Foo.Color.GREEN | GREEN(1)
        method com.x.Foo.Color.GREEN.f | void f()
        variable com.x.Foo.Color.v | int v
        class com.x.Foo.J | interface J
        method com.x.Foo.J.m | void m()
        constant com.x.Foo.J.K | int K = 1
        class com.x.Foo.R | record R(int a, int b)
        method com.x.Foo.R.R | R
        class com.x.Foo.An | @interface An
        method com.x.Foo.An.value | String value() default "x"
    """,
    imports="""
        java.util as *
        java.util.List
        a.B.c
    """,
    used="""\
class A {
    void f(B b) {
        $1List<C> x = this.names.get(y.z(1), new D<>("no")); // no
        @E int q = A.F;$2
    }
}
""",
    uses="""
        List type
        C type
        x name
        this.names attribute
        get call
        y name
        y.z call
        D type
        E type
        q name
        A name
        A.F attribute
    """,
    first="package com.x;\n",
)

GO = Sample(
    source="""\
// Package main is it.
package main

import "fmt"
import (
	f "net/http"
	. "os"
	_ "x/y"
)

const A, B = 1, 2
const (
	C = iota
	D
)

var (
	w = map[string]int{
		"a": 1,
	}
)

var handle = func() { var deep int }

// Server serves.
// It does.
type Server struct {
	Name string `json:"n"`
	*Base
}

type (
	Runner interface {
		Run(ctx C) error
		io.Reader
	}
	Alias = int
	ID    string
)

// Run runs.
func (s *Server[T]) Run(ctx context.Context) error {
	const local = 1
	return s.Run(ctx)
}

func New[T any](n T) *Server { return func() *Server { var x int; return nil }() }
""",
    definitions="""
        module main | package main -- Package main is it.
        constant main.A | const A, B = 1, 2
        constant main.B | const A, B = 1, 2
        constant main.C | C = iota
        constant main.D | D
        variable main.w | w =
        variable main.handle | var handle = func() { var deep int }
        class main.Server | type Server struct -- Server serves. // It does.
        variable main.Server.Name | Name string `json:"n"`
        class main.Runner | Runner interface
        method main.Runner.Run | Run(ctx C) error
        type main.Alias | Alias = int
        type main.ID | ID string
        method main.Server.Run | func (s *Server[T]) Run(ctx context.Context) error -- Run runs.
        function main.New | func New[T any](n T) *Server
    """,
    imports="""
        fmt
        net/http as f
        os as *
        x/y as _
    """,
    used="""\
package m

func f(s *Server) {
	$1x := s.a.b(&pkg.T{Name: "no"}) // no
	go func() { y.Z(x) }()$2
}
""",
    uses="""
        x name
        s name
        s.a attribute
        b call
        pkg.T type
        y name
        y.Z call
        x name
    """,
)

RUST = Sample(
    source="""\
use std::collections::{HashMap, hash_map as hm, self};
use crate::a::b;
use super::c as d;
use x::*;
use {y, z::{w, v::u}};
mod util;

/// Documented point.
/// Flat.
///
/// More.
#[derive(Debug)]
pub struct Point<T> { pub x: T, y: i32 }
struct Pair(i32, i32);
pub enum E { A, B(i32), C { z: u8 } }

impl<T> Point<T> {
    const K: u8 = 1;

    /// New.
    #[inline]
    pub fn new(x: T) -> Self where T: Copy {
        let local = x;
        Self { x: local, y: 0 }
    }
}

impl fmt::Display for Point<i32> { fn fmt(&self, f: &mut F) -> R { write!(f, "{}", self.x) } }
trait Shape { type Out; fn area(&self) -> f64; fn name(&self) -> String { self.area() } }
mod inner { pub(crate) static mut S: i32 = 0; }
type Al = Vec<i32>;
macro_rules! mm { ($x:expr) => { $x } }
async unsafe fn f() {}
""",
    definitions="""
        class Point | pub struct Point<T> -- Documented point. /// Flat.
        variable Point.x | pub x: T
        variable Point.y | y: i32
        class Pair | struct Pair(i32, i32)
        class E | pub enum E
        constant E.A | A
        constant E.B | B(i32)
        constant E.C | C
        variable E.C.z | z: u8
        class Point | impl<T> Point<T>
        constant Point.K | const K: u8 = 1
        method Point.new | pub fn new(x: T) -> Self where T: Copy -- New.
        class Point | impl fmt::Display for Point<i32>
        method Point.fmt | fn fmt(&self, f: &mut F) -> R
        class Shape | trait Shape
        type Shape.Out | type Out
        method Shape.area | fn area(&self) -> f64
        method Shape.name | fn name(&self) -> String
        module inner | mod inner
        constant inner.S | pub(crate) static mut S: i32 = 0
        type Al | type Al = Vec<i32>
        function mm | macro_rules! mm
        function f | async unsafe fn f()
    """,
    imports="""
        std::collections: HashMap, hash_map as hm
        std::collections
        crate::a::b
        super::c as d
        x as *
        y
        z: w
        z::v::u
        self::util
    """,
    used="""\
fn f(p: &Point) {
    $1let x = p.a.b::<i32>(Foo::new(1), vec![y], "no"); // no
    let z: Map<K> = w?;$2
}
""",
    uses="""
        x name
        p name
        p.a attribute
        b call
        Foo name
        Foo.new call
        vec call
        y name
        z name
        Map type
        K type
        w name
    """,
)

C = Sample(
    source="""\
#include <stdio.h>
#include "foo.h"

#define MAX 10
#define SQ(x) ((x) * (x))

typedef unsigned int u32;
typedef struct { int a; } Foo;
typedef struct node { struct node *next; } Node;
typedef int (*cb)(int);
enum color { RED, GREEN = 2 };
static const int K = 1, L;
char *g;
int arr[3] = {
    1,
};
int f(int x);
char **dup(const char *s);

/* Documented. */
static int *add(int a, struct node *p)
{
    int local = a;
    return local + MAX;
}

#ifdef X
void h(void) {}
#endif
""",
    definitions="""
        constant MAX | #define MAX 10
        function SQ | #define SQ(x) ((x) * (x))
        type u32 | typedef unsigned int u32
        class Foo | typedef struct
        variable Foo.a | int a
        type Node | typedef struct node
        class node | struct node
        variable node.next | struct node *next
        type cb | typedef int (*cb)(int)
        class color | enum color
        constant color.RED | RED
        constant color.GREEN | GREEN = 2
        constant K | static const int K = 1, L
        constant L | static const int K = 1, L
        variable g | char *g
        variable arr | int arr[3] =
        function f | int f(int x)
        function dup | char **dup(const char *s)
        function add | static int *add(int a, struct node *p) -- Documented.
        function h | void h(void)
    """,
    imports="""
        <stdio.h>
        "foo.h"
    """,
    used="""\
int f(struct point *p)
{
    $1p->x = foo(&q.y, (u32)a, "no"); /* no */
    struct node *n = MAX;$2
}
""",
    uses="""
        p name
        p.x attribute
        foo call
        q name
        q.y attribute
        u32 type
        a name
        node type
        n name
        MAX name
    """,
)

CPP = Sample(
    source="""\
#include <vector>

namespace a::b {
/// Documented foo.
template <typename T>
class Foo : public Bar<T> {
  public:
    Foo(int x) : x_(x) {}
    ~Foo();
    virtual void run(int a) const override = 0;
    Foo &operator=(const Foo &) = default;
    operator bool() const { return true; }
    static constexpr int K = 3;
    int x_, *y;
    int (*m)(int);
    enum class E { A, B };
};

using Al = std::vector<int>;
}

void b::Foo::run(int a) const
{
    int local = a;
    auto f = [&](int q) { return q + local; };
}

std::string &ref(std::string &a) { return a; }
extern "C" { int q(); }
""",
    definitions="""
        module a.b | namespace a::b
        class a.b.Foo | template <typename T> class Foo : public Bar<T> -- Documented foo.
        method a.b.Foo.Foo | Foo(int x) : x_(x)
        method a.b.Foo.~Foo | ~Foo()
        method a.b.Foo.run | virtual void run(int a) const override = 0
        method a.b.Foo.operator= | Foo &operator=(const Foo &) = default
        method a.b.Foo.operator bool | operator bool() const
        constant a.b.Foo.K | static constexpr int K = 3
        variable a.b.Foo.x_ | int x_, *y
        variable a.b.Foo.y | int x_, *y
        variable a.b.Foo.m | int (*m)(int)
        class a.b.Foo.E | enum class E
        constant a.b.Foo.E.A | A
        constant a.b.Foo.E.B | B
        type a.b.Al | using Al = std::vector<int>
        method b.Foo.run | void b::Foo::run(int a) const
        function ref | std::string &ref(std::string &a)
        function q | int q()
    """,
    imports="""
        <vector>
    """,
    used="""\
void f(Foo &x) {
    $1std::vector<Bar> v; v.push_back(n::g(x->y)); auto s = "no"; // no
    auto z = make<int>(this->w);$2
}
""",
    uses="""
        std name
        std.vector type
        Bar type
        v name
        v name
        v.push_back call
        n name
        n.g call
        x name
        x.y attribute
        s name
        z name
        make call
        this.w attribute
    """,
)

CSHARP = Sample(
    source="""\
using System;
using static System.Math;
using J = Newtonsoft.Json;

namespace A.B;

/// <summary>
/// Documented foo.
/// </summary>
/// <param name="x">no</param>
[Serializable]
public class Foo<T> : Bar, IBaz where T : new()
{
    public const int Max = 3;
    private string _name = "a";
    public string Name { get; set; } = "x";
    public int Len => _name.Length;
    public event EventHandler Done;

    public Foo(int x) : base(x) { _name = x; }

    [Obsolete("x")]
    public async Task<int> RunAsync(string s = "a")
    {
        var local = s;
        int Inner() => local;
        return Inner();
    }
}

public enum Color { Red, Green = 2 }
public record R(int A);
interface I { void M(); int P { get; } }
delegate void D(int x);
""",
    definitions="""
        module A.B | namespace A.B
        class A.B.Foo | public class Foo<T> : Bar, IBaz where T : new() -- Documented foo.
        constant A.B.Foo.Max | public const int Max = 3
        variable A.B.Foo._name | private string _name = "a"
        method A.B.Foo.Name | public string Name
        method A.B.Foo.Len | public int Len
        variable A.B.Foo.Done | public event EventHandler Done
        method A.B.Foo.Foo | public Foo(int x) : base(x)
        method A.B.Foo.RunAsync | public async Task<int> RunAsync(string s = "a")
        function A.B.Foo.RunAsync.Inner | int Inner()
        class A.B.Color | public enum Color
        constant A.B.Color.Red | Red
        constant A.B.Color.Green | Green = 2
        class A.B.R | public record R(int A)
        class A.B.I | interface I
        method A.B.I.M | void M()
        method A.B.I.P | int P
        type A.B.D | delegate void D(int x)
    """,
    imports="""
        System
        System.Math
        Newtonsoft.Json as J
    """,
    used="""\
class A
{
    void F(B b)
    {
        $1List<C> x = this.Names.Get(y.Z(1), new D("no"), $"no {yes}"); // no
        x?.Call<E>(nameof(F));$2
    }
}
""",
    uses="""
        List type
        C type
        x name
        this.Names attribute
        Get call
        y name
        y.Z call
        D type
        yes name
        x name
        x.Call call
        E type
        nameof call
        F name
    """,
)

RUBY = Sample(
    source="""\
require "json"
require_relative "x/y"
load "z.rb"

module M
  # Documented.
  class A::B < C
    X = 1
    LIST = [
      1,
    ].freeze
    attr_accessor :a, :b

    # Runs.
    # Fast.
    def run(a, b: 2)
      local = a
      local + b
    end

    def self.make = new

    def ok?
      @x
    end

    class << self
      def inside; end
    end
  end
end

def top
end
""",
    definitions="""
        module M | module M
        class M.A.B | class A::B < C -- Documented.
        constant M.A.B.X | X = 1
        constant M.A.B.LIST | LIST =
        variable M.A.B.a | attr_accessor :a, :b
        variable M.A.B.b | attr_accessor :a, :b
        method M.A.B.run | def run(a, b: 2) -- Runs. # Fast.
        method M.A.B.make | def self.make
        method M.A.B.ok? | def ok?
        method M.A.B.inside | def inside
        function top | def top
    """,
    imports="""
        json
        ./x/y
        z.rb
    """,
    used="""\
def f(a)
  $1@x = a.foo(1).bar # no
  puts "no #{yes}"
  Foo::Bar.new(b) { |q| q }$2
end
""",
    uses="""
        @x name
        a name
        a.foo call
        bar call
        puts call
        yes name
        Foo name
        Foo.Bar attribute
        new call
        b name
        q name
        q name
    """,
    comment="#",
)

PHP = Sample(
    source="""\
<?php
namespace App\\Models;

use App\\Foo;
use App\\{A, B as C};
use function App\\helper;
use X\\Y as Z;
require_once __DIR__ . '/x.php';
include 'y.php';

const K = 1;
define('D', 2);

/**
 * Documented user.
 */
#[Attr]
final class User extends Model implements I
{
    use T;
    public const MAX = 3;
    private ?string $name = null;

    public function __construct(private int $x) { $this->name = $x; }

    // Gets.
    public static function get(int $id): ?self
    {
        $local = self::find($id);
        return $local->first();
    }

    abstract function z();
}

interface I { function m(); }
enum E: string { case A = 'a'; }
function f(Foo $a, ...$b) { return function () { $deep = 1; }; }
""",
    definitions=r"""
        module App.Models | namespace App\Models
        constant App.Models.K | const K = 1
        constant App.Models.D | define('D', 2)
        class App.Models.User | final class User extends Model implements I -- Documented user.
        constant App.Models.User.MAX | public const MAX = 3
        variable App.Models.User.name | private ?string $name = null
        method App.Models.User.__construct | public function __construct(private int $x)
        method App.Models.User.get | public static function get(int $id): ?self -- Gets.
        method App.Models.User.z | abstract function z()
        class App.Models.I | interface I
        method App.Models.I.m | function m()
        class App.Models.E | enum E: string
        constant App.Models.E.A | case A = 'a'
        function App.Models.f | function f(Foo $a, ...$b)
    """,
    imports=r"""
        App\Foo
        App: A, B as C
        App\helper
        X\Y as Z
        /x.php
        y.php
    """,
    used="""\
<?php
function f(Foo $a) {
    $1$x = $this->b->c(new Bar(1), Foo::D, "no $yes"); // no
    Foo::make(g($a));$2
}
""",
    uses="""
        x name
        this name
        $this.b attribute
        c call
        Bar call
        Foo name
        Foo.D attribute
        yes name
        Foo name
        Foo.make call
        g call
        a name
    """,
    first="<?php\n",
)

SHELL = Sample(
    source="""\
#!/bin/bash

source ./a.sh
. "$DIR/b.sh"

name=x
readonly Y=2
export LIST=(
  a
)

# Documented.
foo() {
  local a=$1
  z=2
  bar "$a" "$name"
}

function bar {
  echo "$name"
}
""",
    definitions="""
        variable name | name=x
        constant Y | readonly Y=2
        constant LIST | LIST=
        function foo | foo() -- Documented.
        function bar | function bar
    """,
    imports="""
        ./a.sh
        $DIR/b.sh
    """,
    used="""\
f() {
  $1x=$(foo "$a" no | bar) # no
  baz "no ${yes}"$2
}
""",
    uses="""
        x name
        foo call
        a name
        bar call
        baz call
        yes name
    """,
    comment="#",
)

SAMPLES = {
    "python": PYTHON,
    "javascript": JAVASCRIPT,
    "typescript": TYPESCRIPT,
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
