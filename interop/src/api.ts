/**
 * The services of `kitex/idl/interop.thrift` and `kitex/idl/second.thrift`, schema first.
 *
 * @since 0.1.0
 */
import { Thrift } from "@millrace/codec"
import { Method, Service } from "@millrace/rpc"
import * as Schema from "effect/Schema"

export const Color = Thrift.Enum("interop.Color", { RED: 0, GREEN: 1, BLUE: 5, NEGATIVE: -3 })

export class Point extends Thrift.Struct<Point>("interop.Point")({
  x: Thrift.field(1, Thrift.I32),
  y: Thrift.field(2, Thrift.I32)
}) {}

export class Node extends Thrift.Struct<Node>("interop.Node")({
  value: Thrift.field(1, Thrift.I32),
  next: Thrift.optional(
    2,
    Schema.suspend((): Schema.Codec<Node, unknown> => Node)
  ),
  children: Thrift.field(3, Thrift.list(Schema.suspend((): Schema.Codec<Node, unknown> => Node)))
}) {}

export const Choice = Thrift.Union("interop.Choice", {
  number: Thrift.field(1, Thrift.I32),
  text: Thrift.field(2, Thrift.String),
  point: Thrift.field(3, Point),
  words: Thrift.field(4, Thrift.list(Thrift.String)),
  flag: Thrift.field(5, Thrift.Bool)
})

export class Refused extends Thrift.Exception<Refused>()("interop.Refused", {
  code: Thrift.field(1, Thrift.I32),
  why: Thrift.field(2, Thrift.String),
  where: Thrift.optional(3, Point)
}) {}

export class Nothing extends Thrift.Struct<Nothing>("interop.Nothing")({}) {}

export class Needed extends Thrift.Struct<Needed>("interop.Needed")({
  flag: Thrift.required(1, Thrift.Bool),
  number: Thrift.required(2, Thrift.I32),
  text: Thrift.required(3, Thrift.String),
  point: Thrift.required(4, Point),
  numbers: Thrift.required(5, Thrift.list(Thrift.I32)),
  color: Thrift.required(6, Color)
}) {}

export class Defaults extends Thrift.Struct<Defaults>("interop.Defaults")({
  plain: Thrift.field(1, Thrift.I32, { default: () => 7 }),
  maybe: Thrift.optional(2, Thrift.I32, { default: () => 8 }),
  needed: Thrift.required(3, Thrift.I32, { default: () => 9 }),
  text: Thrift.field(4, Thrift.String, { default: () => "text" }),
  maybeText: Thrift.optional(5, Thrift.String, { default: () => "maybe" }),
  yes: Thrift.field(6, Thrift.Bool, { default: () => true }),
  maybeYes: Thrift.optional(7, Thrift.Bool, { default: () => true }),
  ratio: Thrift.optional(8, Thrift.Double, { default: () => 1.5 }),
  color: Thrift.field(9, Color, { default: () => Color.BLUE }),
  numbers: Thrift.field(10, Thrift.list(Thrift.I32), { default: () => [1, 2] }),
  maybeNumbers: Thrift.optional(11, Thrift.list(Thrift.I32), { default: () => [3] })
}) {}

export class Everything extends Thrift.Struct<Everything>("interop.Everything")({
  flag: Thrift.field(1, Thrift.Bool),
  tiny: Thrift.field(2, Thrift.I8),
  small: Thrift.field(3, Thrift.I16),
  number: Thrift.field(4, Thrift.I32),
  big: Thrift.field(5, Thrift.I64),
  ratio: Thrift.field(6, Thrift.Double),
  text: Thrift.field(7, Thrift.String),
  bytes: Thrift.field(8, Thrift.Binary),
  color: Thrift.field(9, Color),
  at: Thrift.field(10, Thrift.I64),
  name: Thrift.field(11, Thrift.String),
  point: Thrift.field(12, Point),
  numbers: Thrift.field(13, Thrift.list(Thrift.I32)),
  names: Thrift.field(14, Thrift.set(Thrift.String)),
  sizes: Thrift.field(15, Thrift.map(Thrift.String, Thrift.I64)),
  path: Thrift.field(16, Thrift.list(Point)),
  tree: Thrift.field(17, Node),
  choice: Thrift.field(18, Choice),
  needed: Thrift.field(19, Needed),
  defaults: Thrift.field(20, Defaults),
  nothing: Thrift.field(21, Nothing),

  maybeFlag: Thrift.optional(30, Thrift.Bool),
  maybeTiny: Thrift.optional(31, Thrift.I8),
  maybeSmall: Thrift.optional(32, Thrift.I16),
  maybeNumber: Thrift.optional(33, Thrift.I32),
  maybeBig: Thrift.optional(34, Thrift.I64),
  maybeRatio: Thrift.optional(35, Thrift.Double),
  maybeText: Thrift.optional(36, Thrift.String),
  maybeBytes: Thrift.optional(37, Thrift.Binary),
  maybeColor: Thrift.optional(38, Color),
  maybePoint: Thrift.optional(39, Point),
  maybeNumbers: Thrift.optional(40, Thrift.list(Thrift.I32)),
  maybeNames: Thrift.optional(41, Thrift.set(Thrift.String)),
  maybeSizes: Thrift.optional(42, Thrift.map(Thrift.String, Thrift.I64)),
  maybeChoice: Thrift.optional(43, Choice),

  flags: Thrift.field(50, Thrift.list(Thrift.Bool)),
  tinies: Thrift.field(51, Thrift.list(Thrift.I8)),
  smalls: Thrift.field(52, Thrift.list(Thrift.I16)),
  bigs: Thrift.field(53, Thrift.list(Thrift.I64)),
  ratios: Thrift.field(54, Thrift.list(Thrift.Double)),
  texts: Thrift.field(55, Thrift.list(Thrift.String)),
  blobs: Thrift.field(56, Thrift.list(Thrift.Binary)),
  colors: Thrift.field(57, Thrift.list(Color)),
  matrix: Thrift.field(58, Thrift.list(Thrift.list(Thrift.I32))),
  tables: Thrift.field(59, Thrift.list(Thrift.map(Thrift.String, Thrift.I32))),
  ids: Thrift.field(60, Thrift.set(Thrift.I32)),
  bigIds: Thrift.field(61, Thrift.set(Thrift.I64)),
  byNumber: Thrift.field(62, Thrift.map(Thrift.I32, Thrift.String)),
  byBig: Thrift.field(63, Thrift.map(Thrift.I64, Thrift.String)),
  byColor: Thrift.field(64, Thrift.map(Color, Thrift.String)),
  points: Thrift.field(65, Thrift.map(Thrift.String, Point)),
  lists: Thrift.field(66, Thrift.map(Thrift.String, Thrift.list(Thrift.I32))),
  nested: Thrift.field(67, Thrift.map(Thrift.String, Thrift.map(Thrift.String, Thrift.I64))),
  byFlag: Thrift.field(68, Thrift.map(Thrift.Bool, Thrift.String)),
  choices: Thrift.field(69, Thrift.list(Choice)),

  edge: Thrift.field(255, Thrift.String),
  beyond: Thrift.field(256, Thrift.I64),
  last: Thrift.field(32767, Thrift.I32)
}) {}

/** The word in `message` chooses what the handler does; every other member is its argument. */
export class Request extends Thrift.Struct<Request>("interop.Request")({
  message: Thrift.optional(1, Thrift.String),
  count: Thrift.optional(2, Thrift.I32),
  blob: Thrift.optional(3, Thrift.Binary),
  key: Thrift.optional(4, Thrift.String)
}) {}

export class Response extends Thrift.Struct<Response>("interop.Response")({
  message: Thrift.optional(1, Thrift.String),
  count: Thrift.optional(2, Thrift.I32),
  blob: Thrift.optional(3, Thrift.Binary)
}) {}

const messages = { request: Request, response: Response }
const refused = { refused: Thrift.field(1, Refused) }

/** Streams and ordinary calls in one service, and on one port. */
export class InteropService extends Service.make("InteropService", {
  package: "interop",
  methods: [
    Method.bidirectional("Bidi", messages),
    Method.clientStreaming("Client", messages),
    Method.serverStreaming("Server", messages),
    Method.unary("Unary", { ...messages, exceptions: refused }),
    Method.bidirectional("Types", { request: Everything, response: Everything }),
    Method.unary("UnaryTypes", { request: Everything, response: Everything }),
    Method.pingPong("Echo", { arguments: { req: Thrift.field(1, Request) }, response: Response, exceptions: refused }),
    Method.pingPong("Join", {
      arguments: { left: Thrift.field(1, Thrift.String), right: Thrift.field(2, Thrift.String) },
      response: Thrift.String
    }),
    Method.pingPong("Check", { arguments: { req: Thrift.field(1, Request) } }),
    Method.pingPong("Ping", { arguments: {} }),
    Method.oneway("Notify", { arguments: { text: Thrift.field(1, Thrift.String) } })
  ]
}) {}

/** The method names of `InteropService` in another package. */
export class SecondService extends Service.make("SecondService", {
  package: "second",
  methods: [
    Method.bidirectional("Bidi", messages),
    Method.clientStreaming("Client", messages),
    Method.serverStreaming("Server", messages),
    Method.unary("Unary", { ...messages, exceptions: refused })
  ]
}) {}

/** What a client knows and no server has: unknown methods. */
export class UnservedService extends Service.make("InteropService", {
  package: "interop",
  methods: [
    Method.bidirectional("MissingBidi", messages),
    Method.clientStreaming("MissingClient", messages),
    Method.serverStreaming("MissingServer", messages),
    Method.unary("MissingUnary", messages)
  ]
}) {}

/** What a client knows and no server has: an unknown service. */
export class NowhereService extends Service.make("NowhereService", {
  package: "interop",
  methods: [Method.bidirectional("Bidi", messages), Method.unary("Unary", messages)]
}) {}
