import { assert, describe, it } from "@effect/vitest"
import type { RawClientStream } from "../../src/RawStream.ts"
import { fromHex } from "../http2/raw.ts"
import { encodeBytes } from "../support/raw.ts"
import { ClientSide, entriesOf } from "./support.ts"
import { endText, type Fake, golden, isFrame, readFrames, renumber, told } from "./vectors.ts"

const hello = fromHex("0b000100000002686900")

/** The message of a response; a text of Go's reader where it does not decode. */
const decode = (bytes: Uint8Array, start: number, end: number): string => {
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  const size = view.getInt32(start + 3)
  if (start + 8 + size > end) throw new Error("*wire.Response read field 1 'message' error: ReadString: buf too small")
  return new TextDecoder().decode(bytes.subarray(start + 7, start + 7 + size))
}

/** One Recv, and another: the same again once the stream has ended. */
const recv = (stream: RawClientStream): string => {
  const into: Array<string> = []
  try {
    stream.take(decode, 1, into)
  } catch (error) {
    return (error as Error).message
  }
  return into.length === 1 ? `message ${into[0]}` : endText(stream)
}

const closedByPeer = "[ttstream error, code=12006] connection closed by peer"

// What our client does on purpose in another way than Kitex's.
const differs: Record<string, { readonly recv?: string; readonly rst?: true; readonly why: string }> = {
  "duplicate-header": { rst: true, why: "one stream is wrong, not its connection" },
  "closed-at-once": { recv: closedByPeer, why: "one text and one code, wherever the bytes stop" },
  "closed-after-header": { recv: closedByPeer, why: "the same" },
  "closed-inside-payload": { recv: closedByPeer, why: "the same" },
  "closed-inside-frame": { recv: closedByPeer, why: "the same" }
}

/** The id that the recorded client's stream had: the frames that it was answered with, or sent, have it. */
const idOf = ({ clientSaw, reply, sent }: Fake): number => {
  const own = (sent ?? []).find(isFrame)?.sid
  const named = /stream\[(-?\d+)\]/.exec(clientSaw.map(({ error }) => error ?? "").join())?.[1]
  return own ?? (named === undefined ? (reply === "" ? 0 : parseInt(reply.slice(16, 24), 16)) : Number(named))
}

const replay = (fake: Fake, pieceSize = Infinity) => {
  const side = new ClientSide()
  const fields = { ints: [], strings: [] }
  const stream = side.open("Bidi", { header: { service: "GoldenStream", method: "Bidi", caller: "c", fields } })
  stream.write([hello], 0, encodeBytes)
  const [open] = readFrames(side.taken())
  const recordedId = idOf(fake)
  const reply = renumber(fromHex(fake.reply), (id) => id - recordedId + open!.streamId)
  for (let at = 0; at < reply.length; at += pieceSize) side.receive(reply.subarray(at, at + pieceSize))
  if (fake.sent === null) side.connection.end({ _tag: "PeerClosed" })
  side.deliver()
  const sent = readFrames(side.taken())
  const named = (text: string) => text.replace(`stream[${open!.streamId}]`, `stream[${recordedId}]`)
  return { side, stream, sent, open: open!, named }
}

describe("a Kitex client's view of a server's frames", () => {
  for (const fake of golden.fakes) {
    const { clientSaw, name, sent: kitexSent } = fake
    const wantedRecvs = clientSaw
      .filter(({ op }) => op === "recv")
      .map(({ error, value }) => error ?? `message ${(value as { message: string }).message}`)
      .map((text) => (text.startsWith("message ") ? text : (differs[name]?.recv ?? text)))

    for (const size of [Infinity, 1, 9]) {
      it(`${name}: what Recv gives${size === Infinity ? "" : `, in pieces of ${size}`}`, () => {
        const { named, side, stream } = replay(fake, size)
        assert.deepStrictEqual(
          wantedRecvs.map(() => named(recv(stream))),
          wantedRecvs
        )
        assert.strictEqual(side.connection.active, 0)
        assert.deepStrictEqual(side.defects, [])
      })
    }

    it(`${name}: what a late Send gives`, () => {
      const { named, sent, side, stream } = replay(fake)
      const late = clientSaw.find(({ op }) => op === "send late")!.error!
      assert.strictEqual(stream.write([hello], 0, encodeBytes), 0)
      assert.deepStrictEqual(readFrames(side.taken()), [])
      const { writeEnded } = stream
      if (typeof writeEnded !== "object") throw new Error("it may be written")
      // The text of a send behind a good end is of whoever sends.
      if (late.endsWith("stream is closed send")) assert.strictEqual(endText(stream), "EOF")
      else assert.strictEqual(named(endText(stream)), differs[name]?.recv ?? late)
      assert.isDefined(sent)
    })

    it(`${name}: what is sent afterwards`, () => {
      const { open, sent, side } = replay(fake)
      const fin = (kitexSent ?? []).some((frame) => !isFrame(frame))
      if (differs[name]?.rst) {
        assert.deepStrictEqual(
          sent.map(({ header }) => header.ints.get(27)),
          ["5", "4"]
        )
        assert.isUndefined(side.closed)
        return
      }
      assert.strictEqual(side.closed !== undefined, fin || kitexSent === null)
      const wanted = (kitexSent ?? []).filter(isFrame).flatMap(({ hex }) => readFrames(fromHex(hex)))
      assert.deepStrictEqual(sent.map(told), wanted.map(told))
      for (const { streamId } of sent) assert.strictEqual(streamId, open.streamId)
    })

    it(`${name}: headers and trailers`, () => {
      const { stream } = replay(fake)
      const header = clientSaw.find(({ op }) => op === "header()")!
      const trailer = clientSaw.find(({ op }) => op === "trailer()")!
      const entries = (value: unknown) =>
        Object.entries(value ?? {}).filter(([key]) => !key.startsWith("biz-") && key !== "retry-pushback-ms")
      const got = (metadata: RawClientStream["header"]) => entriesOf(metadata).map(([key, [value]]) => [key, value])
      // Kitex gives no headers where no Header frame came, by an error or by an empty map.
      assert.deepStrictEqual(new Map(got(stream.header) as any), new Map(entries(header.value)))
      if (stream.end?._tag !== "Status") return assert.isUndefined(stream.trailer)
      assert.deepStrictEqual(new Map(got(stream.trailer) as any), new Map(entries(trailer.value)))
    })
  }

  it("each difference is of one that is there", () => {
    for (const name of Object.keys(differs))
      assert.isDefined(
        golden.fakes.find((fake) => fake.name === name),
        name
      )
  })
})
