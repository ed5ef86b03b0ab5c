/**
 * The handlers of `kitex/peer` in TypeScript: the same words, the same outcomes.
 *
 * @since 0.1.0
 */
import type { ServerCall } from "@millrace/rpc/ServerCall"
import * as Effect from "effect/Effect"
import * as Pull from "effect/Pull"
import * as Stream from "effect/Stream"
import { InteropService, Refused, type Request, Response, SecondService } from "./api.ts"
import { outcomes, status, type Words } from "./words.ts"

const headers = [
  ["h-one", "1"],
  ["h-multi", "a"],
  ["h-multi", "b"],
  ["h-bin", "\u0000\u007f"]
] as const

const trailers = [
  ["t-one", "1"],
  ["t-multi", "a"],
  ["t-multi", "b"],
  ["t-bin", "\u0001\u0002\u0003\u0004"]
] as const

const manyHeaders = [
  ["hello", "3"],
  ["hello", "4"],
  ["foo_bar", "5"],
  ["foo_bar", "6"],
  ["bar-foo", "7"],
  ["bar-foo", "8"],
  ["x1", "9"],
  ["x_1", "10"],
  ["1_x", "11"]
] as const

const manyTrailers = [
  ["xxx", "1"],
  ["xxx", "2"],
  ["yyy_zzz", "3"],
  ["zzz-yyy", "4"],
  ["x1", "5"],
  ["x_1", "6"],
  ["1_x", "7"]
] as const

/** Sent in two parts, of which the second overrides. */
const mergedHeaders = [
  [
    ["first", "1"],
    ["Second", "1"]
  ],
  [
    ["Second", "2"],
    ["third", "三"]
  ]
] as const

const tick = (count: number) => new Response({ message: "tick", count })

/** Ticks with so many milliseconds between them. */
const ticks = (pause: number) =>
  Stream.iterate(0, (count) => count + 1).pipe(
    Stream.mapEffect((count) => Effect.delay(Effect.succeed(tick(count)), pause))
  )

/** Three messages, silence for 400 ms, and then ticks without an end. */
const stutter = Stream.concat(
  Stream.make(tick(0), tick(1), tick(2)),
  Stream.unwrap(Effect.delay(Effect.succeed(ticks(10)), 400))
)

type Entries = ReadonlyArray<readonly [string, string]>

const setHeaders = (call: ServerCall, entries: Entries) =>
  Effect.forEach(entries, ([key, value]) => call.setHeader(key, value), { discard: true })

const setTrailers = (call: ServerCall, entries: Entries) =>
  Effect.forEach(entries, ([key, value]) => call.setTrailer(key, value), { discard: true })

/** The words that set headers and trailers. */
const metadataOf = (call: ServerCall, word: string | undefined): Effect.Effect<void> => {
  switch (word) {
    case "header-trailer":
      return Effect.andThen(setHeaders(call, headers), setTrailers(call, trailers))
    case "send-header":
      return call.setHeader("early", "1").pipe(Effect.andThen(call.sendHeader), Effect.andThen(Effect.sleep(300)))
    case "merged-header":
      return Effect.andThen(
        Effect.forEach(mergedHeaders, (entries) => setHeaders(call, entries), { discard: true }),
        call.sendHeader
      )
    case "header-names":
      return Effect.andThen(setHeaders(call, manyHeaders), setTrailers(call, manyTrailers))
    default:
      return Effect.void
  }
}

/** The handlers of both services with streams. */
export const make = ({ answer, down, early, metainfoText, record, seen }: Words) => {
  const interop = InteropService.toLayer({
    Bidi: {
      duplex: (stream, call) =>
        Effect.suspend(() => {
          let key: string | undefined
          let holding = false
          let late = false
          const sendAll = (responses: Stream.Stream<Response>) => Stream.runForEach(responses, stream.send)
          const held: Array<Request> = []
          const next = stream.recv.pipe(Pull.catchDone(() => Effect.succeed(undefined)))
          return Effect.gen(function* () {
            yield* early(call)
            for (;;) {
              const request = yield* next
              if (request === undefined) break
              key = request.key ?? key
              if (request.message === "return-early") return
              if (request.message === "use-after-return") {
                const used = Effect.gen(function* () {
                  const recv = yield* Effect.flip(next)
                  const send = yield* Effect.flip(stream.send(tick(0)))
                  seen.set(`${call.metainfo.persistent.get("KEY")}/after`, `recv: ${recv.desc}; send: ${send.desc}`)
                })
                yield* Effect.forkDetach(Effect.delay(used, 50))
                return
              }
              if (request.message === "both") {
                const receiving = Effect.repeat(next, { until: (request) => request === undefined })
                yield* Effect.all([receiving, sendAll(ticks(20))], { concurrency: 2 })
              }
              if (request.message?.startsWith("down-")) {
                const there = yield* down(request.message, call)
                if (there !== undefined)
                  yield* stream.send(new Response({ message: `${metainfoText(call)} | ${there}` }))
                return
              }
              late ||= request.message === "late-answers"
              if (late) continue
              if (request.message === "recv-timeout") {
                yield* Effect.timeout(next, 50)
                continue
              }
              holding ||= request.message === "hold"
              if (holding) {
                held.push(request)
                continue
              }
              yield* metadataOf(call, request.message)
              yield* stream.send(yield* answer(request, call))
            }
            if (late) yield* sendAll(stutter)
            for (const { blob, count, message } of held) yield* stream.send(new Response({ message, count, blob }))
          }).pipe(
            Effect.catchTag("TimeoutError", () => Effect.fail(status(13, "no second message"))),
            Effect.onExit((exit) => record(key, exit))
          )
        })
    },
    Client: (requests, call) =>
      Effect.suspend(() => {
        let count = 0
        let blob: Uint8Array | undefined
        let key: string | undefined
        let last: Response | undefined
        let late = false
        return early(call).pipe(
          Effect.andThen(
            Stream.runForEachWhile(requests, (request) =>
              Effect.gen(function* () {
                count++
                blob = request.blob
                key = request.key ?? key
                if (request.message === "return-early") {
                  last = new Response({ message: "early", count })
                  return false
                }
                late ||= request.message === "late-answers"
                if (request.message === "stall") yield* Effect.sleep(request.count ?? 0)
                yield* metadataOf(call, request.message)
                yield* answer(request, call)
                return true
              })
            )
          ),
          Effect.andThen(Effect.suspend(() => (late ? Effect.sleep(400) : Effect.void))),
          Effect.map(() => last ?? new Response({ message: "total", count, blob })),
          Effect.onExit((exit) => record(key, exit))
        )
      }),
    Server: (request, call) => {
      const { key, message } = request
      switch (message) {
        case "two-then-error":
        case "two-then-biz":
          return Stream.concat(
            Stream.make(new Response({ message: "a" }), new Response({ message: "b" })),
            Stream.fail(outcomes[message === "two-then-biz" ? "biz-extra" : "plain-error"]!())
          )
        case "forever":
          return Stream.onExit(ticks(10), (exit) => record(key, exit))
        case "stutter":
          return stutter
        case "slow-start":
          return Stream.unwrap(Effect.delay(Effect.succeed(ticks(10)), request.count ?? 0))
        case "flood":
          return Stream.forever(
            Stream.make(new Response({ message: "tick", blob: new Uint8Array(request.count ?? 0) }))
          )
        default:
      }
      return Stream.unwrap(
        Effect.andThen(
          Effect.andThen(early(call), metadataOf(call, message)),
          Effect.map(answer(request, call), (response) =>
            message === "big"
              ? Stream.make(response)
              : Stream.range(1, request.count ?? 0).pipe(Stream.map((i) => new Response({ ...response, count: i - 1 })))
          )
        )
      )
    },
    Unary: (request, call) =>
      request.message === "refused"
        ? Effect.fail(new Refused({ code: 42, why: "bad" }))
        : Effect.andThen(early(call), answer(request, call)),
    Types: (values) => values,
    UnaryTypes: (value) => Effect.succeed(value),
    Echo: ({ req }, call) =>
      req.message === "refused" ? Effect.fail(new Refused({ code: 42, why: "bad" })) : answer(req, call),
    Join: ({ left, right }) => Effect.succeed(`${left}-${right}`),
    Check: ({ req }, call) => Effect.asVoid(answer(req, call)),
    Ping: () => Effect.void,
    Notify: () => Effect.void
  })

  return { interop, second }
}

const tell = (text: string | number | undefined) => new Response({ message: `second: ${text ?? ""}` })

const second = SecondService.toLayer({
  Bidi: (requests) => Stream.map(requests, ({ message }) => tell(message)),
  Client: (requests) => Effect.map(Stream.runCount(requests), tell),
  Server: ({ count, message }) => Stream.map(Stream.range(1, count ?? 0), () => tell(message)),
  Unary: ({ message }) => Effect.succeed(tell(message))
})
