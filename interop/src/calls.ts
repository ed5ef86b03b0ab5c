/**
 * The PingPong services of `kitex/idl` (calls, routes, strangers, combined) schema first.
 *
 * @since 0.1.0
 */
import { Thrift } from "@millrace/codec"
import { Method, Service } from "@millrace/rpc"
import { Choice, Everything, Refused, Request, Response } from "./api.ts"

export class Strict extends Thrift.Struct<Strict>("calls.Strict")({
  text: Thrift.required(1, Thrift.String),
  number: Thrift.optional(2, Thrift.I32)
}) {}

const request = { req: Thrift.field(1, Request) }
const refused = { refused: Thrift.field(1, Refused) }

export class CallsService extends Service.make("CallsService", {
  package: "calls",
  methods: [
    Method.pingPong("Call", { arguments: request, response: Response, exceptions: refused }),
    Method.pingPong("Every", { arguments: { value: Thrift.field(1, Everything) }, response: Everything }),
    Method.pingPong("Choose", { arguments: { choice: Thrift.field(1, Choice) }, response: Choice }),
    Method.pingPong("NeedText", { arguments: { strict: Thrift.field(1, Strict) }, response: Thrift.String }),
    Method.pingPong("Next", { arguments: { number: Thrift.field(1, Thrift.I32) }, response: Thrift.I32 }),
    Method.pingPong("Not", { arguments: { flag: Thrift.field(1, Thrift.Bool) }, response: Thrift.Bool }),
    Method.pingPong("Half", { arguments: { number: Thrift.field(1, Thrift.Double) }, response: Thrift.Double }),
    Method.pingPong("Sum", {
      arguments: { numbers: Thrift.field(1, Thrift.list(Thrift.I64)) },
      response: Thrift.I64
    }),
    Method.pingPong("Bytes", { arguments: { bytes: Thrift.field(1, Thrift.Binary) }, response: Thrift.Binary }),
    Method.pingPong("Sizes", {
      arguments: { texts: Thrift.field(1, Thrift.set(Thrift.String)) },
      response: Thrift.map(Thrift.String, Thrift.I64)
    }),
    Method.pingPong("Repeat", {
      arguments: { text: Thrift.field(7, Thrift.String), times: Thrift.field(2, Thrift.I32) },
      response: Thrift.String
    }),
    Method.pingPong("Nothing", { arguments: {} }),
    Method.pingPong("Attempt", { arguments: request, exceptions: refused }),
    Method.oneway("Tell", { arguments: { text: Thrift.field(1, Thrift.String), key: Thrift.field(2, Thrift.String) } })
  ]
}) {}

const text = { arguments: { text: Thrift.field(1, Thrift.String) }, response: Thrift.String }
const nothing = { arguments: {}, response: Thrift.String }

export class First extends Service.make("First", {
  package: "routes",
  methods: [Method.pingPong("Shared", nothing), Method.pingPong("OnlyFirst", nothing)]
}) {}

export class Second extends Service.make("Second", {
  package: "routes",
  methods: [Method.pingPong("Shared", nothing), Method.pingPong("OnlySecond", nothing)]
}) {}

/** What a client knows and no server has: methods of a service that is there. */
export class StrangeFirst extends Service.make("First", {
  package: "strangers",
  methods: [
    Method.pingPong("OnlySecond", nothing),
    Method.pingPong("Nobody", nothing),
    Method.oneway("NobodyHears", { arguments: {} })
  ]
}) {}

/** A service that no server has; some of its methods others have. */
export class Nowhere extends Service.make("Nowhere", {
  package: "strangers",
  methods: [
    Method.pingPong("Shared", nothing),
    Method.pingPong("OnlyFirst", nothing),
    Method.pingPong("OnlySecond", nothing),
    Method.pingPong("Nobody", nothing)
  ]
}) {}

export class StrangeCalls extends Service.make("CallsService", {
  package: "strangers",
  methods: [Method.pingPong("Missing", text)]
}) {}

export class LeftService extends Service.make("LeftService", {
  package: "combined",
  methods: [Method.pingPong("Left", text)]
}) {}

export class RightService extends Service.make("RightService", {
  package: "combined",
  methods: [Method.pingPong("Right", text)]
}) {}

/** What Kitex's generator makes of the two. */
export class CombineService extends Service.make("CombineService", {
  package: "combined",
  methods: [Method.pingPong("Left", text), Method.pingPong("Right", text)]
}) {}
