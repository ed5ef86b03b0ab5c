import { assert, it } from "@effect/vitest"
import { Choices, choices } from "../http2/arbitraries.ts"
import { concat } from "../http2/raw.ts"
import { encodeBytes } from "../support/raw.ts"
import { ClientSide, listen, ok, ServerSide, takeAll } from "./support.ts"
import { bytesOf, golden, isFrame, readFrames, renumber } from "./vectors.ts"

const conversations = golden.transcripts
  .filter(({ name }) => name !== "big-response")
  .map(({ frames }) => ({
    toServer: concat(
      frames
        .filter(isFrame)
        .filter(({ dir }) => dir === "c2s")
        .map(bytesOf)
    ),
    toClient: concat(
      frames
        .filter(isFrame)
        .filter(({ dir }) => dir === "s2c")
        .map(bytesOf)
    ),
    id: frames.find(isFrame)!.sid
  }))
  .filter(({ toClient, toServer }) => toClient.length > 0 && toServer.length > 0)

/** Bytes changed, taken out or put in at some places. */
const mutated = (bytes: Uint8Array, random: Choices): Uint8Array => {
  let changed: Uint8Array = Uint8Array.from(bytes)
  for (let n = random.below(4); n > 0; n--) {
    const at = random.below(changed.length)
    const kind = random.below(4)
    if (kind === 0) changed = concat([changed.subarray(0, at), changed.subarray(at + 1)])
    else if (kind === 1)
      changed = concat([changed.subarray(0, at), Uint8Array.of(random.below(256)), changed.subarray(at)])
    else changed[at] = random.pick([0, 1, 2, 4, 5, 0x10, 0x33, 0xff, random.below(256)])
  }
  return changed
}

const feed = (side: ClientSide | ServerSide, bytes: Uint8Array, random: Choices): void => {
  for (let at = 0; at < bytes.length;) {
    const end = Math.min(bytes.length, at + 1 + random.below(random.pick([4, 200])))
    side.receive(bytes.subarray(at, end))
    at = end
  }
}

it.prop(
  "mutated conversations end in errors that have a type, or not at all, and leave nothing",
  [choices],
  ([given]) => {
    const random = new Choices(given)
    for (let i = 0; i < 15; i++) {
      const { id, toClient, toServer } = random.pick(conversations)

      const server = new ServerSide()
      feed(server, mutated(toServer, random), random)
      for (const stream of server.accepted) {
        listen(stream)
        takeAll(stream)
        stream.write([new Uint8Array(3)], 0, encodeBytes)
        stream.finish(ok, [["k", "v"]])
        stream.release()
      }
      server.taken()
      server.connection.end({ _tag: "PeerClosed" })
      server.deliver()
      assert.strictEqual(server.connection.active, 0)
      assert.deepStrictEqual(server.defects, [])

      const client = new ClientSide()
      const stream = client.open("Bidi")
      listen(stream)
      const { streamId } = readFrames(client.taken())[0]!
      feed(
        client,
        mutated(
          renumber(toClient, (other) => other - id + streamId),
          random
        ),
        random
      )
      takeAll(stream)
      client.connection.end({ _tag: "PeerClosed" })
      client.deliver()
      assert.isDefined(stream.end)
      assert.strictEqual(client.connection.active, 0)
      assert.deepStrictEqual(client.defects, [])
    }
  },
  { arbitrary: { runs: 25 } }
)
