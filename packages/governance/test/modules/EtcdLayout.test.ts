/** Keys and values are those of registry-etcd; what others wrote is read as Kitex reads it, or left out. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema, Stream } from "effect"
import { jsonLines } from "../../src/internal/etcd/jsonLines.ts"
import {
  decodeInstance,
  encodeInstance,
  instanceKey,
  serviceRange,
  whyNoService
} from "../../src/internal/etcd/layout.ts"
import { AnyInstance, instanceOf, Text } from "../support/etcd.ts"

const text = (base64: string) => Buffer.from(base64, "base64").toString()
const base64 = (plain: string) => Buffer.from(plain).toString("base64")

describe("keys and values", () => {
  it("are those of registry-etcd", () => {
    const prefix = "kitex/registry-etcd"
    assert.strictEqual(text(instanceKey(prefix, "echo", "127.0.0.1:8888")), "kitex/registry-etcd/echo/127.0.0.1:8888")
    assert.deepStrictEqual(Object.values(serviceRange(prefix, "echo")).map(text), [
      "kitex/registry-etcd/echo/",
      "kitex/registry-etcd/echo0"
    ])
    assert.strictEqual(text(instanceKey("", "echo", "a:1")), "/echo/a:1")
    assert.strictEqual(
      encodeInstance({ address: "127.0.0.1:8888", weight: 10, tags: {} }),
      `{"network":"tcp","address":"127.0.0.1:8888","weight":10,"tags":null}`
    )
    assert.strictEqual(
      encodeInstance({ address: "unix:/run/a.sock", weight: 7, tags: { az: "b" } }),
      `{"network":"unix","address":"/run/a.sock","weight":7,"tags":{"az":"b"}}`
    )
  })

  it("of one service are not those of another", () => {
    const { key, range_end } = serviceRange("p", "echo")
    const within = (service: string) => {
      const name = text(instanceKey("p", service, "a:1"))
      return name >= text(key) && name < text(range_end)
    }
    assert.deepStrictEqual(["echo", "echo2", "ech", "echo-", "echo.a", "Echo", "a"].filter(within), ["echo"])
  })

  it("services have names without a slash", () => {
    assert.isUndefined(whyNoService("echo.svc"))
    assert.match(whyNoService("a/b")!, /^the service "a\/b" has a "\/" in its name/)
    assert.match(whyNoService("")!, /^the name of the service is empty/)
  })

  it.prop(
    "come back as they went",
    [AnyInstance],
    ([any]) => {
      const instance = instanceOf(any)
      assert.deepStrictEqual(decodeInstance(base64(encodeInstance(instance)), 10), instance)
    },
    { arbitrary: { runs: 300 } }
  )
})

describe("a value that is there", () => {
  const read: ReadonlyArray<readonly [value: string, instance: ReturnType<typeof decodeInstance>]> = [
    [`{"network":"tcp","address":"a:1","weight":3,"tags":null}`, { address: "a:1", weight: 3, tags: {} }],
    [`{"network":"tcp","address":"a:1","weight":0,"tags":{"k":"v"}}`, { address: "a:1", weight: 10, tags: { k: "v" } }],
    [`{"address":"a:1","weight":-4}`, { address: "a:1", weight: 10, tags: {} }],
    [`{"address":"a:1","tags":{},"other":[1]}`, { address: "a:1", weight: 10, tags: {} }],
    // Kitex writes IPv6 like this
    [`{"network":"tcp","address":"fe80::1:8888","weight":1}`, { address: "[fe80::1]:8888", weight: 1, tags: {} }],
    [`{"network":"tcp","address":"[fe80::1]:8888","weight":1}`, { address: "[fe80::1]:8888", weight: 1, tags: {} }],
    [`{"network":"unix","address":"/a","weight":1}`, { address: "unix:/a", weight: 1, tags: {} }],
    ["", "it is no JSON object"],
    ["null", "it is no JSON object"],
    [`{"network":`, "it is no JSON object"],
    ["[]", "it has no address"],
    ["{}", "it has no address"],
    [`{"address":""}`, "it has no address"],
    [`{"address":7}`, "it has no address"],
    [`{"address":"a:1","weight":"10"}`, "its weight is no whole number"],
    [`{"address":"a:1","weight":1.5}`, "its weight is no whole number"],
    [`{"address":"a:1","weight":1e999}`, "its weight is no whole number"],
    [`{"address":"a:1","tags":["x"]}`, "its tags are no texts by name"],
    [`{"address":"a:1","tags":{"x":1}}`, "its tags are no texts by name"],
    [`{"address":"a"}`, "its address has no port"],
    [`{"address":"a:99999"}`, "its address has no port"],
    [`{"address":":1"}`, "its address has no port"]
  ]
  for (const [value, expected] of read) {
    it(`${value} is ${typeof expected === "string" ? `left out: ${expected}` : expected.address}`, () =>
      assert.deepStrictEqual(decodeInstance(base64(value), 10), expected))
  }

  it("that is no base64 is left out", () => assert.strictEqual(decodeInstance("*", 10), "it is no base64"))

  it.prop(
    "of any kind is an instance with an address, or left out",
    [Schema.Union([Schema.String, Schema.Json])],
    ([any]) => {
      const read = decodeInstance(base64(typeof any === "string" ? any : JSON.stringify(any)), 10)
      assert.isTrue(typeof read === "string" || read.address.length > 0)
    },
    { arbitrary: { runs: 300 } }
  )
})

const Lines = Schema.Struct({
  values: Schema.Array(
    Schema.Union([Text, Schema.Finite, Schema.Null, Schema.Array(Text), Schema.Struct({ a: Text })])
  ),
  cuts: Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 9 }))),
  open: Schema.Boolean
})

const errors = { broken: () => "broken", strange: (why: string) => why }

describe("answers, one a line", () => {
  it.effect.prop(
    "are the same however their bytes are cut",
    [Lines],
    ([{ cuts, open, values }]) =>
      Effect.gen(function* () {
        const bytes = Buffer.from(values.map((value) => JSON.stringify(value)).join("\n") + (open ? "" : "\n"))
        const pieces: Array<Uint8Array> = []
        for (let at = 0, i = 0; at < bytes.length; i++) {
          const size = cuts.length === 0 ? 5 : cuts[i % cuts.length]!
          pieces.push(bytes.subarray(at, at + size))
          at += size
        }
        const read = yield* Stream.runCollect(jsonLines(Stream.fromIterable(pieces), 1_000_000, errors))
        assert.deepStrictEqual(read, JSON.parse(JSON.stringify(values)))
      }),
    { arbitrary: { runs: 200 } }
  )

  it.effect("end where one is too long, before more of it is read", () =>
    Effect.gen(function* () {
      let pulled = 0
      const endless = Stream.forever(Stream.sync(() => (pulled++, new Uint8Array(1000).fill(0x20))))
      assert.strictEqual(
        yield* Effect.flip(Stream.runCollect(jsonLines(endless, 10_000, errors))),
        "more than 10000 bytes at once"
      )
      assert.isAtMost(pulled, 12)
    })
  )

  it.effect("may be long in sum", () =>
    Effect.gen(function* () {
      const many = Stream.fromIterable(Array.from({ length: 100 }, () => Buffer.from(`"${"x".repeat(50)}"\n`)))
      assert.lengthOf(yield* Stream.runCollect(jsonLines(many, 60, errors)), 100)
    })
  )

  it.effect("that are none end the stream", () =>
    Effect.gen(function* () {
      const seen: Array<unknown> = []
      const lines = Stream.tap(jsonLines(Stream.make(Buffer.from("1\n<html>\n2\n")), 60, errors), (value) =>
        Effect.sync(() => void seen.push(value))
      )
      assert.strictEqual(yield* Effect.flip(Stream.runDrain(lines)), "something that is no JSON")
      assert.notInclude(seen, 2)
    })
  )
})
