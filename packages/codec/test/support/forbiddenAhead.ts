// Run with --disallow-code-generation-from-strings and after the golden module was written: generated codecs work, alone
// and inside of what is compiled at run time.
import { Codec, Thrift } from "@millrace/codec"
import { readFileSync } from "node:fs"
import { fromPlan } from "../../src/internal/fromPlan.ts"
import { hex, types, unhex } from "../golden.ts"
import { folder, withCodecs } from "./generated.ts"

let isForbidden = false
try {
  // oxlint-disable-next-line no-new-func -- what must not work here
  new Function("return 1")()
} catch {
  isForbidden = true
}

const codecs = await import(new URL("golden.codec.ts", folder).href)
const golden = JSON.parse(readFileSync(new URL("../data/codec.json", import.meta.url), "utf8"))
let count = 0
for (const { hex: text, type } of golden.truncated) {
  const codec = fromPlan(() => withCodecs(types[type]!, codecs))
  const closures = Codec.make(types[type]!)
  if (hex(codec.encode(codec.decode(unhex(text)))) !== hex(closures.encode(closures.decode(unhex(text))))) {
    throw new Error(type)
  }
  count++
}

const calls = { encode: 0, decode: 0 }
const codec = {
  ...codecs.Point,
  encode: (...values: ReadonlyArray<unknown>) => {
    calls.encode++
    return codecs.Point.encode(...values)
  },
  decode: (...values: ReadonlyArray<unknown>) => {
    calls.decode++
    return codecs.Point.decode(...values)
  }
}
class Point extends Thrift.Struct<Point>("millrace.golden.codec.Point", { codec })({
  x: Thrift.field(1, Thrift.I32),
  y: Thrift.field(2, Thrift.I32)
}) {}

const args = Codec.args("Geo.Move", { to: Thrift.field(1, Point) })
const result = Codec.result("Geo.Move", Point, {})
const point = new Point({ x: 5, y: 6 })
const argsBytes = args.encode({ to: point })
const resultBytes = result.encode({ success: point })
if (!(args.decode(argsBytes).to instanceof Point)) throw new Error("not a Point")
if (!(result.decode(resultBytes).success instanceof Point)) throw new Error("not a Point")
process.stdout.write(JSON.stringify({ isForbidden, count, calls, args: hex(argsBytes), result: hex(resultBytes) }))
