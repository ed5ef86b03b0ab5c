// Code generated from examples/pingpong/api.thrift by millrace. DO NOT EDIT.

/** The shelves of a shop, by ordinary Thrift calls: named arguments, a declared exception, void and oneway. */

import { Thrift } from "@millrace/codec"
import { Method, Service } from "@millrace/rpc"
import * as codec from "./api.codec.ts"

export class Item extends Thrift.Struct<Item>("shop.Item", { codec: codec.Item })({
  name: Thrift.required(1, Thrift.String),
  count: Thrift.required(2, Thrift.I32)
}) {}

export class SoldOut extends Thrift.Exception<SoldOut>()(
  "shop.SoldOut",
  { left: Thrift.required(1, Thrift.I32) },
  { codec: codec.SoldOut }
) {}

export class Shelves extends Service.make("Shelves", {
  package: "shop",
  methods: [
    Method.pingPong("Put", { arguments: { name: Thrift.field(1, Thrift.String), count: Thrift.field(2, Thrift.I32) } }),
    /** A name that is not there is a business error, 404. */
    Method.pingPong("Find", { arguments: { name: Thrift.field(1, Thrift.String) }, response: Item }),
    Method.pingPong("Take", {
      arguments: { name: Thrift.field(1, Thrift.String), count: Thrift.field(2, Thrift.I32) },
      response: Item,
      exceptions: { soldOut: Thrift.field(1, SoldOut) }
    }),
    /** Counts everything by hand, which takes as long as it takes. */
    Method.pingPong("Count", { arguments: {}, response: Thrift.I32 }),
    /** The address that the call came from: calls of one connection have the same. */
    Method.pingPong("Caller", { arguments: {}, response: Thrift.String }),
    Method.oneway("Note", { arguments: { text: Thrift.field(1, Thrift.String) } })
  ]
}) {}
