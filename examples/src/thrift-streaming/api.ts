// Code generated from examples/thrift-streaming/api.thrift by millrace. DO NOT EDIT.

/** The service of Kitex's streaming document: streams and an ordinary call, on one service and one port. */

import { Thrift } from "@millrace/codec"
import { Method, Service } from "@millrace/rpc"
import * as codec from "./api.codec.ts"

export class Request extends Thrift.Struct<Request>("echo.Request", { codec: codec.Request })({
  message: Thrift.optional(1, Thrift.String)
}) {}

export class Response extends Thrift.Struct<Response>("echo.Response", { codec: codec.Response })({
  message: Thrift.optional(1, Thrift.String)
}) {}

export class TestService extends Service.make("TestService", {
  package: "echo",
  methods: [
    Method.bidirectional("Echo", { request: Request, response: Response }),
    Method.clientStreaming("EchoClient", { request: Request, response: Response }),
    Method.serverStreaming("EchoServer", { request: Request, response: Response }),
    Method.unary("EchoUnary", { request: Request, response: Response }),
    Method.pingPong("EchoPingPong", {
      arguments: { req1: Thrift.field(1, Request), req2: Thrift.field(2, Request) },
      response: Response
    })
  ]
}) {}
