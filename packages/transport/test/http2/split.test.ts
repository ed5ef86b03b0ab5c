import { assert, describe, it } from "@effect/vitest"
import { Choices, choices } from "./arbitraries.ts"
import type { HeaderList, Http2Stream } from "../../src/internal/http2/api.ts"
import { Flag, FrameType, preface } from "../../src/internal/http2/frames.ts"
import {
  block,
  concat,
  continuation,
  data,
  describe as describeFrames,
  frame,
  goaway,
  parse,
  ping,
  priority,
  RawPeer,
  Recorder,
  requestHeaders,
  responseHeaders,
  rst,
  settings,
  settingsAck,
  StreamRecord,
  text,
  trailers,
  uint32,
  windowUpdate
} from "./raw.ts"

/** An engine that writes all it is told into one log, in which pieces of DATA of one stream are joined. */
class Log extends Recorder {
  readonly lines: Array<string> = []
  private dataOf = 0
  private line(id: number, what: string): void {
    this.dataOf = 0
    this.lines.push(`${id} ${what}`)
  }
  private piece(id: number, bytes: Uint8Array): void {
    const hex = Buffer.from(bytes).toString("hex")
    if (this.dataOf === id) this.lines[this.lines.length - 1] += hex
    else this.lines.push(`${id} data ${hex}`)
    this.dataOf = id
  }
  private watch(id: number, record: StreamRecord): void {
    const { connection } = this
    record.onHeaders = (list: HeaderList, endStream: boolean) => this.line(id, `headers ${list.join()} ${endStream}`)
    record.onData = (bytes, start, end, endStream) => {
      this.piece(id, bytes.slice(start, end))
      if (endStream) this.line(id, "end")
      connection.consume(record.stream!, end - start, 0)
      if (endStream && connection.role === "server") this.answer(record.stream!)
    }
    record.onAbort = (cause) => this.line(id, `abort ${JSON.stringify(cause)}`)
  }
  private answer(stream: Http2Stream): void {
    this.connection.sendHeaders(stream, responseHeaders, false)
    this.connection.sendData(stream, text("answer"), 0, 6, false, false)
    this.connection.sendTrailers(stream, trailers, false)
    this.connection.release(stream)
  }
  openWatched(): void {
    const record = this.open()
    this.watch(record.stream!.id, record)
  }
  override onStream(stream: Http2Stream, list: HeaderList, endStream: boolean): void {
    this.line(stream.id, `request ${list.join()} ${endStream}`)
    const record = new StreamRecord()
    record.stream = stream
    stream.owner = record
    this.watch(stream.id, record)
    if (stream.id % 8 === 1) this.answer(stream)
  }
  override onGoaway(last: number, code: number, debug: string): void {
    this.line(0, `goaway ${last} ${code} ${debug}`)
  }
  override onPong(payload: Uint8Array): void {
    this.line(0, `pong ${payload.join()}`)
  }
  override onSettings(): void {
    this.line(0, "settings")
  }
  override onClose(end: unknown): void {
    this.line(0, `close ${JSON.stringify(end)}`)
  }
  /** When WINDOW_UPDATE is due depends on the pieces that were consumed, all else does not. */
  answers(): Array<string> {
    return describeFrames(parse(this.bytes()).filter((one) => one.type !== FrameType.WindowUpdate))
  }
}

const payload = (choose: Choices): Uint8Array =>
  Uint8Array.from({ length: choose.pick([0, 1, 5, 30, 300]) }, () => choose.below(256))

const odd = (choose: Choices, id: number): Uint8Array =>
  choose.pick([
    () => frame(FrameType.PushPromise, Flag.EndHeaders, id, uint32(2)),
    () => frame(FrameType.Data, Flag.Padded, id, Uint8Array.of(9, 1, 2)),
    () => frame(FrameType.Data, Flag.Padded, id),
    () => frame(FrameType.Ping, 0, 0, uint32(1)),
    () => frame(FrameType.RstStream, 0, id, Uint8Array.of(1)),
    () => frame(FrameType.Settings, 0, id),
    () => frame(FrameType.Priority, 0, id, uint32(1)),
    () => windowUpdate(choose.pick([0, id]), 0),
    () => windowUpdate(choose.pick([0, id]), 0x7fffffff),
    () => priority(id, id),
    () => continuation(id, new Uint8Array(1)),
    () => block(id, Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0xff, 0xff)),
    () => frame(FrameType.Data, 0, id, new Uint8Array(20_000)),
    () => data(0, text("x"))
  ])()

/** Frames that a peer might send, most of them well-formed. */
const script = (choose: Choices, role: "client" | "server", streams: number): Array<Uint8Array> => {
  const peer = new RawPeer()
  const frames: Array<Uint8Array> = [role === "server" ? preface : new Uint8Array(0), settings([4, 1000])]
  let top = role === "server" ? -1 : streams * 2 - 1
  const length = 5 + choose.below(40)
  for (let i = 0; i < length; i++) {
    const id = Math.max(1, choose.below(Math.max(1, (top + 1) / 2)) * 2 + 1)
    const endStream = choose.below(3) === 0
    const list = (): HeaderList => {
      const first = role === "server" ? requestHeaders : responseHeaders
      return [...first, ...choose.pick([[], ["x-a", "1"], ["X-A", "1"], ["content-length", "5"], ["te", "gzip"]])]
    }
    switch (choose.below(16)) {
      case 0:
      case 1:
      case 2: {
        if (role === "server") top += 2
        const target = role === "server" ? Math.max(top, 1) : id
        const bytes = peer.encoder.encode(list())
        if (choose.below(4) > 0) {
          frames.push(block(target, bytes, endStream))
          break
        }
        const middle = choose.below(bytes.length)
        frames.push(block(target, bytes.slice(0, middle), endStream, false))
        frames.push(continuation(target, bytes.slice(middle)))
        break
      }
      case 3:
      case 4:
      case 5:
      case 6:
        frames.push(data(id, payload(choose), endStream))
        break
      case 7:
      case 8:
        frames.push(data(id, payload(choose), endStream, choose.pick([0, 1, 200])))
        break
      case 9:
        frames.push(peer.headers(id, trailers, choose.below(5) > 0))
        break
      case 10:
        frames.push(rst(id, choose.below(14)))
        break
      case 11:
        frames.push(choose.pick([ping(), ping(payload(choose).slice(0, 0)), settingsAck, ping(undefined, true)]))
        break
      case 12:
        frames.push(windowUpdate(choose.pick([0, id]), 1 + choose.below(1000)))
        break
      case 13:
        frames.push(settings([4, choose.below(2000)]))
        break
      case 14:
        frames.push(
          choose.pick([frame(0xfa, 0xff, id, payload(choose)), priority(id, 0), goaway(choose.pick([1, 3]), 0, "bye")])
        )
        break
      default:
        if (choose.below(4) === 0) frames.push(odd(choose, id))
    }
  }
  return frames
}

const run = (role: "client" | "server", streams: number, chunks: ReadonlyArray<Uint8Array>): Log => {
  const log = new Log(role)
  for (let i = 0; i < streams; i++) log.openWatched()
  for (const chunk of chunks) log.connection.receive(chunk, 0)
  return log
}

const splits = (bytes: Uint8Array, choose: Choices): Array<Uint8Array> => {
  const chunks: Array<Uint8Array> = []
  const sizes = choose.pick([[1], [1, 2, 3], [8, 9, 10, 11], [1, 50, 500], [1000]])
  for (let at = 0; at < bytes.length;) {
    const size = choose.pick(sizes)
    chunks.push(bytes.slice(at, at + size))
    at += size
  }
  return chunks
}

describe("any split of the bytes gives the same events and the same answers", () => {
  for (const role of ["client", "server"] as const) {
    it.prop(
      role,
      { given: choices },
      ({ given }) => {
        const choose = new Choices(given)
        const streams = role === "client" ? 1 + choose.below(4) : 0
        const bytes = concat(script(choose, role, streams))
        const whole = run(role, streams, [bytes])
        const split = run(role, streams, splits(bytes, choose))
        assert.deepStrictEqual(split.lines, whole.lines)
        assert.deepStrictEqual(split.answers(), whole.answers())
        assert.strictEqual(split.connection.active, whole.connection.active)
      },
      { arbitrary: { runs: 300 } }
    )
  }

  it.prop(
    "bytes that are no HTTP/2 end in a typed error, never in an exception",
    { given: choices },
    ({ given }) => {
      const choose = new Choices(given)
      const role = choose.pick(["client", "server"] as const)
      const bytes = concat(script(choose, role, 2))
      for (let i = 0; i < 1 + choose.below(5); i++)
        bytes[preface.length + choose.below(bytes.length)] = choose.below(256)
      const whole = run(role, 2, [bytes])
      const split = run(role, 2, splits(bytes, choose))
      assert.deepStrictEqual(split.lines, whole.lines)
    },
    { arbitrary: { runs: 300 } }
  )
})
