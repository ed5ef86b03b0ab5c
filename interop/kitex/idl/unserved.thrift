// What a client knows and the server does not: an unknown method and an unknown service.
include "interop.thrift"

namespace go millrace.unserved.interop

service InteropService {
  interop.Response MissingBidi (1: interop.Request req) (streaming.mode="bidirectional")
  interop.Response MissingClient (1: interop.Request req) (streaming.mode="client")
  interop.Response MissingServer (1: interop.Request req) (streaming.mode="server")
  interop.Response MissingUnary (1: interop.Request req) (streaming.mode="unary")
}

service NowhereService {
  interop.Response Bidi (1: interop.Request req) (streaming.mode="bidirectional")
  interop.Response Unary (1: interop.Request req) (streaming.mode="unary")
}
