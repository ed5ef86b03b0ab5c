/**
 * The service of this example: what an item costs, once or as it changes.
 */
import { Thrift } from "@millrace/codec"
import { Method, Service } from "@millrace/rpc"
import type { StreamTransport } from "@millrace/transport/Transport"
import { Context } from "effect"

export class Item extends Thrift.Struct<Item>("shop.Item")({
  name: Thrift.required(1, Thrift.String)
}) {}

export class Price extends Thrift.Struct<Price>("shop.Price")({
  cents: Thrift.required(1, Thrift.I32),
  /** Who says so. */
  server: Thrift.required(2, Thrift.String)
}) {}

export class Shop extends Service.make("Shop", {
  package: "shop",
  methods: [
    Method.unary("GetPrice", { request: Item, response: Price }),
    Method.serverStreaming("FollowPrice", { request: Item, response: Price })
  ]
}) {}

/** The name by which servers register, and clients ask. */
export const shopName = "shop.svc"

/** What carries the calls and streams of every client here. */
export const Transport = Context.Reference<StreamTransport>("examples/governance/Transport", {
  defaultValue: () => "grpc"
})
