/** protobufjs with static code, its fastest form; int64 members are given as numbers, which it takes without a conversion. */
import { bench } from "../generated/medium.js"
import type { CodecPeer } from "./run.ts"
import { MESSAGES } from "./values.ts"

const messages = MESSAGES.map((message) => new bench.Medium(message))
const encoded = messages.map((message) => bench.Medium.encode(message).finish())

export const peer: CodecPeer = {
  encode: (i) => bench.Medium.encode(messages[i]!).finish().length,
  decode: (i) => bench.Medium.decode(encoded[i]!).items.length
}
