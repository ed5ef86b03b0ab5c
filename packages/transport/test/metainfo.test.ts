import { assert, describe, it } from "@effect/vitest"
import { readHeader } from "../src/internal/ttheader/header.ts"
import { requestMetadata } from "../src/internal/grpc/metadata.ts"
import { fromCallHeader, fromMetadata, headerName, receivedKey, toStrings } from "../src/Metainfo.ts"
import type { CallHeader } from "../src/RawCall.ts"
import { fromHex } from "./http2/raw.ts"

const header = (strings: Readonly<Record<string, string>>): CallHeader => ({
  flags: 0,
  ints: new Map(),
  strings: new Map(Object.entries(strings))
})

const read = (of: CallHeader | undefined) => {
  const { persistent, transient } = fromCallHeader(of)
  return { persistent: [...persistent], transient: [...transient] }
}

describe("metainfo of a TTHeader", () => {
  it("keys as they are, without their prefix", () => {
    assert.deepStrictEqual(
      read(
        header({
          isn: "EchoService",
          RPC_TRANSIT_temp: "v",
          "RPC_PERSIST_log-Id": "12345",
          RPC_PERSIST___proto__: "p",
          RPC_OTHER: "x",
          rpc_transit_lower: "x"
        })
      ),
      {
        persistent: [
          ["log-Id", "12345"],
          ["__proto__", "p"]
        ],
        transient: [["temp", "v"]]
      }
    )
  })

  it("what was transient for the sender has ended", () => {
    assert.deepStrictEqual(read(header({ RPC_TRANSIT_UPSTREAM_u: "1", RPC_TRANSIT_UPSTREAM: "2" })), {
      persistent: [],
      transient: [["UPSTREAM", "2"]]
    })
  })

  it("empty keys and values do not count", () => {
    assert.deepStrictEqual(
      read(header({ RPC_TRANSIT_: "a", RPC_PERSIST_: "b", RPC_TRANSIT_t: "", RPC_PERSIST_p: "" })),
      { persistent: [], transient: [] }
    )
  })

  it("of an ACL block and of headers that Kitex was sent", () => {
    // with the key of a sender's transient value, and one without a prefix
    const upstream = fromHex(
      "0000006a1000000000000001000f000001000300165250435f5452414e5349545f555053545245414d5f75000131000d5250435f5452414e5349545f7400013200056f74686572000133000000"
    )
    assert.deepStrictEqual(read(readHeader(upstream, 0, 14 + 60)), { persistent: [], transient: [["t", "2"]] })
    const token = fromHex(
      "0000004e100000000000000100080000110003746f6b010001000369736e000d476f6c64656e5365727669636500".padEnd(92, "0")
    )
    assert.deepStrictEqual(read(readHeader(token, 0, token.length)), {
      persistent: [],
      transient: [["gdpr-token", "tok"]]
    })
  })

  it("none without a header, and without strings", () => {
    assert.deepStrictEqual(read(undefined), { persistent: [], transient: [] })
    assert.deepStrictEqual(read(header({})), { persistent: [], transient: [] })
  })
})

describe("metainfo of headers", () => {
  it("keys are folded both ways", () => {
    const keys = ["COUNT", "Foo", "error", "x-y", "HELLO_WORLD", "HELLO-WORLD", "a.b", "__proto__"]
    assert.deepStrictEqual(
      keys.map((key) => [headerName.transient(key), receivedKey(key)]),
      [
        ["rpc-transit-count", "COUNT"],
        ["rpc-transit-foo", "FOO"],
        ["rpc-transit-error", "ERROR"],
        ["rpc-transit-x-y", "X_Y"],
        ["rpc-transit-hello-world", "HELLO_WORLD"],
        ["rpc-transit-hello-world", "HELLO_WORLD"],
        ["rpc-transit-a.b", "A.B"],
        ["rpc-transit---proto--", "__PROTO__"]
      ]
    )
    assert.strictEqual(headerName.persistent("A_B"), "rpc-persist-a-b")
  })

  it("the first value of a header counts, empty keys and values do not", () => {
    const metadata = requestMetadata([
      "rpc-transit-a",
      "1",
      "rpc-transit-a",
      "2",
      "rpc-transit-",
      "x",
      "rpc-persist-b",
      "",
      "rpc-persist-c",
      "3"
    ])
    const { persistent, transient } = fromMetadata(metadata)
    assert.deepStrictEqual([...transient], [["A", "1"]])
    assert.deepStrictEqual([...persistent], [["C", "3"]])
  })
})

it("metainfo goes into a TTHeader verbatim", () => {
  assert.deepStrictEqual(toStrings({ transient: new Map([["t-A", "1"]]), persistent: new Map([["__proto__", "2"]]) }), [
    ["RPC_TRANSIT_t-A", "1"],
    ["RPC_PERSIST___proto__", "2"]
  ])
})
