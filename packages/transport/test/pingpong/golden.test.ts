import { assert, describe, it } from "@effect/vitest"
import { readException } from "@millrace/codec/Message"
import { readFileSync } from "node:fs"
import type { CallEntries, Encoding, RawServerCall } from "../../src/RawCall.ts"
import { fromHex } from "../http2/raw.ts"
import { decodeBytes, encodeBytes, hex, Outcome, outgoing, TestClient, TestServer } from "./support.ts"

interface Recorded {
  readonly hex: string
  readonly encoding: Encoding
  readonly type: number
  readonly method: string
  readonly sequenceId: number
  readonly header?: {
    readonly flags: number
    readonly strings: CallEntries
    readonly ints: ReadonlyArray<readonly [number, string]>
  }
}
interface Exchange {
  readonly name: string
  readonly requests: ReadonlyArray<Recorded>
  readonly responses: ReadonlyArray<Recorded>
}
interface Probe {
  readonly name: string
  readonly meta: boolean
  readonly hex: string
  readonly responses: ReadonlyArray<Recorded>
  readonly closed: boolean
  readonly checksum?: boolean
  readonly maxCallSize?: number
}
interface Fake {
  readonly name: string
  readonly encoding: Encoding
  readonly sequenceId: number
  readonly hex: string
  readonly reusable: boolean
  readonly error?: string
  readonly code?: number
}
const golden: {
  exchanges: ReadonlyArray<Exchange>
  probes: ReadonlyArray<Probe>
  fakes: ReadonlyArray<Fake>
} = JSON.parse(readFileSync(new URL("../data/kitex-pingpong.json", import.meta.url), "utf8"))

const hasHeader = (bytes: Uint8Array) => bytes[4] === 0x10 && bytes[5] === 0

/** Where the Thrift message begins, and its envelope's end. */
const places = (bytes: Uint8Array): { message: number; sequence: number; body: number } => {
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  let message = hasHeader(bytes)
    ? 14 + view.getUint16(12) * 4
    : view.getUint16(0) === 0xffaf
      ? 4 + view.getUint16(2)
      : 0
  if (view.getUint16(message) !== 0x8001) message += 4
  const sequence = message + 8 + view.getInt32(message + 4)
  return { message, sequence, body: sequence + 4 }
}
const bodyOf = (recorded: string) => fromHex(recorded).subarray(places(fromHex(recorded)).body)

/** The same message with other sequence ids. */
const renumber = (recorded: string, change: (sequenceId: number) => number): string => {
  const bytes = fromHex(recorded)
  if (bytes.length < 12 || bytes[0] === 0xde) return recorded
  const view = new DataView(bytes.buffer)
  if (hasHeader(bytes)) view.setInt32(8, change(view.getInt32(8)))
  const { message, sequence } = places(bytes)
  if (view.getUint16(message) === 0x8001) view.setInt32(sequence, change(view.getInt32(sequence)))
  return hex(bytes)
}

// Written by the connection itself, whatever the handler says.
const written = new Set(["crrst", "crc32c"])
const stringsOf = (recorded: Recorded) => (recorded.header?.strings ?? []).filter(([key]) => !written.has(key))

/** Does what Kitex's handler did: the recorded answer, if there is one. */
const answerAs = (call: RawServerCall, response: Recorded | undefined, close: boolean) => {
  if (response === undefined) return close ? call.abort() : call.finish()
  const body = bodyOf(response.hex)
  if (response.type === 2) call.reply(body, encodeBytes, stringsOf(response))
  else call.exception(readException(body, 0, body.length), stringsOf(response), close)
}

const sorted = (entries: Iterable<readonly [string | number, string]>) =>
  [...entries].sort(([a], [b]) => (String(a) < String(b) ? -1 : 1))

describe("recorded exchanges", () => {
  it("requests are read by our server, and its answers are those of Kitex", () => {
    let read = 0
    for (const { name, requests, responses } of golden.exchanges) {
      const pending = [...responses]
      const server = new TestServer((call) => {
        const request = requests[server.calls.length - 1]!
        assert.strictEqual(call.method, request.method, name)
        assert.strictEqual(call.encoding, request.encoding, name)
        assert.strictEqual(call.sequenceId, request.sequenceId, name)
        assert.strictEqual(call.oneway, request.type === 4, name)
        assert.strictEqual(hex(call.take(decodeBytes)), hex(bodyOf(request.hex)), name)
        assert.strictEqual(call.size, bodyOf(request.hex).length, name)
        const header = request.header
        assert.deepStrictEqual(sorted(call.header?.strings ?? []), sorted(header?.strings ?? []), name)
        assert.deepStrictEqual(sorted(call.header?.ints ?? []), sorted(header?.ints ?? []), name)
        assert.strictEqual(call.header?.flags, header?.flags, name)
        assert.strictEqual(call.service, header?.strings.find(([key]) => key === "isn")?.[1] ?? "", name)
        const timeout = header?.ints.find(([key]) => key === 12)?.[1]
        assert.strictEqual(call.timeoutMillis, timeout === undefined ? undefined : Number(timeout), name)
        answerAs(call, pending.shift(), false)
        read++
      })
      for (const request of requests) server.receive(request.hex)
      assert.isUndefined(server.ended, name)
      assert.strictEqual(server.engine.active, 0, name)
      // What a client reads of our answer is what it read of Kitex's.
      const ours = answersOf(server.sent())
      assert.strictEqual(ours.length, responses.length, name)
      for (const [i, response] of responses.entries()) {
        const kitex = answersOf(response.hex)[0]!
        // A byte that is no UTF-8 goes out as U+FFFD.
        if (name.startsWith("unicode-error"))
          Object.assign(kitex, { body: kitex.body.replace("00000018", "0000001a").replace("0aff", "0aefbfbd") })
        assert.deepStrictEqual({ ...ours[i]!, ints: {} }, { ...kitex, ints: {}, strings: ours[i]!.strings }, name)
        const strings = Object.entries(ours[i]!.strings).filter(([key]) => key !== "crrst")
        assert.deepStrictEqual(sorted(strings), sorted(stringsOf(response)), name)
        if (ours[i]!.encoding.startsWith("tt")) assert.strictEqual(ours[i]!.ints[22], String(response.type), name)
      }
    }
    assert.isAbove(read, 160)
  })

  it("requests of our client are those of Kitex's, byte for byte", () => {
    for (const { name, requests } of golden.exchanges) {
      for (const request of requests) {
        // Kitex puts the checksum anywhere among the strings.
        const header = request.header ?? { ints: [], strings: [], flags: 0 }
        const checksum = header.strings.some(([key]) => key === "crc32c")
        const strings = header.strings.filter(([key]) => key !== "crc32c")
        const client = new TestClient({ checksum })
        const call = client.engine.send(
          outgoing(new Outcome(), {
            method: request.method,
            oneway: request.type === 4,
            args: bodyOf(request.hex),
            header: { ints: header.ints, strings }
          }),
          request.encoding,
          header.flags === 1 ? "multiplexed" : "pooled"
        )
        assert.strictEqual(call.sentBytes, bodyOf(request.hex).length, name)
        const sent = renumber(client.sent(), () => request.sequenceId)
        if (checksum) assert.strictEqual(sent.length, request.hex.length, name)
        else assert.strictEqual(sent, request.hex, name)
      }
    }
  })

  it("answers are read by our client", () => {
    let read = 0
    for (const { name, requests, responses } of golden.exchanges) {
      for (const [i, response] of responses.entries()) {
        const client = new TestClient()
        const outcome = new Outcome()
        const { encoding, header, method } = requests[i]!
        const mode = header?.flags === 1 ? "multiplexed" : "pooled"
        const call = client.engine.send(outgoing(outcome, { method }), encoding, mode)
        client.sent()
        client.receive(renumber(response.hex, () => call.sequenceId))
        const body = bodyOf(response.hex)
        assert.strictEqual(outcome.replies, 1, name)
        assert.strictEqual(outcome.size, body.length, name)
        assert.deepStrictEqual(sorted(outcome.header?.strings ?? []), sorted(response.header?.strings ?? []), name)
        assert.deepStrictEqual(sorted(outcome.header?.ints ?? []), sorted(response.header?.ints ?? []), name)
        if (response.type === 2) assert.strictEqual(outcome.result, hex(body), name)
        else assert.deepStrictEqual(outcome.exception, readException(body, 0, body.length), name)
        // Kitex drops a connection behind every exception.
        assert.deepStrictEqual(client.usable, [response.type === 2], name)
        assert.isUndefined(client.ended, name)
        read++
      }
    }
    assert.isAbove(read, 130)
  })
})

interface Answer {
  readonly encoding: Encoding
  readonly type: number
  readonly method: string
  readonly sequenceId: number
  readonly body: string
  readonly strings: Readonly<Record<string, string>>
  readonly ints: Readonly<Record<number, string>>
}

/** Answers one behind the other, read as requests are: both have one form. */
const answersOf = (bytes: string): Array<Answer> => {
  const answers: Array<Answer> = []
  let left = fromHex(bytes)
  while (left.length > 0) {
    const { body, message, sequence } = places(left)
    const view = new DataView(left.buffer, left.byteOffset)
    const type = view.getUint16(message + 2)
    const shown = left.slice()
    new DataView(shown.buffer).setUint16(message + 2, 1)
    const server = new TestServer((call) => call.take(decodeBytes), { maxConcurrentCalls: 1 })
    server.receive(shown)
    const call = server.calls[0]!
    answers.push({
      encoding: call.encoding,
      type,
      method: call.method,
      sequenceId: view.getInt32(sequence),
      body: hex(left.subarray(body, body + call.size)),
      strings: Object.fromEntries(call.header?.strings ?? []),
      ints: Object.fromEntries(call.header?.ints ?? [])
    })
    left = left.subarray(body + call.size)
  }
  return answers
}

describe("recorded probes", () => {
  for (const probe of golden.probes) {
    it(probe.name, () => {
      const pending = [...probe.responses]
      const server = new TestServer(
        (call) => {
          call.take(decodeBytes)
          // Requests of oneway methods are not answered.
          const wanted = pending[0]?.method === call.method ? pending.shift() : undefined
          answerAs(call, wanted, probe.closed && pending.length === 0)
        },
        { checksum: probe.checksum ?? false, maxCallSize: probe.maxCallSize ?? 1000 }
      )
      server.receive(probe.hex)
      assert.strictEqual(server.ended !== undefined, probe.closed)
      assert.strictEqual(pending.length, 0)
      const ours = answersOf(server.sent())
      const kitex = probe.responses.flatMap((response) => answersOf(response.hex))
      for (const answer of kitex) {
        // A server without the handler of TTHeaders writes no int keys.
        if (!probe.meta && answer.encoding.startsWith("tt")) Object.assign(answer.ints, { 22: String(answer.type) })
        if (probe.name === "tth-flag-1") Object.assign(answer.ints, { 0x4d52: "1" })
      }
      assert.deepStrictEqual(ours, kitex)
    })
  }
})

describe("recorded fakes", () => {
  for (const fake of golden.fakes) {
    it(fake.name, () => {
      const client = new TestClient()
      const outcome = new Outcome()
      // The layer above reads results: here, a string that does not fit is what fails.
      outcome.decode = (bytes, start, end) => {
        const text = Buffer.from(bytes.subarray(start, end)).toString("hex")
        if (text.includes("000000097")) throw new Error("read field 1 'message' error: ReadString: buf too small")
        return text
      }
      const call = client.engine.send(outgoing(outcome), fake.encoding, "pooled")
      client.sent()
      if (fake.hex !== "") {
        client.receive(renumber(fake.hex, (sequenceId) => call.sequenceId + sequenceId - fake.sequenceId))
      }
      if (outcome.ends === 0) client.engine.end({ _tag: "PeerClosed" })
      assert.strictEqual(outcome.ends, 1)
      assert.strictEqual(client.callsEnded, 1)
      assert.strictEqual(client.engine.usable, fake.reusable)
      const text =
        outcome.exception?.message ?? outcome.failed?.desc ?? (outcome.decodeError as Error | undefined)?.message
      if (fake.error === undefined || /^(AppErr|biz error)/.test(fake.error)) {
        assert.isUndefined(text)
        assert.isString(outcome.result)
        return
      }
      if (fake.name === "exception-extra-string-field-last") {
        // Kitex cannot read it (it measures the unknown member wrongly); we can.
        assert.deepStrictEqual(outcome.exception, { message: "x", type: 6 })
        return
      }
      if (outcome.exception !== undefined) assert.strictEqual(outcome.exception.type, fake.code)
      const expected = fake.error
        .replace(/^remote or network error(\[remote\])?: /, "")
        .replace(/expect\[\d+\]/, `expect[${call.sequenceId}]`)
        .replace(/receive\[\d+\]/, `receive[${call.sequenceId + 5}]`)
        .replace(/^\*wire.*Response /, "")
      assert.strictEqual(text, expected)
    })
  }
})
