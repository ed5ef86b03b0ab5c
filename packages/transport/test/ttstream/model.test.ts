import { assert, describe, it } from "@effect/vitest"
import type { RawClientStream, RawEnd, RawServerStream } from "../../src/RawStream.ts"
import { Choices, choices } from "../http2/arbitraries.ts"
import { encodeText } from "../support/raw.ts"
import * as Raw from "./raw.ts"
import { cancelled, ClientSide, entriesOf, listen, ServerSide, takeAll } from "./support.ts"

/** What a stream is, in plain words: one object a role, of which each step says what it changes and what is written. */
interface Model {
  /** Our sending side is closed. */
  sent: boolean
  /** What the receiving side has come to. */
  end: string | undefined
  over: boolean
  /** The response's Header came, or went. */
  header: boolean
  queue: Array<string>
  /** Types of the frames that were written. */
  wrote: Array<string>
  /** Calls that listeners wait for. */
  heard: Set<string>
}

const fresh = (): Model => ({
  sent: false,
  end: undefined,
  over: false,
  header: false,
  queue: [],
  wrote: [],
  heard: new Set()
})

const told = (end: RawEnd | undefined): string | undefined => {
  if (end === undefined) return undefined
  if (end._tag === "HalfClosed") return "HalfClosed"
  if (end._tag === "Failed") return `${end.error.reason._tag} ${end.error.code}`
  const { biz, code } = end.status
  return biz === undefined ? `Status ${code}` : `biz ${biz.code}`
}

const trailers = [
  ["plain", {}, "Status 0"],
  ["exception", { payload: Raw.exception("boom", 6) }, "Status 13"],
  ["biz", { strings: { "biz-status": "7", "biz-message": "no" } }, "biz 7"],
  ["garbage", { payload: "garbage" }, "ProtocolViolation 12004"]
] as const

const resets = [
  [{}, "StreamReset 13"],
  [{ payload: "junk" }, "StreamReset 13"],
  [{ payload: Raw.exception("gone", 1111), strings: { ttscp: "A" } }, "StreamReset 1111"]
] as const

describe("ttstream model", () => {
  it.prop(
    "a client's stream is what a plain model of it is, in any order of frames and calls",
    { given: choices },
    ({ given }) => {
      const choose = new Choices(given)
      const side = new ClientSide()
      const stream: RawClientStream = side.open()
      const { sid } = Raw.parse(side.taken())[0]!
      const heard = listen(stream)
      const model = fresh()

      // What the model says of the end of a client's stream: the Trailer that 6.3 wants.
      const over = (end: string, rst: boolean) => {
        model.end = end
        model.over = true
        if (rst) model.wrote.push("Rst")
        if (!model.sent) model.wrote.push("Trailer")
      }

      for (let step = 0; step < 25; step++) {
        heard.calls.length = 0
        model.heard.clear()
        const what = choose.below(11)
        if (what <= 2) {
          side.receive(Raw.data(`m${step}`, sid, { swapped: choose.below(2) === 0 }))
          if (!model.over) {
            model.queue.push(`m${step}`)
            model.heard.add("readable")
          }
        } else if (what === 3) {
          side.receive(Raw.header(sid, { strings: { k: "v" } }))
          if (!model.over) {
            if (model.header) {
              over("ProtocolViolation 12002", true)
              model.heard.add("abort").add("readable").add("writable")
            } else {
              model.header = true
              model.heard.add("readable")
            }
          }
        } else if (what === 4) {
          const [, more, end] = choose.pick(trailers)
          side.receive(Raw.trailer(sid, more))
          if (!model.over) {
            over(end, false)
            model.heard.add("readable").add("writable")
            if (end.startsWith("Protocol")) model.heard.add("abort")
            else model.header = true
          }
        } else if (what === 5) {
          const [more, end] = choose.pick(resets)
          side.receive(Raw.rst(sid, more))
          if (!model.over) {
            over(end, false)
            model.heard.add("abort").add("readable").add("writable")
          }
        } else if (what === 6) {
          side.receive(Raw.meta(sid, { strings: { rip: "1" } }))
          side.receive(Raw.data("foreign", sid + 1))
          side.receive(Raw.trailer(sid + 2))
          side.receive(Raw.header(sid + 3))
          side.receive(Raw.rst(0))
        } else if (what === 7) {
          const written = stream.write(["w"], 0, encodeText)
          const may = !model.sent && !model.over
          assert.strictEqual(written, may ? 1 : 0)
          if (may) model.wrote.push("Data")
        } else if (what === 8) {
          const before = stream.available
          assert.deepStrictEqual(takeAll(stream), model.queue.splice(0))
          assert.strictEqual(before - stream.available, before)
        } else if (what === 9 && choose.below(2) === 0) {
          stream.closeSend()
          if (!model.sent && !model.over) {
            model.sent = true
            model.wrote.push("Trailer")
          }
        } else if (what === 10 && choose.below(4) === 0) {
          stream.abort("cancel", cancelled)
          model.queue.length = 0
          if (!model.over) over("Cancelled 1", true)
          stream.listener = heard
        }
        const wrote = Raw.types(side.taken())
        assert.strictEqual(wrote, model.wrote.splice(0).join(" "))
        assert.deepStrictEqual(new Set(heard.calls), model.heard)
        assert.strictEqual(stream.available, model.queue.length)
        assert.strictEqual(told(stream.end), model.end)
        const { writeEnded } = stream
        assert.strictEqual(writeEnded === undefined, !model.sent && !model.over)
        assert.strictEqual(stream.header !== undefined, model.header)
        assert.strictEqual(side.connection.active, model.over ? 0 : 1)
        assert.strictEqual(side.streamsEnded, model.over ? 1 : 0)
        assert.isUndefined(side.closed)
      }
    }
  )

  it.prop("a server's stream is what a plain model of it is", { given: choices }, ({ given }) => {
    const choose = new Choices(given)
    const side = new ServerSide({ resetBudget: { burst: 1000, perSecond: 0 } })
    const sid = choose.pick([1, 0, -5, 2 ** 31 - 1, -(2 ** 31)])
    side.receive(Raw.requestHeader(sid))
    let stream: RawServerStream = side.accepted.at(-1)!
    let heard = listen(stream)
    let model = fresh()
    const dead = (end: string) => {
      model.end ??= end
      model.over = true
      model.heard.add("abort").add("readable").add("writable")
    }

    for (let step = 0; step < 25; step++) {
      heard.calls.length = 0
      model.heard.clear()
      const what = choose.below(13)
      if (what <= 2) {
        side.receive(Raw.data(`m${step}`, sid))
        if (!model.over && model.end === undefined) {
          model.queue.push(`m${step}`)
          model.heard.add("readable")
        }
      } else if (what === 3) {
        const [, more, end] = choose.pick(trailers)
        side.receive(Raw.trailer(sid, more))
        if (!model.over && model.end === undefined) {
          model.end = end === "Status 0" ? "HalfClosed" : end.startsWith("Protocol") ? end : "StreamReset 12001"
          model.heard.add("readable")
        }
      } else if (what === 4 && choose.below(3) === 0) {
        const [more, end] = choose.pick(resets)
        side.receive(Raw.rst(sid, more))
        if (!model.over) dead(end)
      } else if (what === 5 && choose.below(3) === 0) {
        side.receive(Raw.requestHeader(sid, "Other"))
        if (model.over) {
          // The id is free again.
          stream.release()
          stream = side.accepted.at(-1)!
          assert.strictEqual(stream.method, "Other")
          heard = listen(stream)
          model = fresh()
        } else {
          model.wrote.push("Rst")
          dead("ProtocolViolation 12004")
        }
      } else if (what === 6) {
        side.receive(Raw.data("foreign", 77))
        side.receive(Raw.trailer(78))
        side.receive(Raw.rst(79))
        side.receive(Raw.meta(sid, { strings: { rip: "1" } }))
      } else if (what === 7 || what === 8) {
        const written = stream.write(["w"], 0, encodeText)
        assert.strictEqual(written, model.over || model.sent ? 0 : 1)
        if (written === 1) {
          if (!model.header) model.wrote.push("Header")
          model.header = true
          model.wrote.push("Data")
        }
      } else if (what === 9) {
        stream.sendHeaders([["k", "v"]])
        if (!model.over && !model.header) {
          model.header = true
          model.wrote.push("Header")
        }
      } else if (what === 10) {
        assert.deepStrictEqual(takeAll(stream), model.queue.splice(0))
      } else if (what === 11 && choose.below(3) === 0) {
        assert.isUndefined(stream.finish({ code: 0, message: "" }, []))
        if (!model.over) {
          if (!model.header) model.wrote.push("Header")
          model.header = true
          model.wrote.push("Trailer")
          model.over = true
          model.sent = true
          model.queue.length = 0
        }
        stream.listener = heard
      } else if (what === 12 && choose.below(5) === 0) {
        stream.abort("cancel", cancelled)
        model.queue.length = 0
        if (!model.over) {
          model.wrote.push("Rst")
          model.over = true
          model.end ??= "Cancelled 1"
        }
        stream.listener = heard
      }
      assert.strictEqual(Raw.types(side.taken()), model.wrote.splice(0).join(" "))
      assert.deepStrictEqual(new Set(heard.calls), model.heard)
      assert.strictEqual(stream.available, model.queue.length)
      assert.strictEqual(told(stream.end), model.end)
      assert.strictEqual(stream.writeEnded === undefined, !model.over)
      assert.strictEqual(stream.headersSent, model.header)
      assert.strictEqual(side.connection.active, model.over ? 0 : 1)
      assert.isUndefined(side.closed)
    }
  })

  it("what the headers say is kept apart from the protocol", () => {
    const side = new ClientSide()
    const stream = side.open()
    const { sid } = Raw.parse(side.taken())[0]!
    side.receive(
      Raw.header(sid, {
        strings: [
          ["A", "1"],
          ["A", "2"],
          ["b-bin", "AQI"]
        ]
      })
    )
    assert.deepStrictEqual(entriesOf(stream.header), [
      ["A", ["1", "2"]],
      ["b-bin", [Uint8Array.of(1, 2)]]
    ])
  })
})
