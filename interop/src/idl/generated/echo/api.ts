// Code generated from api.thrift by millrace. DO NOT EDIT.
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
    /** not recommended */
    Method.unary("EchoUnary", { request: Request, response: Response }),
    /** KitexThrift, non-streaming */
    Method.pingPong("EchoPingPong", { arguments: { req: Thrift.field(1, Request) }, response: Response })
  ]
}) {}
