// The service of Kitex's streaming document: streams and an ordinary call, on one service and one port.

namespace go echo

struct Request {
    1: optional string message
}

struct Response {
    1: optional string message
}

service TestService {
    Response Echo (1: Request req) (streaming.mode="bidirectional"),
    Response EchoClient (1: Request req) (streaming.mode="client"),
    Response EchoServer (1: Request req) (streaming.mode="server"),
    Response EchoUnary (1: Request req) (streaming.mode="unary"),
    Response EchoPingPong (1: Request req1, 2: Request req2),
}
