// The services of the interoperability suite. One IDL with every streaming mode and every Thrift type.
// src/api.ts is its TypeScript form.
namespace go millrace.interop

enum Color {
  RED = 0
  GREEN = 1
  BLUE = 5
  NEGATIVE = -3
}

typedef i64 Timestamp
typedef string Name
typedef list<Point> Path

struct Point {
  1: i32 x
  2: i32 y
}

struct Node {
  1: i32 value
  2: optional Node next
  3: list<Node> children
}

union Choice {
  1: i32 number
  2: string text
  3: Point point
  4: list<string> words
  5: bool flag
}

exception Refused {
  1: i32 code
  2: string why
  3: optional Point where
}

struct Nothing {}

struct Needed {
  1: required bool flag
  2: required i32 number
  3: required string text
  4: required Point point
  5: required list<i32> numbers
  6: required Color color
}

struct Defaults {
  1: i32 plain = 7
  2: optional i32 maybe = 8
  3: required i32 needed = 9
  4: string text = "text"
  5: optional string maybeText = "maybe"
  6: bool yes = true
  7: optional bool maybeYes = true
  8: optional double ratio = 1.5
  9: Color color = Color.BLUE
  10: list<i32> numbers = [1, 2]
  11: optional list<i32> maybeNumbers = [3]
}

struct Everything {
  1: bool flag
  2: i8 tiny
  3: i16 small
  4: i32 number
  5: i64 big
  6: double ratio
  7: string text
  8: binary bytes
  9: Color color
  10: Timestamp at
  11: Name name
  12: Point point
  13: list<i32> numbers
  14: set<string> names
  15: map<string, i64> sizes
  16: Path path
  17: Node tree
  18: Choice choice
  19: Needed needed
  20: Defaults defaults
  21: Nothing nothing

  30: optional bool maybeFlag
  31: optional i8 maybeTiny
  32: optional i16 maybeSmall
  33: optional i32 maybeNumber
  34: optional i64 maybeBig
  35: optional double maybeRatio
  36: optional string maybeText
  37: optional binary maybeBytes
  38: optional Color maybeColor
  39: optional Point maybePoint
  40: optional list<i32> maybeNumbers
  41: optional set<string> maybeNames
  42: optional map<string, i64> maybeSizes
  43: optional Choice maybeChoice

  50: list<bool> flags
  51: list<i8> tinies
  52: list<i16> smalls
  53: list<i64> bigs
  54: list<double> ratios
  55: list<string> texts
  56: list<binary> blobs
  57: list<Color> colors
  58: list<list<i32>> matrix
  59: list<map<string, i32>> tables
  60: set<i32> ids
  61: set<i64> bigIds
  62: map<i32, string> byNumber
  63: map<i64, string> byBig
  64: map<Color, string> byColor
  65: map<string, Point> points
  66: map<string, list<i32>> lists
  67: map<string, map<string, i64>> nested
  68: map<bool, string> byFlag
  69: list<Choice> choices

  255: string edge
  256: i64 beyond
  32767: i32 last
}

// The word in `message` chooses what the handler does; every other field is its argument.
struct Request {
  1: optional string message
  2: optional i32 count
  3: optional binary blob
  4: optional string key
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
  Response Unary (1: Request req) throws (1: Refused refused) (streaming.mode="unary")
  Everything Types (1: Everything value) (streaming.mode="bidirectional")
  Everything UnaryTypes (1: Everything value) (streaming.mode="unary")

  Response Echo (1: Request req) throws (1: Refused refused)
  string Join (1: string left, 2: string right)
  void Check (1: Request req)
  void Ping ()
  oneway void Notify (1: string text)
}
