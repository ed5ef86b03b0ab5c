/** Ours: classes as a user writes them, compiled on first use. */
import { Codec, Output, Thrift } from "@millrace/codec"
import type { CodecPeer } from "./run.ts"
import { MESSAGES } from "./values.ts"

class Item extends Thrift.Struct<Item>("bench.Item")({
  name: Thrift.required(1, Thrift.String),
  count: Thrift.required(2, Thrift.I32),
  at: Thrift.required(3, Thrift.I64),
  weight: Thrift.required(4, Thrift.Double),
  live: Thrift.required(5, Thrift.Bool)
}) {}

class Medium extends Thrift.Struct<Medium>("bench.Medium")({
  id: Thrift.required(1, Thrift.String),
  name: Thrift.optional(2, Thrift.String),
  live: Thrift.required(3, Thrift.Bool),
  shard: Thrift.optional(4, Thrift.I8),
  port: Thrift.optional(5, Thrift.I16),
  count: Thrift.required(6, Thrift.I32),
  at: Thrift.required(7, Thrift.I64),
  score: Thrift.optional(8, Thrift.Double),
  level: Thrift.optional(9, Thrift.I32),
  digest: Thrift.optional(10, Thrift.Binary),
  tags: Thrift.required(11, Thrift.list(Thrift.String)),
  counters: Thrift.required(12, Thrift.map(Thrift.String, Thrift.I64)),
  labels: Thrift.required(13, Thrift.map(Thrift.String, Thrift.String)),
  shards: Thrift.required(14, Thrift.set(Thrift.I32)),
  items: Thrift.required(15, Thrift.list(Item))
}) {}

/** What a connection collects before it writes to its socket. */
const FLUSH = 32 * 1024

const codec = Codec.make(Medium)

const messages = MESSAGES.map(
  ({ at, counters, labels, shards, items, ...rest }) =>
    new Medium({
      ...rest,
      at: BigInt(at),
      counters: new Map(Object.entries(counters).map(([key, value]) => [key, BigInt(value)])),
      labels: new Map(Object.entries(labels)),
      shards: new Set(shards),
      items: items.map(({ at: itemAt, ...item }) => new Item({ ...item, at: BigInt(itemAt) }))
    })
)
const encoded = messages.map(codec.encode)

const out = new Output.Output()

/** As clients and servers use it: into the output that a connection sends from. */
const encodeInto = (i: number): number => {
  if (out.position > FLUSH) out.clear()
  const before = out.position
  codec.encodeInto(messages[i]!, out)
  return out.position - before
}

const decode = (i: number): number => codec.decode(encoded[i]!).items.length

export const peer: CodecPeer = { encode: encodeInto, decode }

/** With `Codec.encode`, which gives each message bytes of its own, as `finish` of protobufjs does. */
export const ownBytes: CodecPeer = { encode: (i) => codec.encode(messages[i]!).length, decode }
