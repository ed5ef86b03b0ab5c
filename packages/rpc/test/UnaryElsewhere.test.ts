/** A unary call whose stream ended before anything of it was sent goes to another instance. */
import { assert, describe, it } from "@effect/vitest"
import { type RawStream, Transport, TransportError } from "@millrace/transport"
import { Cause, Effect, Exit, Fiber, Layer } from "effect"
import { Admission, type Endpoints, RpcError } from "../src/index.ts"
import { Recorder } from "../src/testing/index.ts"
import { pass } from "./support/client.ts"
import { clients, Crowd, named, request, server, surroundings } from "./support/observers.ts"

type Reason = TransportError.TransportError["reason"]

const lost = (address: string) => new TransportError.ConnectionLost({ address, neverSent: true })
const sent = (address: string) => new TransportError.ConnectionLost({ address })
const reasons = {
  "its connection was lost before a byte was taken": lost,
  "no other connection could be had": (address: string) => new TransportError.ConnectFailed({ address }),
  "the server drains": () => new TransportError.Draining()
}

/** A stream that takes a message and fails then: at once, or a little later. */
class Dying implements RawStream.RawClientStream {
  listener: RawStream.RawListener | undefined
  end: RawStream.RawEnd | undefined
  readonly protocol = "ttheader-framed"
  readonly header = undefined
  readonly trailer = undefined
  readonly available = 0
  readonly buffered = 0
  readonly writable = true
  readonly writeEnded = undefined
  readonly lastWrittenBytes = 1
  readonly lastWrittenCount = 1
  readonly lastWrittenSize = 1
  readonly lastTakenBytes = 0
  readonly lastTakenSize = 0
  readonly peer: RawStream.RawPeer
  readonly #reason: Reason
  readonly #later: boolean
  constructor(address: string, reason: Reason, later: boolean) {
    this.peer = { address }
    this.#reason = reason
    this.#later = later
  }
  write(messages: ReadonlyArray<unknown>): number {
    if (this.#later) setImmediate(() => this.#fail())
    else this.#fail()
    return messages.length
  }
  #fail(): void {
    if (this.end !== undefined) return
    const error = new TransportError.TransportError({ reason: this.#reason, code: 14, desc: "gone" })
    this.end = { _tag: "Failed", error }
    this.listener?.onAbort(error)
    this.listener?.onReadable()
  }
  abort(_reason: string, error: TransportError.TransportError): void {
    this.end ??= { _tag: "Failed", error }
  }
  take(): void {}
  closeSend(): void {}
}

interface Network {
  readonly reason: (address: string) => Reason
  /** The stream fails a little after its message was written. */
  readonly later?: boolean
  /** A stream takes so many milliseconds to open. */
  readonly opens?: number
}

/** Streams at addresses that begin with `dead` die; all that were opened. */
const network = ({ later = false, opens, reason }: Network) => {
  const addresses: Array<string> = []
  const streams: Array<RawStream.RawClientStream> = []
  const keep = <A extends RawStream.RawClientStream | undefined>(address: string, raw: A): A => {
    if (raw === undefined) return raw
    addresses.push(address)
    streams.push(raw)
    return raw
  }
  const layer = Layer.effect(
    Transport.ClientTransport,
    Effect.map(Transport.ClientTransport, (transport) => {
      const dead = (address: string) =>
        address.startsWith("dead") ? new Dying(address, reason(address), later) : undefined
      return Transport.ClientTransport.of({
        ...transport,
        tryOpen: (open) =>
          opens === undefined ? keep(open.address, dead(open.address) ?? transport.tryOpen(open)) : undefined,
        open: (open) => {
          const made = Effect.suspend(() => {
            const raw = dead(open.address)
            return raw === undefined ? transport.open(open) : Effect.succeed(raw)
          })
          const kept = Effect.map(made, (raw) => keep(open.address, raw))
          return opens === undefined ? kept : Effect.delay(kept, opens)
        }
      })
    })
  )
  return { addresses, streams, layer: Layer.provideMerge(layer, server()) }
}

/** A client of instances that are chosen in order, and who hears of its calls. */
const instances = (more: object, addresses: ReadonlyArray<string>) => {
  const picked = new Crowd()
  const admitted = new Crowd()
  const pick: Endpoints.Endpoints["pick"] = ({ tried }) => {
    const address = addresses.find((address) => !tried.includes(address))
    return address === undefined ? undefined : { address, ...picked.next() }
  }
  const made = clients({ ...more, endpoints: { pick }, admission: [Admission.make(admitted.next)] })
  const ended = () => ({
    picked: picked.all.map(({ ends, tags }) => [...tags, ends[0]?.created]),
    admitted: admitted.all.map(({ ends, tags }) => [...tags, ends[0]?.created]),
    wrong: [...picked.wrong, ...admitted.wrong]
  })
  return { ended, made }
}

const soon = <A, E, R>(call: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const fiber = yield* Effect.forkChild(call, { startImmediately: true })
    yield* pass(200, 10)
    const exit = fiber.pollUnsafe()
    assert.isDefined(exit)
    return exit!
  })

const reasonOf = (exit: Exit.Exit<unknown, unknown>) => {
  const error = Exit.isFailure(exit) ? Cause.squash(exit.cause) : undefined
  return error instanceof RpcError.RpcError ? error.reason : error
}

for (const more of surroundings) {
  describe(named("a unary call", more), () => {
    for (const [why, reason] of Object.entries(reasons)) {
      for (const how of [{}, { later: true }, { opens: 3 }, { later: true, opens: 3 }]) {
        it.effect(`goes to the next instance when ${why}: ${JSON.stringify(how)}`, () =>
          Effect.gen(function* () {
            const { addresses, layer, streams } = network({ reason, ...how })
            const { ended, made } = instances(more, ["dead:1", "dead:2", "live:1"])
            const recorder = yield* Recorder.make
            yield* Effect.gen(function* () {
              const client = (yield* made).streams
              const exit = yield* soon(client.EchoUnary(request))
              assert.isTrue(Exit.isSuccess(exit))
              assert.deepStrictEqual(addresses, ["dead:1", "dead:2", "live:1"])
              assert.deepStrictEqual(ended(), {
                picked: [
                  ["Unavailable", false],
                  ["Unavailable", false],
                  ["eof", true]
                ],
                admitted: [["eof", true]],
                wrong: []
              })
              const [finish] = recorder.client.finishes
              assert.strictEqual(recorder.client.finishes.length, 1)
              assert.deepStrictEqual([finish!.sendCount, finish!.recvCount, finish!.info.address], [1, 1, "live:1"])
              for (const raw of streams) assert.isDefined(raw.end)
            }).pipe(Effect.scoped, Effect.provide(layer), Effect.provide(recorder.layer))
          })
        )
      }
    }

    it.effect("fails with the error of the last instance when there is no other", () =>
      Effect.gen(function* () {
        const { addresses, layer } = network({ reason: lost })
        const { ended, made } = instances(more, ["dead:1", "dead:2"])
        const recorder = yield* Recorder.make
        yield* Effect.gen(function* () {
          const client = (yield* made).streams
          const exit = yield* soon(client.EchoUnary(request))
          assert.deepStrictEqual({ ...(reasonOf(exit) as object) }, { _tag: "Unavailable", neverSent: true })
          assert.deepStrictEqual(addresses, ["dead:1", "dead:2"])
          assert.deepStrictEqual(ended(), {
            picked: [
              ["Unavailable", false],
              ["Unavailable", false]
            ],
            admitted: [["Unavailable", false]],
            wrong: []
          })
          assert.deepStrictEqual(
            recorder.client.finishes.map(({ sendCount }) => sendCount),
            [0]
          )
        }).pipe(Effect.scoped, Effect.provide(layer), Effect.provide(recorder.layer))
      })
    )

    it.effect("stays where it is when a byte of it was sent", () =>
      Effect.gen(function* () {
        const { addresses, layer } = network({ reason: sent })
        const { ended, made } = instances(more, ["dead:1", "live:1"])
        yield* Effect.gen(function* () {
          const client = (yield* made).streams
          const exit = yield* soon(client.EchoUnary(request))
          assert.deepStrictEqual({ ...(reasonOf(exit) as object) }, { _tag: "Unavailable", neverSent: false })
          assert.deepStrictEqual(addresses, ["dead:1"])
          assert.deepStrictEqual(ended().picked, [["Unavailable", true]])
        }).pipe(Effect.scoped, Effect.provide(layer))
      })
    )

    it.effect("has one deadline for all of them", () =>
      Effect.gen(function* () {
        const { addresses, layer } = network({ opens: 30, reason: lost })
        const { ended, made } = instances(more, ["dead:1", "live:1"])
        yield* Effect.gen(function* () {
          const client = (yield* made).streams
          const fiber = yield* Effect.forkChild(client.EchoUnary(request, { timeout: 50 }), { startImmediately: true })
          yield* pass(49, 1)
          assert.isUndefined(fiber.pollUnsafe())
          yield* pass(3, 1)
          const exit = fiber.pollUnsafe()!
          assert.strictEqual((reasonOf(exit) as RpcError.RpcError["reason"])._tag, "DeadlineExceeded")
          assert.deepStrictEqual(addresses, ["dead:1"])
          assert.deepStrictEqual(ended().admitted, [["DeadlineExceeded", false]])
          assert.deepStrictEqual(ended().wrong, [])
        }).pipe(Effect.scoped, Effect.provide(layer))
      })
    )

    it.effect("can be interrupted on its way, whenever", () =>
      Effect.gen(function* () {
        for (let at = 0; at <= 12; at++) {
          const { layer, streams } = network({ later: at % 2 === 0, opens: 3, reason: lost })
          const { ended, made } = instances(more, ["dead:1", "dead:2", "live:1"])
          yield* Effect.gen(function* () {
            const client = (yield* made).streams
            const fiber = yield* Effect.forkChild(client.EchoUnary(request), { startImmediately: true })
            yield* pass(at, 1)
            yield* Fiber.interrupt(fiber)
            yield* pass(5, 1)
            assert.deepStrictEqual(
              ended().admitted.map(([tag]) => tag),
              ["interrupted"]
            )
            assert.deepStrictEqual(ended().wrong, [])
            for (const raw of streams) assert.isDefined(raw.end)
          }).pipe(Effect.scoped, Effect.provide(layer))
        }
      })
    )
  })
}
