import { assert, describe, it } from "@effect/vitest"
import { Codec, CodecError, Plan, Thrift } from "@millrace/codec"
import { Idl, ToIdl } from "@millrace/idl"
import { Method, Service } from "@millrace/rpc"
import { Effect, Schema, SchemaGetter } from "effect"
import * as Llm from "../../../examples/src/llm/api.ts"
import * as Streaming from "../../../examples/src/thrift-streaming/api.ts"
import * as Interop from "../../../interop/src/api.ts"
import { serviceText } from "./described.ts"
import { random, randomService, randomValue } from "./randomService.ts"

const load = (text: string): Service.Any =>
  Effect.runSync(
    Effect.flatMap(Idl.load({ files: { "service.thrift": text }, entry: "service.thrift" }), (idl) => Idl.service(idl))
  )

const serviceOf = (schema: Schema.Top, exceptions: Method.Fields = {}) =>
  Service.make("S", {
    package: "p",
    methods: [Method.pingPong("call", { arguments: { it: Thrift.field(1, schema) }, exceptions })]
  })

const definitionsOf = (schema: Schema.Top): string => {
  const text = ToIdl.toIdl(serviceOf(schema))
  return text.slice("namespace go p\n\n".length, text.indexOf("\n\nservice S"))
}

const failure = (run: () => unknown): string => {
  try {
    run()
  } catch (error) {
    assert.instanceOf(error, CodecError.CodecError)
    return (error as Error).message
  }
  throw new Error("expected a failure")
}

class Request extends Thrift.Struct<Request>("echo.Request")({ message: Thrift.optional(1, Thrift.String) }) {}
class Busy extends Thrift.Exception<Busy>()("echo.Busy", { retryAfter: Thrift.required(1, Thrift.I64) }) {}

describe("text", () => {
  it("methods of every mode, inherited ones first", () => {
    const Base = Service.make("Base", { methods: [Method.pingPong("Ping", { arguments: {} })] })
    const messages = { request: Request, response: Request }
    const busy = { busy: Thrift.field(1, Busy) }
    const service = Service.make("TestService", {
      package: "echo",
      extends: Base,
      methods: [
        Method.bidirectional("Echo", messages),
        Method.clientStreaming("EchoClient", messages),
        Method.serverStreaming("EchoServer", messages),
        Method.unary("EchoUnary", { ...messages, exceptions: busy, argumentId: 2 }),
        Method.pingPong("Join", {
          arguments: { left: Thrift.field(1, Thrift.String), right: Thrift.field(3, Thrift.list(Request)) },
          response: Thrift.map(Thrift.String, Thrift.I32),
          exceptions: busy
        }),
        Method.oneway("Log", { arguments: { line: Thrift.field(1, Thrift.String) } })
      ]
    })
    assert.strictEqual(
      ToIdl.toIdl(service, { namespace: "acme.echo" }),
      `namespace go acme.echo

struct Request {
  1: optional string message
}

exception Busy {
  1: required i64 retryAfter
}

service TestService {
  void Ping()
  Request Echo(1: Request req) (streaming.mode = "bidirectional")
  Request EchoClient(1: Request req) (streaming.mode = "client")
  Request EchoServer(1: Request req) (streaming.mode = "server")
  Request EchoUnary(2: Request req) throws (1: Busy busy) (streaming.mode = "unary")
  map<string, i32> Join(1: string left, 3: list<Request> right) throws (1: Busy busy)
  oneway void Log(1: string line)
}
`
    )
  })

  it("types stand behind those that they refer to", () => {
    const Color = Thrift.Enum("p.Color", { RED: 0, BLUE: 5, GONE: -1 })
    class Point extends Thrift.Struct<Point>("p.Point")({ x: Thrift.field(1, Thrift.I64Number) }) {}
    class Node extends Thrift.Struct<Node>("p.Node")({
      next: Thrift.optional(
        2,
        Schema.suspend((): Schema.Codec<Node, unknown> => Node)
      ),
      points: Thrift.field(1, Thrift.map(Color, Thrift.list(Point))),
      id: Thrift.required(3, Thrift.I64String)
    }) {}
    const Either = Thrift.Union("p.Either", { node: Thrift.field(1, Node), names: Thrift.field(2, Thrift.set(Color)) })
    assert.strictEqual(
      definitionsOf(Thrift.list(Either)),
      `enum Color {
  RED = 0
  BLUE = 5
  GONE = -1
}

struct Point {
  1: i64 (ts.type = "number") x
}

struct Node {
  2: optional Node next
  1: map<Color, list<Point>> points
  3: required i64 (ts.type = "string") id
}

union Either {
  1: Node node
  2: set<Color> names
}`
    )
  })

  it("defaults are literals", () => {
    const Color = Thrift.Enum("p.Color", { RED: 0 })
    class Point extends Thrift.Struct<Point>("p.Point")({
      x: Thrift.field(1, Thrift.I32),
      y: Thrift.optional(2, Thrift.I32)
    }) {}
    const Either = Thrift.Union("p.Either", { a: Thrift.field(1, Thrift.I32) })
    class All extends Thrift.Struct<All>("p.All")({
      a: Thrift.field(1, Thrift.Bool, { default: () => true }),
      b: Thrift.optional(2, Thrift.I64, { default: () => -5n }),
      c: Thrift.field(3, Thrift.Double, { default: () => 1 }),
      d: Thrift.field(4, Thrift.String, { default: () => 'é"\\\n\u0001' }),
      e: Thrift.field(5, Thrift.Binary, { default: () => Uint8Array.of(65, 0, 255, 34) }),
      f: Thrift.field(6, Color, { default: () => Color.RED }),
      g: Thrift.field(7, Color, { default: () => 9 }),
      h: Thrift.field(8, Thrift.map(Thrift.String, Thrift.list(Thrift.I32)), {
        default: () => new Map([["k", [1, 2]]])
      }),
      i: Thrift.field(9, Thrift.set(Thrift.I32), { default: () => new Set([3]) }),
      j: Thrift.field(10, Point, { default: () => new Point({ x: 1 }) }),
      k: Thrift.field(11, Either, { default: () => ({ _tag: "a", value: 1 }) as const }),
      l: Thrift.field(12, Thrift.map(Thrift.I32, Thrift.I32), { default: () => new Map() })
    }) {}
    assert.deepStrictEqual(
      definitionsOf(All)
        .match(/(?<= = ).*(?=\n)/g)!
        .slice(1),
      [
        "true",
        "-5",
        "1.0",
        String.raw`'é"\\\n\u0001'`,
        String.raw`'A\x00\xff"'`,
        "Color.RED",
        "9",
        '{"k": [1, 2]}',
        "[3]",
        '{"x": 1}',
        '{"a": 1}',
        "{}"
      ]
    )
  })

  it("names that cannot be are changed, and said", () => {
    class A extends Thrift.Struct<A>("one.Same")({ x: Thrift.field(1, Thrift.I32) }) {}
    class B extends Thrift.Struct<B>("two.Same")({ y: Thrift.field(1, A) }) {}
    class C extends Thrift.Struct<C>("two.S")({ z: Thrift.field(1, B) }) {}
    class D extends Thrift.Struct<D>("two.map")({ z: Thrift.field(1, C) }) {}
    class E extends Thrift.Struct<E>("two.odd-name")({ z: Thrift.field(1, D) }) {}
    assert.strictEqual(
      definitionsOf(E),
      `// "one.Same" in the program.
struct Same2 {
  1: i32 x
}

struct Same {
  1: Same2 y
}

// "two.S" in the program.
struct S2 {
  1: Same z
}

// "two.map" in the program.
struct map2 {
  1: S2 z
}

// "two.odd-name" in the program.
struct odd_name {
  1: map2 z
}`
    )
  })

  it("a struct without a name is called after its place", () => {
    const nameless = Schema.Struct({ x: Thrift.field(1, Schema.Struct({ y: Thrift.field(1, Thrift.I32) })) })
    assert.strictEqual(definitionsOf(nameless), "struct CallItX {\n  1: i32 y\n}\n\nstruct CallIt {\n  1: CallItX x\n}")
  })

  it("a transformed member is what it is on the wire", () => {
    const Millis = Thrift.I64Number.pipe(
      Schema.decodeTo(Schema.Date, {
        decode: SchemaGetter.transform((millis: number) => new Date(millis)),
        encode: SchemaGetter.transform((date: Date) => date.getTime())
      })
    )
    class At extends Thrift.Struct<At>("p.At")({
      at: Thrift.field(1, Millis),
      all: Thrift.field(2, Thrift.list(Millis))
    }) {}
    assert.strictEqual(
      definitionsOf(At),
      'struct At {\n  1: i64 (ts.type = "number") at\n  2: list<i64 (ts.type = "number")> all\n}'
    )
  })

  it("long lines are broken as millrace fmt does", () => {
    const service = Service.make("S", {
      methods: [
        Method.oneway("call", {
          arguments: { ["a".repeat(60)]: Thrift.field(1, Thrift.I32), ["b".repeat(60)]: Thrift.field(2, Thrift.I32) }
        })
      ]
    })
    assert.strictEqual(
      ToIdl.toIdl(service),
      `service S {\n  oneway void call(\n    1: i32 ${"a".repeat(60)},\n    2: i32 ${"b".repeat(60)}\n  )\n}\n`
    )
  })

  it("members have the names of the IDL that they came from", () => {
    const text = `namespace go p

union U {
  1: i32 constructor
  2: string some_text
}

struct S {
  1: required string user_id
  2: optional i64 AGE = 3
  3: optional S2 then = {"inner_value": {"some_text": "x"}}
}

struct S2 {
  1: U inner_value
}

exception X {
  1: i32 message
}

service V {
  S do_it(1: string user_id, 2: i32 toString) throws (1: X the_failure)
}
`
    const files = { "service.thrift": text }
    for (const options of [{ case: "camel" }, { case: "keep" }] as const) {
      const idl = Effect.runSync(Idl.load({ ...options, files, entry: "service.thrift" }))
      const printed = ToIdl.toIdl(idl.services.get("V")!)
      const sorted = (text: string) => text.split("\n").sort()
      assert.deepStrictEqual(sorted(printed), sorted(text))
    }
  })

  it("a long chain of structs", () => {
    const many = 10_000
    const structs = Array.from({ length: many }, (_, i) => `struct S${i} { 1: optional S${i + 1} next }`)
    const text = `namespace go p\n${structs.join("\n")}\nstruct S${many} {}\nservice V { void M(1: S0 s) }\n`
    const printed = ToIdl.toIdl(load(text))
    assert.isTrue(printed.startsWith(`namespace go p\n\nstruct S${many} {}\n\nstruct S${many - 1} {\n`))
    assert.lengthOf(printed.match(/^struct /gm)!, many + 1)
  })

  it("a package of no name has no namespace", () => {
    assert.strictEqual(ToIdl.toIdl(Service.make("Empty", { methods: [] })), "service Empty {}\n")
  })
})

describe("what no IDL can say fails", () => {
  const struct = (fields: Schema.Struct.Fields) => class extends Thrift.Struct<any>("p.Odd")(fields) {} as any

  it("a member whose name is none", () => {
    const schema = struct({ "user-id": Thrift.field(1, Thrift.I32) })
    assert.strictEqual(
      failure(() => ToIdl.toIdl(serviceOf(schema))),
      'Odd.user-id: "user-id" is no name in an IDL: use letters, digits and _'
    )
  })

  it("a package, a method, an argument", () => {
    const named = (name: string, method: string, argument: string) =>
      Service.make("S", {
        package: name,
        methods: [Method.oneway(method, { arguments: { [argument]: Thrift.field(1, Thrift.I32) } })]
      })
    assert.include(
      failure(() => ToIdl.toIdl(named("my-package", "m", "a"))),
      "namespace"
    )
    assert.include(
      failure(() => ToIdl.toIdl(named("p", "my method", "a"))),
      "my method"
    )
    assert.include(
      failure(() => ToIdl.toIdl(named("p", "m", "a.b"))),
      "a.b"
    )
  })

  it("two arguments of one id", () => {
    const service = Service.make("S", {
      package: "p",
      methods: [
        Method.oneway("call", { arguments: { a: Thrift.field(1, Thrift.I32), b: Thrift.field(1, Thrift.I32) } })
      ]
    })
    assert.include(
      failure(() => ToIdl.toIdl(service)),
      "S: no IDL can say it: "
    )
  })

  it("a package that would come back as another one, unless a namespace is chosen", () => {
    for (const [name, came] of [
      ["Echo", "echo"],
      ["a.b.C", "c"],
      ["a.b", "b"]
    ] as const) {
      const service = Service.make("S", { package: name, methods: [] })
      assert.strictEqual(
        failure(() => ToIdl.toIdl(service)),
        `package: the package "${name}" would come back as "${came}", as a package of Kitex is in lower case and without dots; choose a namespace by the option namespace`
      )
      const text = ToIdl.toIdl(service, { namespace: name })
      assert.strictEqual(text, `namespace go ${name}\n\nservice S {}\n`)
      assert.strictEqual(load(text).package, came)
    }
  })

  it("a default that has no literal", () => {
    const schema = struct({ x: Thrift.field(1, Thrift.Double, { default: () => Infinity }) })
    assert.strictEqual(
      failure(() => ToIdl.toIdl(serviceOf(schema))),
      "Odd.x: no IDL can say the default Infinity"
    )
  })

  it("an enum with two names for one number", () => {
    const schema = Thrift.Enum("p.Twice", { A: 1, B: 1 })
    assert.include(
      failure(() => ToIdl.toIdl(serviceOf(schema as any))),
      "A and B are both 1"
    )
  })

  it("an exception that is a struct", () => {
    assert.include(
      failure(() => ToIdl.toIdl(serviceOf(Thrift.I32, { wrong: Thrift.field(1, Request) }))),
      "Thrift.Exception"
    )
  })

  it("a type without a wire type", () => {
    failure(() => ToIdl.toIdl(serviceOf(struct({ x: Thrift.field(1, Schema.Number) }))))
  })
})

describe("an IDL that was printed says the same service", () => {
  const examples: ReadonlyArray<Service.Any> = [Streaming.TestService, Llm.Llm]
  it.each(examples.map((service) => [service.name_, service] as const))("%s of the examples", (_, service) => {
    assert.deepStrictEqual(serviceText(load(ToIdl.toIdl(service))), serviceText(service))
  })

  const services: ReadonlyArray<Service.Any> = [Interop.InteropService, Interop.SecondService]
  it.each(services.map((service) => [service.name_, service] as const))("%s of the interop suite", (_, service) => {
    const loaded = load(ToIdl.toIdl(service, { namespace: "interop" }))
    // the types of both are in the namespace of the first
    assert.deepStrictEqual(serviceText(loaded), { ...serviceText(service), package: "interop" })
  })

  it("two types of one name stay two", () => {
    class A extends Thrift.Struct<A>("one.Same")({ x: Thrift.field(1, Thrift.I32) }) {}
    class B extends Thrift.Struct<B>("two.Same")({ x: Thrift.field(1, Thrift.String), y: Thrift.optional(2, A) }) {}
    const loaded = load(ToIdl.toIdl(serviceOf(B)))
    const schema = loaded.methods[0]!.args["it"]!.schema
    const value = { x: "a", y: { x: 5 } }
    assert.deepStrictEqual(Codec.make(schema).encode(value as any), Codec.make(B).encode(value))
  })

  // each has its own seed, which its name tells
  it.each(Array.from({ length: 60 }, (_, i) => i))("random service %i", (seed) => {
    const next = random(seed)
    const service = randomService(next)
    const text = ToIdl.toIdl(service)
    const loaded = load(text)
    assert.deepStrictEqual(serviceText(loaded), serviceText(service), text)
    service.methods.forEach((method, i) => {
      const same = loaded.methods[i]!
      const result: Method.Fields = method.response === undefined ? {} : { success: Thrift.field(0, method.response) }
      const sameResult: Method.Fields = same.response === undefined ? {} : { success: Thrift.field(0, same.response) }
      const pairs = [
        [
          { ...method.args, ...method.exceptions },
          { ...same.args, ...same.exceptions }
        ],
        [result, sameResult]
      ] as const
      for (const [from, to] of pairs) {
        for (const name of Object.keys(from)) {
          const codec = Codec.args("gen", { it: { id: 1, schema: from[name]!.schema } } as Method.Fields)
          const other = Codec.args("gen", { it: { id: 1, schema: to[name]!.schema } } as Method.Fields)
          const value = { it: randomValue(next, Plan.ofType(from[name]!.schema)) }
          const bytes = codec.encode(value)
          assert.deepStrictEqual(other.encode(value), bytes)
          assert.deepStrictEqual(codec.encode(other.decode(bytes) as any), other.encode(codec.decode(bytes) as any))
        }
      }
    })
  })
})
