import { assert, describe, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import { Flag, FrameType, preface } from "../../src/internal/http2/frames.ts"
import { concat, frame, fromHex, Recorder, requestHeaders } from "./raw.ts"

interface GoldenFrame {
  readonly dir: "c2s" | "s2c"
  readonly type: string
  readonly flags?: string
  readonly streamId: number
  readonly headers?: ReadonlyArray<readonly [name: string, value: string]>
  readonly code?: number
  readonly payloadHex?: string
}
interface Transcript {
  readonly name: string
  readonly script: string
  readonly frames: ReadonlyArray<GoldenFrame>
}

const { transcripts } = JSON.parse(
  readFileSync(new URL("../data/kitex-http2-transcripts.json", import.meta.url), "utf8")
) as {
  readonly transcripts: ReadonlyArray<Transcript>
}

const types: Readonly<Record<string, number>> = {
  DATA: FrameType.Data,
  HEADERS: FrameType.Headers,
  RST_STREAM: FrameType.RstStream,
  SETTINGS: FrameType.Settings,
  PING: FrameType.Ping,
  GOAWAY: FrameType.Goaway,
  WINDOW_UPDATE: FrameType.WindowUpdate
}
const flagBits: Readonly<Record<string, number>> = {
  ACK: Flag.Ack,
  END_STREAM: Flag.EndStream,
  END_HEADERS: Flag.EndHeaders
}

const toBytes = (golden: GoldenFrame): Uint8Array => {
  const flags = (golden.flags ?? "").split("|").reduce((bits, flag) => bits | (flagBits[flag] ?? 0), 0)
  return frame(types[golden.type]!, flags, golden.streamId, fromHex(golden.payloadHex ?? ""))
}

/** Header values of the transcripts are text; on the wire, and for us, they are its UTF-8 bytes. */
const latin1 = (value: string): string => Buffer.from(value, "utf8").toString("latin1")

describe("bytes of a real Kitex", () => {
  for (const { frames, name, script } of transcripts) {
    for (const [dir, role] of [
      ["c2s", "server"],
      ["s2c", "client"]
    ] as const) {
      it(`${name}, ${script}: our ${role} reads them`, () => {
        const engine = new Recorder(role)
        const sent = frames.filter((one) => one.dir === dir)
        const ids = [...new Set(frames.filter((one) => one.streamId > 0).map((one) => one.streamId))].sort(
          (a, b) => a - b
        )
        if (role === "client") for (const id of ids) assert.strictEqual(engine.open(requestHeaders).stream!.id, id)
        engine.connection.receive(concat([...(role === "server" ? [preface] : []), ...sent.map(toBytes)]), 0)
        assert.isUndefined(engine.end)
        for (const id of ids) {
          const record = engine.record(id)
          const ofStream = sent.filter((one) => one.streamId === id)
          assert.deepStrictEqual(
            record.headers.map(({ list }) => list),
            ofStream
              .filter((one) => one.headers)
              .map((one) => one.headers!.flatMap(([key, value]) => [key, latin1(value)]))
          )
          assert.deepStrictEqual(
            record.payload,
            concat(ofStream.filter((one) => one.type === "DATA").map((one) => fromHex(one.payloadHex ?? "")))
          )
          assert.strictEqual(
            record.ended,
            ofStream.some((one) => (one.flags ?? "").includes("END_STREAM"))
          )
          const reset = ofStream.find((one) => one.type === "RST_STREAM")
          assert.deepStrictEqual(
            record.abort,
            reset === undefined ? undefined : { _tag: "PeerReset", code: reset.code! }
          )
        }
        // Each SETTINGS and each PING was answered.
        const count = (type: string) => sent.filter((one) => one.type === type && one.flags !== "ACK").length
        const answers = engine.sent()
        assert.lengthOf(
          answers.filter((one) => one === "Settings(0) ack"),
          count("SETTINGS")
        )
        assert.lengthOf(
          answers.filter((one) => one === "Ping(0) ack"),
          count("PING")
        )
      })
    }
  }
})
