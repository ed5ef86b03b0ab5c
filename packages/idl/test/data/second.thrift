// A second service for the same server: the method names of InteropService, types of another namespace.
include "interop.thrift"

namespace go millrace.second

service SecondService {
  interop.Response Bidi (1: interop.Request req) (streaming.mode="bidirectional")
  interop.Response Client (1: interop.Request req) (streaming.mode="client")
  interop.Response Server (1: interop.Request req) (streaming.mode="server")
  interop.Response Unary (1: interop.Request req) throws (1: interop.Refused refused) (streaming.mode="unary")
}
