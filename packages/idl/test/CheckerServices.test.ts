import { assert, describe, it } from "@effect/vitest"
import type * as Program from "../src/Program.ts"
import { compile, type Expected, expectAt } from "./marked.ts"

/** What the methods of the tests use; behind the text, so that places stay. */
const types = "\nstruct R { 1: string a } exception E {} enum N { A } union U { 1: R r }"

const expectInService = (marked: string, expected: Expected) => expectAt(`service S { ${marked} }${types}`, expected)

const serviceOf = (text: string): Program.Service =>
  compile(text + types).program.entries[0]!.definitions[0] as Program.Service

const codesOf = (text: string) => compile(text + types).diagnostics.map(({ code }) => code)

describe("services", () => {
  it("rejects a method that is there twice", () => {
    expectInService("void f(), R «f»()", {
      code: "E_DUP_FUNCTION",
      phrase: 'duplicated function name in "S": "f"',
      related: [["f", "first declared here"]]
    })
    assert.deepStrictEqual(codesOf("service S { void f(), void F() }"), [])
  })

  it("rejects a method that is inherited, at any depth", () => {
    expectAt("service A { void f() }\nservice B extends A {}\nservice C extends B { void «f»() }", {
      code: "E_DUP_INHERITED",
      phrase: 'duplicate method name: "f" is inherited from "A"',
      related: [["f", "first declared here"]]
    })
    expectAt('include "base.thrift"\nservice C extends base.A { void «f»() }', {
      code: "E_DUP_INHERITED",
      phrase: "duplicate method name",
      files: { "base.thrift": "service A { void f() }" }
    })
    assert.deepStrictEqual(
      codesOf("service A { void f() } service B extends A { void g() } service C extends A { void g() }"),
      []
    )
  })

  it("rejects an unknown base", () => {
    expectAt("service B extends «Bas» {}\nservice Base {}", {
      code: "E_UNDEFINED",
      phrase: 'base service "Bas" not found for "B"',
      hint: 'did you mean "Base"?'
    })
    expectAt("struct A {}\nservice B extends «A» {}", {
      code: "E_UNDEFINED",
      phrase: 'base service "A" not found for "B"',
      related: [["A", "no service"]]
    })
  })

  it("rejects services that extend themselves", () => {
    expectAt("service B extends «B» {}", { code: "E_SERVICE_CYCLE", phrase: "B -> B" })
    expectAt("service A extends «B» {}\nservice B extends C {}\nservice C extends A {}", {
      code: "E_SERVICE_CYCLE",
      phrase: "A -> B -> C -> A",
      related: [
        ["C", '"B" extends it here'],
        ["A", '"C" extends it here']
      ]
    })
  })

  it("resolves a base behind and in another file", () => {
    const { diagnostics, program } = compile('include "o.thrift"\nservice B extends A {}\nservice A extends o.O {}', {
      "o.thrift": "service O {}"
    })
    assert.deepStrictEqual(diagnostics, [])
    const service = program.entries[0]!.definitions[0] as Program.Service
    assert.deepStrictEqual([service.extends?.name, service.extends?.extends?.name], ["A", "O"])
  })

  it("rejects oneway with a result or exceptions", () => {
    expectInService("oneway «R» f()", {
      code: "E_ONEWAY_RESULT",
      phrase: "S.f: oneway function must be void type",
      related: [["oneway", "nothing comes back"]]
    })
    expectInService("oneway void f() «throws (1: E e)»", {
      code: "E_ONEWAY_THROWS",
      phrase: "S.f: oneway methods can't throw exceptions"
    })
    assert.strictEqual(serviceOf("service S { oneway void f() }").methods[0]!.mode, "oneway")
  })

  it("rejects what is thrown and is no exception", () => {
    expectInService("void f() throws (1: «R» e)", {
      code: "E_THROWS_TYPE",
      phrase: "R is thrown and is no exception",
      related: [["R", "declared here"]]
    })
    expectInService("void f() throws (1: «string» e)", {
      code: "E_THROWS_TYPE",
      phrase: "string is thrown",
      related: []
    })
    expectInService("void f() throws (1: «N» e)", { code: "E_THROWS_TYPE", phrase: "N is thrown" })
    assert.deepStrictEqual(codesOf("service S { void f() throws (1: T e) } typedef E T"), [])
  })

  it("warns of methods that Kitex leaves out", () => {
    expectInService("void «_f»()", { code: "W_UNDERSCORE_METHOD", phrase: "Kitex leaves _f out" })
    expectInService("void «then»()", { code: "W_RESERVED_WORD", phrase: "for a promise" })
  })

  it("rejects unknown types in all places of a method", () => {
    for (const method of ["«Gone» f()", "void f(1: «Gone» a)", "void f() throws (1: «Gone» e)"]) {
      expectInService(method, { code: "E_UNDEFINED", phrase: 'undefined type: "Gone"' })
    }
  })
})

describe("streaming.mode", () => {
  it("has four legal values, and none means PingPong", () => {
    const { methods } = serviceOf(`service S {
      R a(1: R r) (streaming.mode="bidirectional"), R b(1: R r) (streaming.mode="client"),
      R c(1: R r) (streaming.mode='server'), void d(1: R r) (streaming.mode="unary"), R e(), R f(1: U u) (streaming.mode="client")
    }`)
    assert.deepStrictEqual(
      methods.map(({ mode }) => mode),
      ["bidirectional", "client", "server", "unary", "pingPong", "client"]
    )
  })

  it("rejects every other value", () => {
    for (const [value, near] of [
      ["both", undefined],
      ["", undefined],
      ["Client", "client"],
      [" client", "client"],
      ["bidi", "bidirectional"],
      ["sever", "server"]
    ] as const) {
      expectInService(`R f(1: R r) (streaming.mode=«"${value}"»)`, {
        code: "E_STREAM_MODE",
        phrase: `invalid value (${value}) for annotation streaming.mode`,
        hint: `one of bidirectional, client, server, unary${near === undefined ? "" : `; did you mean "${near}"?`}`
      })
    }
  })

  it("rejects it twice, also with equal values", () => {
    for (const second of ["client", "server"]) {
      expectInService(`R f(1: R r) (streaming.mode="client", «streaming.mode="${second}"»)`, {
        code: "E_STREAM_MULTIPLE",
        phrase: "f has multiple values for annotation streaming.mode (at most 1 allowed)",
        related: [['streaming.mode="client"', "the first one"]],
        hint: "at most one streaming.mode"
      })
    }
  })

  it("wants exactly one argument, also for unary", () => {
    for (const mode of ["client", "unary"]) {
      const codes = (
        mode === "unary" ? ["E_STREAM_ARGS", "W_STREAM_UNARY"] : ["E_STREAM_ARGS"]
      ) as Expected["codes"] & {}
      for (const list of ["()", "(1: R a, 2: R b)"]) {
        expectInService(`R f«${list}» (streaming.mode="${mode}")`, {
          code: "E_STREAM_ARGS",
          phrase: "streaming function f should have exactly 1 argument",
          hint: "exactly one request",
          codes
        })
      }
    }
  })

  it("wants a response, but for unary", () => {
    expectInService('void «f»(1: R r) (streaming.mode="server")', {
      code: "E_STREAM_VOID",
      phrase: "a streaming method has exactly one response"
    })
    assert.deepStrictEqual(codesOf('service S { void f(1: R r) (streaming.mode="unary") }'), ["W_STREAM_UNARY"])
  })

  it("rejects oneway", () => {
    expectInService('«oneway» void f(1: R r) (streaming.mode="client")', {
      code: "E_STREAM_ONEWAY",
      phrase: "a streaming method has exactly one response",
      related: [['streaming.mode="client"', "its streaming.mode"]]
    })
    expectInService('«oneway» void f(1: R r) (streaming.mode="unary")', {
      code: "E_STREAM_ONEWAY",
      phrase: "cannot be oneway",
      codes: ["E_STREAM_ONEWAY", "W_STREAM_UNARY"]
    })
  })

  it("warns of the cost of unary", () => {
    expectInService('R f(1: R r) (streaming.mode=«"unary"»)', { code: "W_STREAM_UNARY", phrase: "costs more" })
  })

  it("warns of exceptions, and drops them, but for unary", () => {
    const method = (mode: string) => `R f(1: R r) throws (1: E e) (streaming.mode="${mode}")`
    expectInService('R f(1: R r) «throws (1: E e)» (streaming.mode="client")', {
      code: "W_STREAM_THROWS",
      phrase: "Kitex drops the exceptions"
    })
    assert.deepStrictEqual(serviceOf(`service S { ${method("server")} }`).methods[0]!.throws, [])
    assert.strictEqual(serviceOf(`service S { ${method("unary")} }`).methods[0]!.throws.length, 1)
    assert.deepStrictEqual(codesOf(`service S { ${method("unary")} }`), ["W_STREAM_UNARY"])
  })

  it("wants structs as messages, but for unary", () => {
    expectInService('R f(1: «string» r) (streaming.mode="client")', {
      code: "E_STREAM_TYPE",
      phrase: "the request of a streaming method is string"
    })
    expectInService('«list<R>» f(1: R r) (streaming.mode="server")', {
      code: "E_STREAM_TYPE",
      phrase: "the response of a streaming method is list<R>"
    })
    expectInService('R f(1: «N» r) (streaming.mode="bidirectional")', { code: "E_STREAM_TYPE", phrase: "is N" })
    expectAt(`service S { R f(1: «T» r) (streaming.mode="client") } typedef string T${types}`, {
      code: "E_STREAM_TYPE",
      phrase: "is T"
    })
    assert.deepStrictEqual(codesOf('service S { T f(1: U r) (streaming.mode="client") } typedef R T'), [])
    assert.deepStrictEqual(codesOf('service S { string f(1: string r) (streaming.mode="unary") }'), ["W_STREAM_UNARY"])
  })

  it("warns where it is ignored", () => {
    const expected = { code: "W_STREAM_MISPLACED", phrase: "is ignored", hint: "behind the function" } as const
    expectInService('R («streaming.mode="client"») f(1: R r)', expected)
    expectInService('R f(1: R r («streaming.mode="client"»))', expected)
    expectInService('R f(1: R («streaming.mode="client"») r)', expected)
    expectAt(`service S { R f(1: R r) } («streaming.mode="client"»)${types}`, expected)
  })

  it("warns of keys that were meant to be it", () => {
    for (const key of ["streaming_mode", "stream.mode", "streaming.Mode", "Streaming.mode", "steaming.mode"]) {
      expectInService(`R f(1: R r) («${key}»="client")`, {
        code: "W_STREAM_TYPO",
        phrase: `ignores the annotation ${key}`,
        hint: '"streaming.mode"'
      })
    }
    assert.deepStrictEqual(codesOf('service S { R f(1: R r) (api.get="/x", mode="y", streaming="z") }'), [])
  })

  it("may stand beside PingPong methods and be inherited", () => {
    assert.deepStrictEqual(
      codesOf('service S { R f(1: R r) (streaming.mode="client"), R g(1: R r) } service T extends S { R h() }'),
      []
    )
  })
})
