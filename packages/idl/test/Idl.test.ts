import { assert, describe, it } from "@effect/vitest"
import { Codec, Thrift } from "@millrace/codec"
import { Idl } from "@millrace/idl"
import type { Service } from "@millrace/rpc"
import { Testing } from "@millrace/rpc/testing"
import { Cause, Effect, Schema, Stream } from "effect"
import { lazyMap } from "../src/internal/runtime/lazyMap.ts"

const files = {
  "api/main.thrift": `
    namespace go acme.echo
    include "base.thrift"
    include "more.thrift"

    typedef i64 UserId
    typedef base.Base Header
    enum Color { RED = 1, BLUE = 5 }
    const i64 BIG = 9007199254740993
    const list<Color> COLORS = [Color.BLUE, 7]
    const map<string, Point> PLACES = { "home": { "x": 1 } }
    struct Point { 1: i32 x, 2: i32 y = 3 }
    struct Request { 1: optional string message, 2: optional base.Base base }
    struct Response { 1: optional string message, 2: UserId id (ts.type = "number") }
    exception Busy { 1: i64 retryAfter }
    service First extends base.Root {
      void Touch(1: Request req) (streaming.mode = "unary")
      Response Unary(3: Request req) throws (1: Busy busy) (streaming.mode = "unary")
    }
    service Second extends base.Root {
      Response Bidi(1: Request req) (streaming.mode = "bidirectional")
      Response Client(1: Request req) (streaming.mode = "client")
      Response Server(1: Request req) (streaming.mode = "server")
      Response Join(1: string left, 2: list<string> right) throws (1: Busy busy)
      oneway void Log(1: string line)
    }
  `,
  "api/base.thrift": `
    include "more.thrift"
    struct Base { 1: string id }
    service Root { void Ping() }
  `,
  "api/more.thrift": "struct More { 1: i32 x }"
}

const load = (options: Partial<Idl.Options> = {}) => Idl.load({ files, entry: "api/main.thrift", ...options })

const loadText = (text: string, options: Partial<Idl.Options> = {}) =>
  Idl.load({ files: { "a.thrift": text }, entry: "a.thrift", ...options })

const roundTrip = (schema: Schema.Top, value: any): any => {
  const codec = Codec.make(schema)
  return codec.decode(codec.encode(value))
}

describe("load", () => {
  it.effect("names what the entry declares as it is, and the rest by its file", () =>
    Effect.gen(function* () {
      const idl = yield* load()
      assert.deepStrictEqual([...idl.services.keys()], ["First", "Second", "base.Root"])
      assert.deepStrictEqual(
        [...idl.types.keys()],
        ["UserId", "Header", "Color", "Point", "Request", "Response", "Busy", "base.Base", "more.More"]
      )
      assert.strictEqual(idl.types.get("Header"), idl.types.get("base.Base"))
      assert.strictEqual(idl.types.get("UserId"), Thrift.I64)
      assert.isUndefined(idl.types.get("Nothing"))
    })
  )

  it.effect("services have the names of the wire", () =>
    Effect.gen(function* () {
      const idl = yield* load()
      const { name_, package: packageName, methods }: Service.Any = idl.services.get("Second")!
      assert.strictEqual(name_, "Second")
      assert.strictEqual(packageName, "echo")
      assert.deepStrictEqual(
        methods.map(({ name, mode }) => [name, mode]),
        [
          ["Ping", "pingPong"],
          ["Bidi", "bidirectional"],
          ["Client", "client"],
          ["Server", "server"],
          ["Join", "pingPong"],
          ["Log", "oneway"]
        ]
      )
      const [ping, , , , join] = methods
      assert.isUndefined(ping!.response)
      assert.deepStrictEqual(
        Object.entries(join!.args).map(([name, { id }]) => [name, id]),
        [
          ["left", 1],
          ["right", 2]
        ]
      )
      assert.strictEqual(join!.exceptions["busy"]!.schema, idl.types.get("Busy"))
      const first: Service.Any = idl.services.get("First")!
      assert.strictEqual(first.methods[2]!.args["req"]!.id, 3)
      assert.strictEqual(idl.services.get("base.Root")!.package, "base")
    })
  )

  it.effect("structs are classes, enums have their members, i64 is what the IDL says", () =>
    Effect.gen(function* () {
      const { types, constants } = yield* load()
      const Response = types.get("Response") as any
      const value = roundTrip(Response, new Response({ message: "a", id: 5 }))
      assert.instanceOf(value, Response)
      assert.deepStrictEqual({ ...(value as object) }, { message: "a", id: 5 })
      assert.strictEqual(Response.name, "Response")
      const Busy = types.get("Busy") as any
      const busy = new Busy({ retryAfter: 5n })
      assert.isTrue(busy instanceof Error)
      assert.strictEqual(busy._tag, "Busy")
      assert.strictEqual((types.get("Color") as any).BLUE, 5)
      assert.strictEqual(constants.get("BIG"), 9007199254740993n)
      assert.deepStrictEqual(constants.get("COLORS"), [5, 7])
      assert.isFrozen(constants.get("COLORS"))
      const places = constants.get("PLACES") as ReadonlyMap<string, any>
      assert.instanceOf(places.get("home"), types.get("Point") as any)
      assert.deepStrictEqual({ ...places.get("home") }, { x: 1, y: 0 })
    })
  )

  it.effect("options choose how types look", () =>
    Effect.gen(function* () {
      const { types, constants } = yield* loadText(
        "namespace go a.b\nnamespace ts c\nstruct S { 1: i64 big_number = 5 }\nconst i64 X = 6",
        { i64: "number", case: "camel", namespaceScopes: ["go"] }
      )
      const S = types.get("S") as any
      assert.deepStrictEqual({ ...roundTrip(S, new S()) }, { bigNumber: 5 })
      assert.strictEqual(S.identifier, "a.b.S")
      const mapped = yield* loadText("namespace go old.api\nstruct S {}", { namespaceMap: [["old", "new"]] })
      assert.strictEqual((mapped.types.get("S") as any).identifier, "new.api.S")
      assert.strictEqual(constants.get("X"), 6)
    })
  )

  it.effect("what only Apache Thrift accepts is accepted on request", () =>
    Effect.gen(function* () {
      const text = "typedef i32 X;"
      assert.strictEqual((yield* Effect.flip(loadText(text))).findings[0]!.code, "E_SYNTAX")
      const idl = yield* loadText(text, { compat: "apache" })
      assert.deepStrictEqual(
        idl.warnings.map(({ code }) => code),
        ["W_APACHE"]
      )
    })
  )

  it.effect("types refer to each other in circles", () =>
    Effect.gen(function* () {
      const { types } = yield* loadText(`
        struct A { 1: optional B b, 2: list<C> cs }
        struct B { 1: optional A a }
        union C { 1: A a, 2: i32 x, 3: map<string, C> cs }
        exception E { 1: optional E cause_, 2: C c }
      `)
      const [A, B, E] = ["A", "B", "E"].map((name) => types.get(name) as any)
      const c = { _tag: "cs", value: new Map([["x", { _tag: "a", value: new A({}) }]]) }
      const a = new A({ b: new B({ a: new A({}) }), cs: [{ _tag: "x", value: 7 }, c] })
      assert.deepStrictEqual(roundTrip(A, a), a)
      assert.deepStrictEqual(roundTrip(E, new E({ cause_: new E({ c }), c })).cause_.c, c)
    })
  )

  it.effect("every value of every kind of default", () =>
    Effect.gen(function* () {
      const { types } = yield* loadText(`
        enum Color { RED, BLUE = 5 }
        struct P { 1: i32 x, 2: optional i32 y = 2 }
        union U { 1: string s, 2: P p }
        struct S {
          1: bool a = true, 2: i64 b = -7, 3: i64 c = 8 (ts.type = "number"), 4: i64 d = 9 (ts.type = "string")
          5: double e = 3, 6: string f = "\\x41\\n", 7: string g = "é" (ts.type = "binary"), 8: binary h = "hi"
          9: Color i = Color.BLUE, 10: list<i64> j = [1], 11: set<string> k = ["x"], 12: set<P> l = [{"x": 1}]
          13: map<Color, P> m = { Color.RED: {} }, 14: map<P, i32> n = { {"x": 1}: 2 }, 15: P o = {"x": 1}, 16: U p = {"s": "u"}
        }
      `)
      const [S, P] = ["S", "P"].map((name) => types.get(name) as any)
      const expected = {
        a: true,
        b: -7n,
        c: 8,
        d: "9",
        e: 3,
        f: "A\n",
        g: new Uint8Array([0xc3, 0xa9]),
        h: new Uint8Array([104, 105]),
        i: 5,
        j: [1n],
        k: new Set(["x"]),
        l: [new P({ x: 1, y: 0 })],
        m: new Map([[0, new P({ y: 0 })]]),
        n: [[new P({ x: 1, y: 0 }), 2]],
        // a literal has zeros, not defaults, as in Go
        o: new P({ x: 1, y: 0 }),
        p: { _tag: "s", value: "u" }
      }
      const made = new S({})
      assert.deepStrictEqual({ ...made }, expected)
      // absent on the wire they are made anew
      const decoded = Codec.make(S).decode(new Uint8Array(1)) as any
      assert.deepStrictEqual({ ...decoded }, expected)
      assert.notStrictEqual(decoded.j, made.j)
      assert.notStrictEqual(decoded.o, made.o)
    })
  )

  it.effect("names that would be one in TypeScript are an error", () =>
    Effect.gen(function* () {
      const text = "struct S { 1: i32 user_id, 2: string userId }"
      yield* loadText(text)
      const error = yield* Effect.flip(loadText(text, { case: "camel" }))
      assert.deepStrictEqual(
        error.findings.map(({ code, line, column }) => [code, line, column]),
        [["E_OUTPUT_CONFLICT", 1, 38]]
      )
      const reserved = yield* Effect.flip(loadText("union U { 1: i32 then, 2: i32 then_ }"))
      assert.strictEqual(reserved.findings[0]!.code, "E_OUTPUT_CONFLICT")
    })
  )

  it.effect("types of one namespace and one name in two files stay two", () =>
    Effect.gen(function* () {
      const { types } = yield* Idl.load({
        files: {
          "a.thrift": 'include "b.thrift"\nnamespace go x\nstruct S { 1: b.S s }',
          "b.thrift": "namespace go x\nstruct S {}"
        },
        entry: "a.thrift"
      })
      assert.deepStrictEqual(
        [...types].map(([name, schema]) => [name, (schema as any).identifier]),
        [
          ["S", "x.a.S"],
          ["b.S", "x.b.S"]
        ]
      )
    })
  )

  it.effect("a reader of one's own gives the texts", () =>
    Effect.gen(function* () {
      const idl = yield* Idl.load({
        files: (path) =>
          path === "a.thrift"
            ? { _tag: "Text", text: 'include "b.thrift"' }
            : path === "dir/b.thrift"
              ? { _tag: "Text", text: "struct B {}" }
              : { _tag: "Missing" },
        entry: "a.thrift",
        includeDirs: ["dir"]
      })
      assert.isTrue(idl.types.has("b.B"))
      assert.deepStrictEqual(
        idl.warnings.map(({ code }) => code),
        ["W_UNUSED_INCLUDE"]
      )
    })
  )

  it.effect("a wrong IDL is an error that says where", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(loadText("struct A {\n  1: Strin a\n  2: strin b\n}"))
      assert.instanceOf(error, Idl.IdlError)
      assert.deepStrictEqual(
        error.findings.map(({ code, path, line, column }) => [code, path, line, column]),
        [
          ["E_UNDEFINED", "a.thrift", 2, 6],
          ["E_UNDEFINED", "a.thrift", 3, 6]
        ]
      )
      assert.include(error.message, "a.thrift:2:6")
      const missing = yield* Effect.flip(Idl.load({ files: {}, entry: "no.thrift" }))
      assert.deepStrictEqual(
        missing.findings.map(({ code }) => code),
        ["E_INCLUDE"]
      )
    })
  )

  it.effect("an error is plain data and shows at most 100 places", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(loadText("struct A { 1: B b }\n".repeat(1000)))
      assert.strictEqual(error.findings.length, 100)
      const json = Schema.toCodecJson(Idl.IdlError)
      assert.deepStrictEqual(
        Schema.decodeUnknownSync(json)(JSON.parse(JSON.stringify(Schema.encodeUnknownSync(json)(error)))).findings,
        error.findings
      )
    })
  )
})

describe("service", () => {
  it.effect("is the last one, the first one or one by name", () =>
    Effect.gen(function* () {
      const idl = yield* load()
      assert.strictEqual(yield* Idl.service(idl), idl.services.get("Second"))
      assert.strictEqual(yield* Idl.service(idl, "last"), idl.services.get("Second"))
      assert.strictEqual(yield* Idl.service(idl, "first"), idl.services.get("First"))
      assert.strictEqual(yield* Idl.service(idl, { name: "base.Root" }), idl.services.get("base.Root"))
      const error = yield* Effect.flip(Idl.service(idl, { name: "__proto__" }))
      assert.strictEqual(error.findings[0]!.code, "E_NO_SERVICE")
      assert.include(error.findings[0]!.hint, "First, Second, base.Root")
    })
  )

  it.effect("is all of them, each inherited method once", () =>
    Effect.gen(function* () {
      const combined = yield* Idl.service(yield* load(), "combine")
      assert.strictEqual(combined.name_, "CombinedServices")
      assert.strictEqual(combined.package, "echo")
      assert.deepStrictEqual(
        combined.methods.map(({ name }) => name),
        ["Ping", "Touch", "Unary", "Bidi", "Client", "Server", "Join", "Log"]
      )
    })
  )

  it.effect("inherits: middleware for the method of a service is for those that extend it", () =>
    Effect.gen(function* () {
      const { services } = yield* load()
      const [root, first, second] = ["base.Root", "First", "Second"].map((name) => services.get(name)!)
      assert.deepStrictEqual([root!.base, first!.base?.name_, second!.base?.name_], [undefined, "Root", "Root"])
      assert.strictEqual(first!.methods[0], root!.methods[0])
      assert.strictEqual(second!.methods[0], root!.methods[0])
    })
  )

  it.effect("is none when there is none, or when two methods have one name", () =>
    Effect.gen(function* () {
      const none = yield* Effect.flip(Idl.service(yield* loadText("struct A {}")))
      assert.strictEqual(none.findings[0]!.code, "E_NO_SERVICE")
      const two = yield* loadText("service A { void f() }\nservice B { void f() }\nservice C extends A {}")
      const error = yield* Effect.flip(Idl.service(two, "combine"))
      const { code, line, column, message } = error.findings[0]!
      assert.deepStrictEqual([code, line, column], ["E_COMBINE_CONFLICT", 2, 18])
      assert.strictEqual(message, "combine service method f in B conflicts with f in A")
    })
  )
})

/** What the test knows of the methods, which the types do not. */
interface Calls {
  readonly Unary: (request: unknown) => Effect.Effect<any, any>
  readonly Touch: (request: unknown) => Effect.Effect<void>
  readonly Client: (requests: Stream.Stream<unknown>) => Effect.Effect<any>
  readonly Server: (request: unknown) => Stream.Stream<any>
  readonly Bidi: (requests: Stream.Stream<unknown>) => Stream.Stream<any>
}

describe("a loaded service over the wire", () => {
  const client = Effect.gen(function* () {
    const idl = yield* load()
    const combined = yield* Idl.service(idl, "combine")
    const [Request, Response, Busy] = ["Request", "Response", "Busy"].map((name) => idl.types.get(name) as any)
    const respond = ({ message }: any) => new Response({ message, id: 1 })
    const handlers = {
      Ping: () => Effect.void,
      Touch: () => Effect.void,
      Join: () => Effect.succeed(respond({})),
      Log: () => Effect.void,
      Unary: (request: any) =>
        request.message === "busy" ? Effect.fail(new Busy({ retryAfter: 5n })) : Effect.succeed(respond(request)),
      Client: (requests: Stream.Stream<any, unknown>) =>
        Effect.map(Effect.orDie(Stream.runCollect(requests)), (all) =>
          respond({ message: all.map(({ message }) => message).join() })
        ),
      Server: (request: any) =>
        Stream.make("x", "y").pipe(Stream.map((x) => respond({ message: request.message + x }))),
      Bidi: (requests: Stream.Stream<any, unknown>) => Stream.orDie(Stream.map(requests, respond))
    }
    const calls = (yield* Testing.client(combined, handlers)) as unknown as Calls
    return { calls, request: (message: string) => new Request({ message }), Response, Busy }
  })

  const messages = (stream: Stream.Stream<any, any>) =>
    Effect.map(Stream.runCollect(stream), (all) => all.map((each) => each.message))

  it.effect("answers in every mode", () =>
    Effect.gen(function* () {
      const { calls, request, Response } = yield* client
      const one = yield* calls.Unary(request("a"))
      assert.isTrue(one instanceof Response)
      assert.strictEqual(one.message, "a")
      assert.isUndefined(yield* calls.Touch(request("a")))
      const requests = Stream.make(request("a"), request("b"))
      assert.strictEqual((yield* calls.Client(requests)).message, "a,b")
      assert.deepStrictEqual(yield* messages(calls.Server(request("a"))), ["ax", "ay"])
      assert.deepStrictEqual(yield* messages(calls.Bidi(requests)), ["a", "b"])
    }).pipe(Effect.scoped)
  )

  it.effect("fails with declared exceptions as errors of their class", () =>
    Effect.gen(function* () {
      const { calls, request, Busy } = yield* client
      const exit = yield* Effect.exit(calls.Unary(request("busy")))
      const error = exit._tag === "Failure" ? Cause.squash(exit.cause) : undefined
      assert.instanceOf(error, Busy)
      assert.strictEqual((error as any).retryAfter, 5n)
    }).pipe(Effect.scoped)
  )
})

it("values of a lazy map are made when they are asked for, once", () => {
  const made: Array<string> = []
  const make = (key: string) => () => {
    made.push(key)
    return { key }
  }
  const map = lazyMap(new Map(["a", "b", "c"].map((key) => [key, make(key)])))
  assert.deepStrictEqual([map.size, map.has("b"), [...map.keys()], made], [3, true, ["a", "b", "c"], []])
  assert.strictEqual(map.get("b"), map.get("b"))
  assert.isUndefined(map.get("__proto__"))
  assert.deepStrictEqual(made, ["b"])
  assert.deepStrictEqual([...map], [...map.entries()])
  assert.deepStrictEqual(
    [...map.values()].map(({ key }) => key),
    ["a", "b", "c"]
  )
  const seen: Array<string> = []
  map.forEach(({ key }) => seen.push(key))
  assert.deepStrictEqual(seen, ["a", "b", "c"])
  assert.deepStrictEqual(made, ["b", "a", "c"])
})
