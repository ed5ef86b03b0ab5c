// Five basic calls in the form of the first release with Thrift streaming: the wire names of ../kitex/idl/interop.thrift.
namespace go interop

struct Request {
  1: optional string message
  2: optional i32 count
  3: optional binary blob
}

struct Response {
  1: optional string message
  2: optional i32 count
  3: optional binary blob
}

service InteropService {
  Response Bidi (1: Request req) (streaming.mode="bidirectional")
  Response Client (1: Request req) (streaming.mode="client")
  Response Server (1: Request req) (streaming.mode="server")
  Response Unary (1: Request req) (streaming.mode="unary")
}
