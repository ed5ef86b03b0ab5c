// The PingPong service of the suite: arguments and results of every shape, of types of another namespace. src/calls.ts is its
// TypeScript form. Its method names are those of no other service.
include "interop.thrift"

namespace go millrace.calls

struct Strict {
  1: required string text
  2: optional i32 number
}

service CallsService {
  interop.Response Call (1: interop.Request req) throws (1: interop.Refused refused)
  interop.Everything Every (1: interop.Everything value)
  interop.Choice Choose (1: interop.Choice choice)
  string NeedText (1: Strict strict)
  i32 Next (1: i32 number)
  bool Not (1: bool flag)
  double Half (1: double number)
  i64 Sum (1: list<i64> numbers)
  binary Bytes (1: binary bytes)
  map<string, i64> Sizes (1: set<string> texts)
  // ids out of order, as an IDL that grew has them
  string Repeat (7: string text, 2: i32 times)
  void Nothing ()
  void Attempt (1: interop.Request req) throws (1: interop.Refused refused)
  oneway void Tell (1: string text, 2: string key)
}
