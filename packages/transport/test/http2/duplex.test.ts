import { assert, describe, it } from "@effect/vitest"
import { Choices, choices } from "./arbitraries.ts"
import { requestHeaders, Recorder, responseHeaders, type StreamRecord, trailers } from "./raw.ts"

/** A transfer of one direction of a stream: bytes that are a function of their place. */
interface Plan {
  readonly seed: number
  readonly size: number
  sent: number
}

const byteAt = (seed: number, at: number): number => (seed * 31 + at * 7 + (at >>> 8)) & 255

const makePlan = (choose: Choices): Plan => ({
  seed: choose.below(1000),
  size: choose.pick([0, 1, 100, 5000, 70_000, 400_000]),
  sent: 0
})

const piece = (plan: Plan, size: number): Uint8Array =>
  Uint8Array.from({ length: size }, (_, i) => byteAt(plan.seed, plan.sent + i))

class End extends Recorder {
  readonly plans = new Map<number, Plan>()
  private left = new Uint8Array(0)

  /** Sends a piece of some stream that has room. */
  send(choose: Choices): void {
    const ids = [...this.plans.keys()]
    if (ids.length === 0) return
    const id = choose.pick(ids)
    const plan = this.plans.get(id)!
    const stream = this.record(id).stream!
    if (stream.buffered >= 64 * 1024) return
    const size = Math.min(plan.size - plan.sent, choose.pick([0, 1, 10, 1000, 9000, 50_000]))
    const last = plan.sent + size === plan.size
    const server = this.connection.role === "server"
    const owned = choose.below(2) === 0
    const bytes = piece(plan, size)
    this.connection.sendData(stream, bytes, 0, size, owned, last && !server)
    if (!owned) bytes.fill(0)
    plan.sent += size
    if (!last) return
    if (server) {
      this.connection.sendTrailers(stream, trailers, false)
      this.connection.release(stream)
    }
    this.plans.delete(id)
  }

  /** Moves some of what this end has to say to the other one, cut anywhere. */
  deliver(to: End, choose: Choices, now: number): boolean {
    if (this.left.length === 0) this.left = new Uint8Array(this.bytes())
    if (this.left.length === 0) return false
    const size = Math.min(this.left.length, choose.pick([1, 8, 9, 100, 5000, 1_000_000]))
    to.connection.receive(this.left.slice(0, size), now)
    this.left = this.left.slice(size)
    return true
  }
}

const consumed = new WeakMap<StreamRecord, number>()

/** The application reads some, or all, of what a stream holds. */
const read = (end: End, choose: Choices, now: number, all: boolean): void => {
  for (const record of end.records.values()) {
    if (!all && choose.below(3) > 0) continue
    const taken = consumed.get(record) ?? 0
    const bytes = all ? record.received - taken : choose.below(record.received - taken + 1)
    if (bytes === 0) continue
    consumed.set(record, taken + bytes)
    end.connection.consume(record.stream!, bytes, now)
  }
}

describe("two engines", () => {
  it.prop(
    "move everything in both directions, whatever the sizes and splits, and keep nothing",
    { given: choices },
    ({ given }) => {
      const choose = new Choices(given)
      const flow = choose.pick([
        {},
        { initialStreamWindow: 65_535, connectionWindow: 65_535 },
        { initialStreamWindow: 1000, connectionBufferLimit: 5000, maxStreamWindow: 4000 }
      ])
      const client = new End("client", { flow })
      const server = new End("server", { flow })
      const uploads = new Map<number, Plan>()
      const downloads = new Map<number, Plan>()
      server.handler = (_record, stream) => {
        const plan = makePlan(choose)
        server.plans.set(stream.id, plan)
        downloads.set(stream.id, { ...plan })
        server.connection.sendHeaders(stream, responseHeaders, false)
      }
      const streams = 1 + choose.below(6)
      let opened = 0
      let now = 0
      let quiet = 0
      while (quiet < 3) {
        now += choose.below(20)
        if (opened < streams && choose.below(3) === 0 && client.connection.openable > 0) {
          opened++
          const id = client.open(requestHeaders).stream!.id
          const plan = makePlan(choose)
          client.plans.set(id, plan)
          uploads.set(id, { ...plan })
        }
        client.send(choose)
        server.send(choose)
        const moved = [client.deliver(server, choose, now), server.deliver(client, choose, now)]
        const idle = !moved.includes(true) && client.plans.size === 0 && server.plans.size === 0 && opened === streams
        read(client, choose, now, idle || choose.below(10) === 0)
        read(server, choose, now, idle || choose.below(10) === 0)
        quiet = idle ? quiet + 1 : 0
      }
      for (const [end, plans] of [
        [server, uploads],
        [client, downloads]
      ] as const) {
        assert.isUndefined(end.end)
        assert.strictEqual(plans.size, streams)
        for (const [id, plan] of plans) {
          const record = end.record(id)
          assert.isTrue(record.ended)
          assert.strictEqual(record.received, plan.size)
          assert.isTrue(record.payload.every((byte, at) => byte === byteAt(plan.seed, at)))
          assert.isTrue(record.stream!.closed)
        }
        assert.strictEqual(end.connection.active, 0)
        assert.strictEqual(end.connection.streams.slots, 0)
        assert.strictEqual(end.connection.inflow.unread, 0)
        assert.isFalse(end.connection.midFrame)
        assert.isUndefined(end.connection.outbox.take())
      }
      // The window of the connection is full again, but for less than the quarter that is not worth an update.
      const window = flow.connectionWindow ?? 16 * 1024 * 1024
      for (const { connection } of [client, server]) {
        assert.isAbove(connection.inflow.window, window * 0.75)
        assert.strictEqual(
          connection.sender.window,
          (connection === client.connection ? server : client).connection.inflow.window
        )
      }
    },
    { arbitrary: { runs: 40 } }
  )
})
