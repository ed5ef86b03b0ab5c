// Code generated from user.api.thrift by millrace. DO NOT EDIT.
import { Thrift } from "@millrace/codec"
import { Method, Service } from "@millrace/rpc"
import * as Schema from "effect/Schema"
import * as codec from "./user.api.codec.ts"
import * as a_b from "../../../a/b/a.b.ts"

export class user extends Thrift.Struct<user>("millrace.dotted.user_api.user", { codec: codec.user })({
  id: Thrift.required(1, a_b.user_id),
  display_name: Thrift.optional(2, Thrift.String),
  status: Thrift.field(3, a_b.status, { default: () => a_b.status.active }),
  pages: Thrift.field(4, Thrift.map(Thrift.String, a_b.page)),
  invited_by: Thrift.optional(
    5,
    Schema.suspend((): Schema.Codec<user, unknown> => user)
  )
}) {}

export class find extends Thrift.Struct<find>("millrace.dotted.user_api.find", { codec: codec.find })({
  id: Thrift.optional(1, a_b.user_id),
  page: Thrift.field(2, a_b.page)
}) {}

export class user_service extends Service.make("user_service", {
  package: "user_api",
  extends: a_b.base_service,
  methods: [
    Method.unary("get_user", {
      request: find,
      response: user,
      exceptions: { missing: Thrift.field(1, a_b.not_found) }
    }),
    Method.pingPong("look_up", {
      arguments: { find: Thrift.field(1, find) },
      response: user,
      exceptions: { missing: Thrift.field(1, a_b.not_found) }
    }),
    Method.serverStreaming("watch", { request: find, response: user }),
    Method.clientStreaming("upload", { request: user, response: find }),
    Method.bidirectional("talk", { request: find, response: user }),
    Method.oneway("forget", { arguments: { id: Thrift.field(1, a_b.user_id) } })
  ]
}) {}

export class auditService extends Service.make("auditService", {
  package: "user_api",
  extends: user_service,
  methods: [
    Method.pingPong("log", {
      arguments: { user: Thrift.field(1, user), why: Thrift.field(2, Thrift.String) },
      response: a_b.page
    }),
    Method.bidirectional("stream", { request: user, response: a_b.page })
  ]
}) {}
