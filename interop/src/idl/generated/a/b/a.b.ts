// Code generated from a.b.thrift by millrace. DO NOT EDIT.

/** No namespace and a dot in the file's name: both decide where Kitex puts the code and what it calls the package. */

import { Thrift } from "@millrace/codec"
import { Method, Service } from "@millrace/rpc"
import * as codec from "./a.b.codec.ts"

export const user_id = Thrift.I64
export type user_id = bigint

export const status = Thrift.Enum("a.b.status", { active: 1, gone: -1 })
export type status = typeof status.Type

export class page extends Thrift.Struct<page>("a.b.page", { codec: codec.page })({
  size: Thrift.field(1, Thrift.I32, { default: () => 20 }),
  after: Thrift.optional(2, Thrift.String)
}) {}

export class not_found extends Thrift.Exception<not_found>()(
  "a.b.not_found",
  { id: Thrift.field(1, user_id), name_: Thrift.optional(2, Thrift.String, { name: "name" }) },
  { codec: codec.not_found }
) {}

export class base_service extends Service.make("base_service", {
  package: "b",
  methods: [
    Method.pingPong("ping", { arguments: { page: Thrift.field(1, page) }, response: page }),
    Method.serverStreaming("watch_all", { request: page, response: page })
  ]
}) {}
