// kitex_gen is made of this file by: kitex -module millrace.dev/bench -streamx echo.thrift
// with the tool of the pinned version: go build -o bin/kitex github.com/cloudwego/kitex/tool/cmd/kitex
namespace go echo

struct Message {
  1: optional string message
}

service TestService {
  Message Echo(1: Message req) (streaming.mode = "bidirectional")
  Message EchoServer(1: Message req) (streaming.mode = "server")
  Message EchoClient(1: Message req) (streaming.mode = "client")
  Message EchoUnary(1: Message req) (streaming.mode = "unary")
  Message EchoPingPong(1: Message req)
}
