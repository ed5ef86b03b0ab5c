// Run with --disallow-code-generation-from-strings: the codecs must work without generated source.
import { Codec, Output } from "@millrace/codec"
import { readFileSync } from "node:fs"
import { planOf } from "../../src/internal/fromSchema.ts"
import { hex, toJson, types, unhex } from "../golden.ts"

let isForbidden = false
try {
  // oxlint-disable-next-line no-new-func -- what must not work here
  new Function("return 1")()
} catch {
  isForbidden = true
}

const golden = JSON.parse(readFileSync(new URL("../data/codec.json", import.meta.url), "utf8"))
let count = 0
for (const { decoded, error, hex: text, name, type } of golden.encode) {
  if (error !== undefined || decoded !== undefined || name.startsWith("string ") || name.includes("nan")) continue
  if (name.includes("NaN") || name.includes("null")) continue
  const codec = Codec.make(types[type]!, { fieldOrder: "kitex", absentStruct: "empty" })
  const value: any = codec.decode(unhex(text))
  const out = new Output.Output()
  codec.encodeInto(value, out)
  const again = codec.decodeFrom(out.buffer, 0, out.position)
  const plan = planOf(types[type]!)
  if (JSON.stringify(toJson(plan, again)) !== JSON.stringify(toJson(plan, value))) throw new Error(name)
  if (type !== "Maps" && type !== "Sets" && hex(codec.encode(value)) !== text) throw new Error(name)
  count++
}
process.stdout.write(JSON.stringify({ isForbidden, count }))
