import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import type { RawClientCall, RawServerCall } from "../../src/RawCall.ts"
import { concat, text } from "../http2/raw.ts"
import { decodeBytes, drain, encodeBytes, encodings, Outcome, outgoing, TestClient, TestServer } from "./support.ts"

// A body that says whose it is, as a struct.
const bodyOf = (label: string) =>
  concat([Uint8Array.of(11, 0, 1, 0, 0, 0, label.length), text(label), Uint8Array.of(0)])
const labelOf = (bytes: Uint8Array) => Buffer.from(bytes.subarray(7, -1)).toString()

const Op = Schema.Struct({
  op: Schema.Literals(["send", "send", "oneway", "reply", "exception", "abandon", "toServer", "toClient", "resume"]),
  pick: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 1000 }))
})
const Case = Schema.Struct({
  mode: Schema.Literals(["auto", "multiplexed"]),
  encoding: Schema.Literals(encodings),
  checksum: Schema.Boolean,
  room: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 4 })),
  ops: Schema.Array(Op)
})

interface Sent {
  readonly label: string
  readonly outcome: Outcome
  readonly call: RawClientCall
  readonly oneway: boolean
  abandoned: boolean
}

describe("any schedule of calls, answers, abandoned calls and cuts", () => {
  it.prop(
    "gives each call its own answer or an error, once, and leaves nothing",
    [Case],
    ([{ checksum, encoding, mode, ops, room }]) => {
      const running: Array<readonly [call: RawServerCall, label: string]> = []
      const server = new TestServer((call) => void running.push([call, labelOf(call.take(decodeBytes))]), {
        checksum,
        maxConcurrentCalls: room
      })
      const client = new TestClient({ checksum })
      const sent: Array<Sent> = []
      let toServer = new Uint8Array(0)
      let toClient = new Uint8Array(0)

      const collect = () => {
        toServer = new Uint8Array(concat([toServer, drain(client.engine)]))
        toClient = new Uint8Array(concat([toClient, drain(server.engine)]))
      }
      const run = (op: (typeof ops)[number]["op"], pick: number) => {
        if (op === "send" || op === "oneway") {
          // One call at a time until the server has said that it multiplexes.
          if (!client.engine.usable || (mode === "auto" && client.engine.learned !== true && client.engine.active > 0))
            return
          const label = `call ${sent.length}`
          const outcome = new Outcome((bytes, start, end) => labelOf(bytes.subarray(start, end)))
          const oneway = op === "oneway" && mode === "multiplexed"
          const call = client.engine.send(outgoing(outcome, { args: bodyOf(label), oneway }), encoding, mode)
          sent.push({ label, outcome, call, oneway, abandoned: false })
        } else if (op === "abandon") {
          const one = sent[pick % sent.length]
          if (one === undefined || one.outcome.ends > 0) return
          one.abandoned = true
          one.call.abandon()
        } else if (op === "resume") server.engine.resume(1)
        else if (op === "toServer") {
          server.receive(toServer.slice(0, pick))
          toServer = toServer.slice(pick)
        } else if (op === "toClient") {
          client.receive(toClient.slice(0, pick))
          toClient = toClient.slice(pick)
        } else {
          const [taken] = running.splice(pick % Math.max(1, running.length), 1)
          if (taken === undefined) return
          const [call, label] = taken
          if (call.oneway) call.finish()
          else if (op === "reply") call.reply(bodyOf(label), encodeBytes)
          else call.exception({ message: label, type: 6 })
        }
      }
      for (const { op, pick } of ops) {
        run(op, pick)
        collect()
        assert.isAtMost(server.engine.active, room)
      }

      // Everything arrives and is answered, or one side has closed before.
      for (let i = 0; i < sent.length * 2 + 2; i++) {
        for (const op of ["toServer", "resume", "reply", "toClient"] as const) {
          run(op, 100_000)
          collect()
        }
      }
      client.engine.end({ _tag: "PeerClosed" })
      server.engine.end({ _tag: "PeerClosed" })
      for (const [call] of running) call.finish()

      for (const { abandoned, label, oneway, outcome } of sent) {
        assert.strictEqual(outcome.ends, abandoned ? 0 : 1)
        if (outcome.result !== undefined) assert.strictEqual(outcome.result, label)
        if (outcome.exception !== undefined) assert.strictEqual(outcome.exception.message, label)
        if (oneway && !abandoned) assert.strictEqual(outcome.sent, 1)
      }
      assert.strictEqual(client.engine.active, 0)
      assert.strictEqual(server.engine.active, 0)
      assert.strictEqual(client.callsEnded, sent.length)
      assert.notStrictEqual(client.ended?._tag, "Error")
      assert.notStrictEqual(server.ended?._tag, "Error")
      // On a shared connection no call was lost.
      if (mode === "multiplexed") assert.isTrue(sent.every(({ outcome }) => outcome.failed === undefined))
    },
    { arbitrary: { runs: 400 } }
  )
})
