import { Codec, type CodecError, type Runtime, Thrift } from "@millrace/codec"
import { Effect, Schema } from "effect"

type Equals<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
const check = <_A extends true>(): void => {}

class Request extends Thrift.Struct<Request>("type.Request")({ message: Thrift.optional(1, Thrift.String) }) {}

void new Request()
void new Request({})
void new Request({ message: undefined })
// @ts-expect-error a string is wanted
void new Request({ message: 1 })
// @ts-expect-error there is no such member
void new Request({ massage: "x" })
check<Equals<Request["message"], string | undefined>>()

const Color = Thrift.Enum("type.Color", { RED: 0, BLUE: 5 })
const Choice = Thrift.Union("type.Choice", { text: Thrift.field(1, Thrift.String), request: Thrift.field(2, Request) })

class All extends Thrift.Struct<All>("type.All")({
  required: Thrift.required(1, Thrift.I32),
  scalar: Thrift.field(2, Thrift.I64),
  struct: Thrift.field(3, Request),
  defaulted: Thrift.optional(4, Thrift.Double, { default: () => 1.5 }),
  list: Thrift.field(5, Thrift.list(Request)),
  scalars: Thrift.optional(6, Thrift.set(Thrift.String)),
  structs: Thrift.optional(7, Thrift.set(Request)),
  map: Thrift.field(8, Thrift.map(Thrift.String, Thrift.list(Thrift.I8))),
  entries: Thrift.optional(9, Thrift.map(Request, Thrift.Bool)),
  bytes: Thrift.field(10, Thrift.Binary),
  color: Thrift.field(11, Color),
  choice: Thrift.optional(12, Choice),
  given: Thrift.field(13, Request, { default: () => new Request({ message: "x" }) }),
  self: Thrift.optional(
    14,
    Schema.suspend((): Schema.Codec<All, unknown> => All)
  )
}) {}

const all = new All({ required: 1 })
check<Equals<All["required"], number>>()
check<Equals<All["scalar"], bigint>>()
check<Equals<All["struct"], Request | undefined>>()
check<Equals<All["defaulted"], number>>()
check<Equals<All["list"], ReadonlyArray<Request>>>()
check<Equals<All["scalars"], ReadonlySet<string> | undefined>>()
check<Equals<All["structs"], ReadonlyArray<Request> | undefined>>()
check<Equals<All["map"], ReadonlyMap<string, ReadonlyArray<number>>>>()
check<Equals<All["entries"], ReadonlyArray<readonly [Request, boolean]> | undefined>>()
check<Equals<All["given"], Request>>()
check<Equals<All["self"], All | undefined>>()
const color: number = all.color
// @ts-expect-error a required member is wanted
void new All({})
// @ts-expect-error an i64 is a bigint
void new All({ required: 1, scalar: 1 })
// @ts-expect-error a default is of the type of the member
Thrift.optional(1, Thrift.I32, { default: () => "x" })

const red: 0 = Color.RED
const name: "RED" | "BLUE" | undefined = Color.name(3)
// @ts-expect-error there is no such member
void Color.GREEN

const text: string = Choice.match(Choice.cases.text.make({ value: "x" }), {
  text: (x) => x.value,
  request: (x) => x.value.message ?? ""
})
// @ts-expect-error every case is wanted
Choice.match(Choice.cases.text.make({ value: "x" }), { text: (x) => x.value })

class Busy extends Thrift.Exception<Busy>()("type.Busy", { retryAfter: Thrift.optional(1, Thrift.I64) }) {}
const caught: Effect.Effect<bigint | undefined> = Effect.gen(function* () {
  return yield* new Busy({ retryAfter: undefined })
}).pipe(Effect.catchTag("Busy", (busy) => Effect.succeed(busy.retryAfter)))
// @ts-expect-error there is no such tag
Effect.fail(new Busy({})).pipe(Effect.catchTag("Bussy", () => Effect.void))

const codec: Codec.Codec<Request> = Codec.make(Request)
// @ts-expect-error another type
codec.encode("x")

const args = Codec.args("S.M", { req: Thrift.field(1, Request), n: Thrift.field(2, Thrift.I32) })
check<Equals<ReturnType<typeof args.decode>, { readonly req: Request; readonly n: number }>>()
// @ts-expect-error every argument is wanted
args.encode({ n: 1 })

const result = Codec.result("S.M", Request, { busy: Thrift.field(1, Busy) })
result.encode({})
result.encode({ success: new Request({}) })
const busy: Busy | undefined = result.decode(new Uint8Array()).busy
// @ts-expect-error void has no success
Codec.result("S.M", undefined, {}).encode({ success: 1 })

const decoded: Effect.Effect<Request, CodecError.CodecError> = Codec.decodeEffect(Request)(new Uint8Array())

declare const compiled: Runtime.Compiled
class Ahead extends Thrift.Struct<Ahead>("type.Ahead", { codec: compiled })({
  message: Thrift.optional(1, Thrift.String)
}) {}
// @ts-expect-error a codec made at run time is none made ahead of time
Thrift.Struct<Request>("type.Other", { codec: Codec.make(Request) })

const anyField: Thrift.Field<Schema.Top> = Thrift.field(1, Request)
const fields: Codec.Fields = { busy: Thrift.field(1, Busy), n: Thrift.field(2, Thrift.I32), c: Thrift.field(3, Choice) }

void [color, red, name, text, caught, busy, decoded, Ahead, anyField, fields]
