/**
 * The service of Kitex's streaming document:
 *
 *     namespace go echo
 *     struct Request { 1: optional string message }
 *     struct Response { 1: optional string message }
 *     service TestService {
 *       Response Echo (1: Request req) (streaming.mode="bidirectional"),
 *       Response EchoClient (1: Request req) (streaming.mode="client"),
 *       Response EchoServer (1: Request req) (streaming.mode="server"),
 *       Response EchoUnary (1: Request req) (streaming.mode="unary"),
 *     }
 */
import { Thrift } from "@millrace/codec"
import { Method, Service } from "@millrace/rpc"

export class Request extends Thrift.Struct<Request>("echo.Request")({ message: Thrift.optional(1, Thrift.String) }) {}

export class Response extends Thrift.Struct<Response>("echo.Response")({
  message: Thrift.optional(1, Thrift.String)
}) {}

export class TestService extends Service.make("TestService", {
  package: "echo",
  methods: [
    Method.bidirectional("Echo", { request: Request, response: Response }),
    Method.clientStreaming("EchoClient", { request: Request, response: Response }),
    Method.serverStreaming("EchoServer", { request: Request, response: Response }),
    Method.unary("EchoUnary", { request: Request, response: Response })
  ]
}) {}
