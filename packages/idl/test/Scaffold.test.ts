import { assert, describe, it } from "@effect/vitest"
import * as Checker from "../src/Checker.ts"
import * as Diagnostic from "../src/Diagnostic.ts"
import * as Loader from "../src/Loader.ts"
import * as Scaffold from "../src/Scaffold.ts"

const scaffoldOf = (
  files: string | Readonly<Record<string, string>>,
  options: Partial<Scaffold.Options> = {},
  entry = "api.thrift"
) => {
  const record = typeof files === "string" ? { [entry]: files } : files
  const { diagnostics, program } = Checker.compile([entry], { read: Loader.fromRecord(record) })
  assert.isFalse(Diagnostic.hasErrors(diagnostics), diagnostics.map(({ message }) => message).join("\n"))
  return Scaffold.scaffold(program, { name: "demo", ...options })
}

const fileOf = (path: string, ...rest: Parameters<typeof scaffoldOf>): Scaffold.File => {
  const { diagnostics, files } = scaffoldOf(...rest)
  assert.deepStrictEqual(diagnostics, [])
  const file = files.find((each) => each.path === path)
  assert.isDefined(file)
  return file!
}

const textOf = (path: string, ...rest: Parameters<typeof scaffoldOf>): string => fileOf(path, ...rest).text

const merge = (path: string, existing: string, ...rest: Parameters<typeof scaffoldOf>) => {
  const file = fileOf(path, ...rest)
  if (file.mode !== "merge") assert.fail(`${path} is not merged`)
  return file.merge(existing)
}

const types = `namespace go echo
struct Request { 1: optional string message }
struct Response { 1: optional string message }
`

const service = (methods: string) => `${types}service TestService {\n${methods}\n}`

const method = (name: string, mode: string) => `Response ${name} (1: Request req) (streaming.mode="${mode}")`

const all = service(
  [
    method("Echo", "bidirectional"),
    method("EchoClient", "client"),
    method("EchoServer", "server"),
    method("EchoUnary", "unary"),
    "Response Plain (1: Request req)",
    "oneway void Log (1: string line)"
  ].join("\n")
)

describe("the files", () => {
  it("are a project", () => {
    assert.deepStrictEqual(
      scaffoldOf(all).files.map(({ mode, path }) => `${mode} ${path}`),
      [
        "create package.json",
        "create tsconfig.json",
        "create millrace.config.json",
        "create .gitignore",
        "create README.md",
        "create src/server.ts",
        "merge src/handlers.ts",
        "merge src/client.ts",
        "merge test/service.test.ts"
      ]
    )
  })

  it("handlers: one for each method", () => {
    assert.strictEqual(
      textOf("src/handlers.ts", all),
      `/**
 * What the methods of TestService do.
 */
import { Effect, Stream } from "effect"
import * as api from "./gen/echo/api.ts"

export const HandlersLive = api.TestService.toLayer({
  Echo: (requests) => Stream.map(requests, (request) => new api.Response({ message: request.message })),
  EchoClient: (requests) => Effect.as(Stream.runDrain(requests), new api.Response()),
  EchoServer: (request) => Stream.make(new api.Response({ message: request.message })),
  EchoUnary: (request) => Effect.succeed(new api.Response({ message: request.message })),
  Plain: (args) => Effect.succeed(new api.Response({ message: args.req.message })),
  Log: () => Effect.void,
})
`
    )
  })

  it("client: a call of each method, by the client that has it", () => {
    const text = textOf("src/client.ts", all)
    assert.include(
      text,
      `class Streams extends StreamClient.Service<Streams>()("demo/Streams", api.TestService) {}
class PingPong extends Client.Service<PingPong>()("demo/PingPong", api.TestService) {}

/** A call of each method. */
const calls = {
  Echo: Effect.flatMap(Streams, (client) =>
    Stream.runForEach(
      client.Echo(Stream.make(new api.Request({ message: "hello" }))),
      (response) => Console.log("Echo", response)
    )
  ),
`
    )
    assert.include(
      text,
      `  Plain: Effect.flatMap(PingPong, (client) =>
    Effect.flatMap(
      client.Plain({ req: new api.Request({ message: "hello" }) }),
      (response) => Console.log("Plain", response)
    )
  ),
  Log: Effect.flatMap(PingPong, (client) =>
    Effect.andThen(client.Log({ line: "hello" }), Console.log("Log"))
  ),
}
`
    )
    for (const name of ["Echo", "EchoClient", "EchoServer", "EchoUnary"]) assert.include(text, `client.${name}(`)
    assert.include(
      text,
      "Layer.mergeAll(Streams.layer({ hostPorts: [address] }), PingPong.layer({ hostPorts: [address] }))"
    )
  })

  it("tests: one for each method", () => {
    const text = textOf("test/service.test.ts", all)
    assert.include(
      text,
      `  it.effect("EchoUnary", () =>
    Effect.gen(function* () {
      const client = yield* Streams
      const response = yield* client.EchoUnary(new api.Request({ message: "hello" }))
      assert.instanceOf(response, api.Response)
    }).pipe(Effect.provide(ClientTest))
  )

  it.effect("Plain", () =>
    Effect.gen(function* () {
      const client = yield* PingPong
      const response = yield* client.Plain({ req: new api.Request({ message: "hello" }) })
      assert.instanceOf(response, api.Response)
    }).pipe(Effect.provide(ClientTest))
  )

  it.effect("Log", () =>
    Effect.gen(function* () {
      const client = yield* PingPong
      const response = yield* client.Log({ line: "hello" })
      assert.isUndefined(response)
    }).pipe(Effect.provide(ClientTest))
  )
})
`
    )
    assert.deepStrictEqual(
      Array.from(text.matchAll(/it\.effect\("(\w+)"/g), ([, name]) => name),
      ["Echo", "EchoClient", "EchoServer", "EchoUnary", "Plain", "Log"]
    )
  })

  it("only the client that the methods need", () => {
    const calls = textOf("src/client.ts", "service S { void Ping() }")
    assert.include(calls, 'import { Client } from "@millrace/rpc"')
    assert.include(calls, "  PingPong.layer({ hostPorts: [address] }).pipe(")
    assert.notInclude(calls, "Stream")
    const streams = textOf("src/client.ts", service(method("Echo", "unary")))
    assert.include(streams, 'import { StreamClient } from "@millrace/rpc"')
    assert.notInclude(streams, "PingPong")
  })

  it("no tests where there is nothing to call", () => {
    const paths = scaffoldOf("service S {}").files.map(({ path }) => path)
    assert.include(paths, "src/client.ts")
    assert.notInclude(paths, "test/service.test.ts")
  })

  it("the configuration names the IDL and the folders of includes", () => {
    const text = textOf(
      "millrace.config.json",
      { "../idl/api.thrift": all },
      { includeDirs: ["../idl"] },
      "../idl/api.thrift"
    )
    assert.deepStrictEqual(JSON.parse(text), {
      entries: [{ idl: "../idl/api.thrift", out: "src/gen", importExt: ".ts", include: ["../idl"] }]
    })
  })

  it("versions can be replaced", () => {
    const { dependencies } = JSON.parse(textOf("package.json", all, { versions: { "@millrace/rpc": "file:../rpc" } }))
    assert.strictEqual(dependencies["@millrace/rpc"], "file:../rpc")
    assert.strictEqual(dependencies["effect"], "4.1.0")
  })

  it("the README says which two commands run it", () => {
    assert.include(textOf("README.md", all), "npm install\nnpm start")
  })
})

describe("the service", () => {
  const two = "service A { void A() } service B { void B() }"

  it("is the last one, or the one of the name", () => {
    assert.include(textOf("src/handlers.ts", two), "api.B.toLayer")
    assert.include(textOf("src/handlers.ts", two, { service: "A" }), "api.A.toLayer")
  })

  it("must be there", () => {
    const unknown = scaffoldOf(two, { service: "C" })
    assert.deepStrictEqual(unknown.files, [])
    assert.deepStrictEqual(
      unknown.diagnostics.map(({ code, hint, message }) => [code, message, hint]),
      [["E_NO_SERVICE", "there is no service C in the IDL", "there is A, B"]]
    )
    const [none] = scaffoldOf("struct S {}").diagnostics
    assert.strictEqual(none?.message, "no service defined in the IDL")
  })

  it("has the methods that it inherits from another file", () => {
    const files = {
      "api.thrift":
        'include "base.thrift" service S extends base.Base { base.R Own(1: base.R r) (streaming.mode="unary") }',
      "base.thrift": "namespace go x.base struct R {} service Base { R Get() }"
    }
    const text = textOf("src/handlers.ts", files)
    assert.include(text, 'import * as base from "./gen/x/base/base.ts"\nimport * as api from "./gen/api/api.ts"')
    assert.include(text, "  Get: () => Effect.succeed(new base.R()),\n  Own: (request) => Effect.succeed(request),\n")
  })
})

describe("values", () => {
  const handlerOf = (type: string, more = "") => {
    const text = textOf("src/handlers.ts", `${more} service S { ${type} M() }`)
    return /M: \(\) =>\s+Effect.succeed\((.*)\),\n\}\)/s.exec(text)?.[1]
  }

  for (const [type, value, more] of [
    ["bool", "false"],
    ["i64", "0n"],
    ["string", '"hello"'],
    ["binary", "new Uint8Array()"],
    ["list<i32>", "[]"],
    ["set<i32>", "new Set()"],
    ["set<binary>", "[]"],
    ["map<string, i32>", "new Map()"],
    ["map<list<i32>, i32>", "[]"],
    ["E", "api.E.A", "enum E { A }"],
    ["E", "0", "enum E {}"],
    ["T", "new api.T()", "struct T { 1: optional i32 a, 2: i32 b, 3: T t }"],
    [
      "T",
      "new api.T({ a: 0n, b: new api.Q({ c: false }) })",
      "struct T { 1: required i64 a 2: required Q b } struct Q { 1: required bool c }"
    ],
    ["T", "new api.T()", "struct T { 1: required i32 a = 5 }"],
    [
      "T",
      'new api.T({ a: "0", b: 0 })',
      'struct T { 1: required i64 a (ts.type="string") 2: required i64 b (ts.type="number") }'
    ],
    ["U", "api.U.cases.b.make({ value: 0 })", "union U { 1: U a 2: i32 b }"],
    ["U", "api.U.cases.b.make({ value: new api.T() })", "union U { 1: U a 2: T b } struct T {}"],
    ["Alias", "new Map()", "typedef map<Id, string> Alias typedef i32 Id"]
  ] as const) {
    it(`${type} ${more ?? ""}`, () => assert.strictEqual(handlerOf(type, more), value))
  }

  it("are bounded where required members are exponentially many", () => {
    const structs = Array.from(
      { length: 40 },
      (_, i) => `struct S${i} { 1: required S${i + 1} a 2: required S${i + 1} b }`
    )
    assert.isBelow(handlerOf("S0", `${structs.join(" ")} struct S40 {}`)!.length, 200_000)
  })

  it("come back only where the types agree", () => {
    const text = textOf(
      "src/handlers.ts",
      `struct Q { 1: optional string a, 2: string b, 3: required i32 c, 4: i64 d }
       struct R { 1: required string a, 2: required string b, 3: optional i64 c, 4: i64 d (ts.type="number") }
       service S { R M(1: Q q) (streaming.mode="unary") }`
    )
    assert.include(text, '(request) => Effect.succeed(new api.R({ a: "hello", b: request.b }))')
  })
})

describe("run again", () => {
  const before = service(method("Echo", "bidirectional"))
  const after = service(`${method("Echo", "bidirectional")}\n${method("Say", "unary")}`)
  const paths = ["src/handlers.ts", "src/client.ts", "test/service.test.ts"]

  for (const path of paths) {
    it(`${path}: nothing is missing`, () => {
      assert.deepStrictEqual(merge(path, textOf(path, after), after), { _tag: "Unchanged" })
    })

    it(`${path}: what is new is added, as if it had always been there`, () => {
      const merged = merge(path, textOf(path, before), after)
      if (merged._tag !== "Merged") assert.fail(merged._tag)
      assert.deepStrictEqual(merged.added, ["Say"])
      assert.strictEqual(withoutImports(merged.text), withoutImports(textOf(path, after)))
      assert.deepStrictEqual(merge(path, merged.text, after), { _tag: "Unchanged" })
    })
  }

  const withoutImports = (text: string) => text.replaceAll(/^import .*\n/gm, "")

  it("imports that the new entries need are added once", () => {
    const existing = textOf("src/handlers.ts", before)
    assert.notInclude(existing, "Effect")
    const merged = merge("src/handlers.ts", existing, after)
    if (merged._tag !== "Merged") assert.fail(merged._tag)
    assert.include(
      merged.text,
      'import { Stream } from "effect"\nimport * as api from "./gen/echo/api.ts"\nimport { Effect } from "effect"\n'
    )
  })

  /** Handlers of a person, and what a method more makes of them. */
  const grown = (existing: string, expected: string) => {
    const merged = merge("src/handlers.ts", existing, after)
    assert.strictEqual(merged._tag === "Merged" ? merged.text : merged._tag, expected)
  }

  const say = "Say: (request) => Effect.succeed(new api.Response({ message: request.message })),"
  const head = 'import { Effect, Stream } from "effect"\nimport * as api from "./gen/echo/api.ts"\n'

  it("a person's lines stay byte for byte", () => {
    const mine = `${head}
// TestService.toLayer({ is below }
const braces = "}) TestService.toLayer({" + \`\${braces2({ a: "}" })} {\` + '\\'}'
const pattern = /[/}"]{2}/.test("x") ? 1 / 2 : 3
export const HandlersLive = api.TestService
  .toLayer(\t{
\t  // Say: not yet {
\t  Echo: (requests) => Stream.map(requests, function ({ message = "}" }) {
\t    return new api.Response({ message: \`\${message} }\` }) // }
\t  }) , /* the last one } */
\t  })  // end
export const more = { Say: 1 }
`
    grown(mine, mine.replace("\t  })  // end", `\t  ${say}\n\t  })  // end`))
  })

  it("a comma that is missing is added behind the last entry, before its comment", () => {
    grown(
      `${head}export const L = api.TestService.toLayer({\n  Echo: (requests) => requests // mine, all of it\n})\n`,
      `${head}export const L = api.TestService.toLayer({\n  Echo: (requests) => requests, // mine, all of it\n  ${say}\n})\n`
    )
  })

  it("an object on one line", () => {
    grown(
      `${head}export const L = api.TestService.toLayer({ Echo: f })\n`,
      `${head}export const L = api.TestService.toLayer({ Echo: f,\n  ${say}\n})\n`
    )
    grown(
      `${head}export const L = api.TestService.toLayer({ Echo: f, /* mine */  })\n`,
      `${head}export const L = api.TestService.toLayer({ Echo: f, /* mine */\n  ${say}\n})\n`
    )
  })

  it("imports stand below the line that names the program", () => {
    const script = "#!/usr/bin/env -S node --title='it`\n"
    grown(
      `${script}export const L = TestService.toLayer({\n  Echo: f\n})\n`,
      `${script}import { Effect } from "effect"\nimport * as api from "./gen/echo/api.ts"\nexport const L = TestService.toLayer({\n  Echo: f,\n  ${say}\n})\n`
    )
  })

  it("what is imported as a type only is said", () => {
    for (const line of ['import type { Effect } from "effect"', 'import { type Effect, Stream } from "effect"']) {
      const existing = `${line}\nimport * as api from "./gen/echo/api.ts"\nexport const L = api.TestService.toLayer({ Echo: f })\n`
      assert.deepStrictEqual(merge("src/handlers.ts", existing, after), {
        _tag: "ByHand",
        text: say,
        missing: ["Say"],
        reason: "it imports Effect as a type, and a value is needed"
      })
    }
    const both = 'import type { Effect as E, type as Effect } from "x"\nimport { type as Effect } from "effect"\n'
    const existing = `${both}import * as api from "./gen/echo/api.ts"\nexport const L = api.TestService.toLayer({ Echo: f })\n`
    assert.strictEqual(merge("src/handlers.ts", existing, after)._tag, "Merged")
  })

  for (const path of ["src/client.ts", "test/service.test.ts"]) {
    it(`${path}: a method of a client that the file does not have is added by hand`, () => {
      const both = service(`${method("Echo", "bidirectional")}\n${method("Say", "unary")}\nvoid Ping()`)
      const merged = merge(path, textOf(path, before), both)
      if (merged._tag !== "ByHand") assert.fail(merged._tag)
      assert.deepStrictEqual(merged.missing, ["Say", "Ping"])
      assert.strictEqual(merged.reason, "it has no class PingPong")
      assert.match(merged.text, /^class PingPong extends Client.Service<PingPong>\(\)/)
      assert.include(merged.text, "client.Ping({})")
      assert.strictEqual(merge(path, `${textOf(path, before)}\nclass  PingPong {}`, both)._tag, "Merged")
    })
  }

  it("an empty object", () => {
    const merged = merge("src/handlers.ts", `${head}export const L = api.TestService.toLayer({})\n`, after)
    if (merged._tag !== "Merged") assert.fail(merged._tag)
    assert.deepStrictEqual(merged.added, ["Echo", "Say"])
    assert.include(merged.text, `toLayer({\n  Echo: `)
    assert.include(merged.text, `${say}\n})\n`)
  })

  it("line ends of Windows", () => {
    const existing = textOf("src/handlers.ts", before).replaceAll("\n", "\r\n")
    const merged = merge("src/handlers.ts", existing, after)
    if (merged._tag !== "Merged") assert.fail(merged._tag)
    assert.notMatch(merged.text, /[^\r]\n/)
    assert.strictEqual(
      withoutImports(merged.text.replaceAll("\r\n", "\n")),
      withoutImports(textOf("src/handlers.ts", after))
    )
  })

  it("all forms of keys are known", () => {
    for (const key of [
      "Say: f",
      '"Say": f',
      "'Say': f",
      "Say() {}",
      "async Say() {}",
      "Say",
      "get Say() { return f }",
      '["Say"]: f',
      "*Say() {}"
    ]) {
      const existing = `${head}export const L = api.TestService.toLayer({ Echo: f, ${key} })`
      assert.deepStrictEqual(merge("src/handlers.ts", existing, after), { _tag: "Unchanged" }, key)
    }
  })

  it("imports are known under other forms", () => {
    for (const line of [
      'import * as Effect from "effect/Effect"',
      'import { type Stream, Effect } from "effect"',
      'import { Fx as Effect } from "./fx.ts"'
    ]) {
      const existing = `${line}\nimport * as api from "./gen/echo/api.ts"\nexport const L = api.TestService.toLayer({ Echo: f })`
      const merged = merge("src/handlers.ts", existing, after)
      if (merged._tag !== "Merged") assert.fail(merged._tag)
      assert.lengthOf(merged.text.match(/^import /gm)!, 2, line)
    }
  })

  it("a test is known by the begin of its name", () => {
    const existing = textOf("test/service.test.ts", before).replace(
      'it.effect("Echo"',
      'it.live("Echo answers", () => {})\n  it.effect.skip("Say hello"'
    )
    assert.deepStrictEqual(merge("test/service.test.ts", existing, after), { _tag: "Unchanged" })
  })

  it("a text in a test is no name of a test", () => {
    const named = service(`${method("Echo", "bidirectional")}\n${method("hello", "unary")}`)
    const merged = merge("test/service.test.ts", textOf("test/service.test.ts", before), named)
    assert.deepStrictEqual(merged._tag === "Merged" && merged.added, ["hello"])
  })

  it("whatever stands in a file, its lines stay or nothing is changed", () => {
    const pieces = [
      "{",
      "}",
      "(",
      ")",
      "[",
      "]",
      ",",
      "\n",
      "  ",
      '"',
      "'",
      "`",
      "${",
      "/",
      "//",
      "/*",
      "*/",
      "\\",
      "Echo: f",
      "Say",
      ":",
      "...",
      "=>",
      "import",
      "from",
      '"effect"',
      "api.TestService.toLayer({",
      "})",
      "x"
    ]
    let seed = 1
    const next = () => (seed = (seed * 48271) % 2147483647)
    let count = 0
    for (let round = 0; round < 5000; round++) {
      const soup = Array.from({ length: next() % 40 }, () => pieces[next() % pieces.length]).join("")
      const existing = `${soup}\n${round % 2 === 0 ? "export const L = api.TestService.toLayer({\n  Echo: f\n})\n" : ""}${soup}`
      const merged = merge("src/handlers.ts", existing, after)
      if (merged._tag !== "Merged") continue
      count++
      // nothing is taken away: every character comes again, in order
      let at = 0
      for (const character of merged.text) if (character === existing[at]) at++
      assert.strictEqual(at, existing.length, existing)
    }
    assert.isAbove(count, 100)
  })

  // quadratic, this would take minutes
  it("reads a large file", () => {
    const tests = Array.from(
      { length: 20_000 },
      (_, i) => `  it.effect("Own${i}", () => check("import", ${i})) // import`
    )
    const existing = textOf("test/service.test.ts", before).replace(/\}\)\n$/, `${tests.join("\n")}\n})\n`)
    assert.strictEqual(merge("test/service.test.ts", existing, after)._tag, "Merged")
  })

  describe("beyond recognition", () => {
    const byHand = (existing: string) => merge("src/handlers.ts", existing, after)

    for (const [name, existing] of [
      ["no object", `${head}export const L = api.TestService.toLayer(handlers)`],
      ["another service", `${head}export const L = api.Other.toLayer({ Echo: f })`],
      ["a spread", `${head}export const L = api.TestService.toLayer({ ...others })`],
      ["a computed key", `${head}export const L = api.TestService.toLayer({ [name]: f })`],
      ["braces that do not close", `${head}export const L = api.TestService.toLayer({ Echo: f`],
      ["a string that does not close", `${head}const a = "\nexport const L = api.TestService.toLayer({})`],
      ["a comment that does not close", `${head}/* export const L = api.TestService.toLayer({})`],
      ["a template that does not close", `${head}export const L = api.TestService.toLayer({}) + \``],
      ["templates without end", `${head}${"`${".repeat(10_000)}`]
    ] as const) {
      it(`${name}: what to add is said`, () => {
        const merged = byHand(existing)
        if (merged._tag !== "ByHand") assert.fail(merged._tag)
        assert.include(merged.missing, "Say")
        assert.include(merged.text, say)
      })
    }

    it("all is said where the names are only somewhere in the file", () => {
      const merged = byHand(
        `${head}// Say\nconst handlers = { Echo: f }\nexport const L = api.TestService.toLayer(handlers)`
      )
      assert.deepStrictEqual(merged._tag === "ByHand" && merged.missing, ["Echo", "Say"])
    })

    it("nothing is said where all keys are there", () => {
      assert.deepStrictEqual(byHand(`${head}export const L = api.TestService.toLayer({ ...others, Echo, Say })`), {
        _tag: "Unchanged"
      })
    })
  })
})
