import { assert, describe, it } from "@effect/vitest"
import { decodeBase64, encodeBase64 } from "../../src/internal/base64.ts"
import { decodeMessage, encodeMessage } from "../../src/internal/grpc/message.ts"
import { appendEntries, requestMetadata, responseMetadata, toLatin1 } from "../../src/internal/grpc/metadata.ts"
import { encodeRequestHeaders, parseRequestHeaders, userAgent } from "../../src/internal/grpc/requestHeaders.ts"
import { encodeResponseHeaders, parseResponseHead } from "../../src/internal/grpc/responseHeaders.ts"
import { codeOfReset, textOfReset } from "../../src/internal/grpc/status.ts"
import { decodeTimeout, encodeTimeout } from "../../src/internal/grpc/timeout.ts"
import { encodeTrailers, parseTrailers } from "../../src/internal/grpc/trailers.ts"
import { refusal } from "../../src/Metadata.ts"
import * as StatusDetails from "../../src/StatusDetails.ts"

const base = [":path", "/echo.TestService/Echo", "content-type", "application/grpc+thrift"]

describe("grpc-timeout", () => {
  it("takes the finest unit that fits eight digits", () => {
    assert.strictEqual(encodeTimeout(98.60381), "98603810n")
    assert.strictEqual(encodeTimeout(299.16), "299160u")
    assert.strictEqual(encodeTimeout(1_996_407.5), "1996408m")
    assert.strictEqual(encodeTimeout(0), "0n")
    assert.strictEqual(encodeTimeout(-1), "0n")
    assert.strictEqual(encodeTimeout(Infinity), "99999999H")
  })
  it("is read back in milliseconds, negative ones as passed", () => {
    assert.strictEqual(decodeTimeout("5S"), 5000)
    assert.strictEqual(decodeTimeout("299163u"), 299.163)
    assert.strictEqual(decodeTimeout("-1S"), -1000)
    assert.strictEqual(decodeTimeout("99999999H"), Infinity)
  })
  it("says what is malformed", () => {
    assert.strictEqual(decodeTimeout("1"), 'transport: timeout string is too short: "1"')
    assert.strictEqual(decodeTimeout("123456789n"), 'transport: timeout string is too long: "123456789n"')
    assert.strictEqual(decodeTimeout("10x"), 'transport: timeout unit is not recognized: "10x"')
    assert.isString(decodeTimeout("1.5S"))
  })
})

describe("grpc-message", () => {
  it("is percent coded UTF-8", () => {
    assert.strictEqual(encodeMessage("错误 100%\n\ud800"), "%E9%94%99%E8%AF%AF 100%25%0A%EF%BF%BD")
    assert.strictEqual(decodeMessage("%E9%94%99%E8%AF%AF 100%25%0A%EF%BF%BD"), "错误 100%\n\ufffd")
  })
  it("keeps a percent sign without two digits", () => {
    assert.strictEqual(decodeMessage("a%20b%zz%"), "a b%zz%")
    assert.strictEqual(decodeMessage("%4"), "%4")
  })
})

describe("metadata", () => {
  const list = (entries: Parameters<typeof appendEntries>[1]) => {
    const out: Array<string> = []
    const error = appendEntries(out, entries)
    return error ?? out
  }
  it("drops reserved names, keeps repeated ones, encodes -bin without padding", () => {
    assert.deepStrictEqual(
      list([
        ["content-type", "x"],
        [":path", "x"],
        ["te", "x"],
        ["biz-status", "1"],
        ["a", "1"],
        ["a", "2"],
        ["k-bin", Uint8Array.of(0xfb, 0xff)]
      ]),
      ["a", "1", "a", "2", "k-bin", "+/8"]
    )
  })
  it("refuses names and values that a header cannot have", () => {
    const name = "names are made of lower-case letters, digits and !#$%&'*+-.^_`|~"
    const control = "a control character is in it, such values need a key in -bin"
    const refused: ReadonlyArray<readonly [string, string | Uint8Array, string]> = [
      ["HELLO", "1", 'invalid header field name "HELLO": names are lower case, write "hello"'],
      ["", "1", `invalid header field name "": ${name}`],
      ["a b", "1", `invalid header field name "a b": ${name}`],
      ["a\r\nb", "1", `invalid header field name "a\\r\\nb": ${name}`],
      ["中", "1", `invalid header field name "中": ${name}`],
      [
        "A".repeat(70),
        "1",
        `invalid header field name "${"A".repeat(64)}...": names are lower case, write "${"a".repeat(64)}..."`
      ],
      ["a", "1\r\nb: 2", `invalid header field value for "a": ${control}`],
      ["a", "\u0000", `invalid header field value for "a": ${control}`],
      ["a", "\u007f", `invalid header field value for "a": ${control}`],
      ["a", Uint8Array.of(1), 'invalid header field value for "a": bytes need a key in -bin'],
      // Under a key in -bin nobody would look for them.
      ...["stream-log-id", "rpc-transit-k", "rpc-persist-k", "source-service", "destination-method"].map(
        (key) =>
          [key, "a\nb", `invalid header field value for "${key}": it takes text without control characters`] as const
      )
    ]
    for (const [key, value, why] of refused) {
      assert.strictEqual(list([[key, value]]), why)
      assert.strictEqual(refusal(key, value), why)
    }
    for (const key of ["grpc-status", "te", ":path"]) {
      const why = `invalid header field name "${key}": the name belongs to the protocol, choose another`
      assert.strictEqual(refusal(key, "1"), why)
    }
    for (const key of ["__proto__", "constructor", "a-bin"]) assert.isUndefined(refusal(key, "1"))
    assert.isUndefined(refusal("a", "\ttab, 中"))
    assert.isUndefined(refusal("a-bin", "\r\n"))
  })
  it("carries text as UTF-8 bytes", () => {
    const out = list([["a", "错"]]) as ReadonlyArray<string>
    assert.deepStrictEqual(out, ["a", "\xe9\x94\x99"])
    assert.strictEqual(requestMetadata(out).get("A"), "错")
  })
  it("knows the names of a trace, and looks at their values all the same", () => {
    for (const key of ["traceparent", "rpc-transit-traceparent", "baggage", "stream-log-id"]) {
      const sent = (value: string) => {
        const list: Array<string> = []
        return appendEntries(list, [[key, value]]) ?? list
      }
      for (const value of ["", "a", "a b", "~!"]) assert.deepStrictEqual(sent(value), [key, value])
      for (const value of [" a", "a ", " a\t", "\ta "]) assert.deepStrictEqual(sent(value), [key, "a"])
      assert.deepStrictEqual(sent("é"), [key, toLatin1("é")])
      for (const value of ["a\nb", "a\u0000", "\u007f"]) assert.include(sent(value), "control character")
    }
  })

  it("cuts space around a value, and no byte of a character that looks like space", () => {
    assert.deepStrictEqual(
      list([
        ["a", " \tx y\t "],
        ["b", " \t "]
      ]),
      ["a", "x y", "b", ""]
    )
    for (const text of ["voilà", "à", "\u00a0", "\ufeff"]) {
      assert.strictEqual(requestMetadata(list([["a", text]]) as ReadonlyArray<string>).get("a"), text)
    }
    const long = `${" ".repeat(500_000)}x`
    assert.deepStrictEqual(list([["a", `y${long}`]]), ["a", `y${long}`])
  })
  it("carries bytes of any kind, and text under a key of bytes", () => {
    const all = Uint8Array.from({ length: 256 }, (_, i) => i)
    const metadata = requestMetadata(
      list([
        ["a-bin", all],
        ["a-bin", ""],
        ["b-bin", "\r\n中"]
      ]) as ReadonlyArray<string>
    )
    assert.deepStrictEqual(metadata.getAll("a-bin"), [all, new Uint8Array(0)])
    assert.strictEqual(metadata.get("b-bin"), "\r\n中")
  })
  it("shows a handler who calls, and hides what the protocol uses", () => {
    const metadata = requestMetadata([":path", "/x", ":authority", "svc", ...base.slice(2), "te", "trailers", "a", "1"])
    assert.deepStrictEqual([...metadata.keys()], [":authority", "content-type", "a"])
  })
  it("has no prototype to poison", () => {
    const metadata = responseMetadata(["__proto__", "1", "constructor", "2"])
    assert.strictEqual(metadata.get("__proto__"), "1")
    assert.strictEqual(metadata.get("constructor"), "2")
    assert.strictEqual(metadata.get("tostring"), undefined)
  })
  it("reads -bin padded or not, and drops what does not decode", () => {
    assert.deepStrictEqual(decodeBase64("+/8"), Uint8Array.of(0xfb, 0xff))
    assert.deepStrictEqual(decodeBase64("+/8="), Uint8Array.of(0xfb, 0xff))
    assert.strictEqual(decodeBase64("+/8=="), undefined)
    assert.strictEqual(decodeBase64("a"), undefined)
    assert.strictEqual(decodeBase64("*"), undefined)
    assert.strictEqual(encodeBase64(new Uint8Array(0)), "")
    assert.deepStrictEqual([...responseMetadata(["x-bin", "*", "x-bin", "AA"]).getAll("x-bin")], [Uint8Array.of(0)])
  })
  it("is one object for a header list that comes again, which is frozen", () => {
    const headers = Object.freeze(["a", "1"])
    assert.strictEqual(requestMetadata(headers), requestMetadata(headers))
    const once = ["a", "1"]
    assert.notStrictEqual(requestMetadata(once), requestMetadata(once))
  })

  it("gives copies of bytes and lists, because other calls may have the same", () => {
    const metadata = requestMetadata(Object.freeze(["a-bin", "AQI", "b", "1"]))
    const [bytes] = metadata.getAll("a-bin") as [Uint8Array]
    bytes.fill(9)
    ;(metadata.getAll("b") as Array<string>).push("2")
    assert.deepStrictEqual([metadata.getAll("a-bin"), metadata.getAll("b")], [[Uint8Array.of(1, 2)], ["1"]])
  })

  it("gives the same for one look and for many", () => {
    const list = ["a", "1", "t-bin", "???", "t-bin", "aGk", "te", "2", "content-type", "x", ":path", "/", "a", "3"]
    const [one, many] = [requestMetadata(list), requestMetadata(list)]
    assert.deepStrictEqual([...many.keys()], ["a", "t-bin", "content-type"])
    for (const key of ["a", "t-bin", "te", "content-type", ":path", "none"]) {
      assert.strictEqual(one.get(key), many.get(key), key)
    }
    assert.strictEqual(one.get("t-bin"), "hi")
  })
})

describe("request headers", () => {
  it("go out in Kitex's order", () => {
    assert.deepStrictEqual(
      encodeRequestHeaders({
        scheme: "http",
        path: "/echo.TestService/Echo",
        authority: "echo",
        compressor: "gzip",
        timeoutMillis: 1000,
        metadata: [["k", "v"]]
      }),
      [
        ":method",
        "POST",
        ":scheme",
        "http",
        ":path",
        "/echo.TestService/Echo",
        ":authority",
        "echo",
        "content-type",
        "application/grpc+thrift",
        "user-agent",
        userAgent,
        "te",
        "trailers",
        "grpc-encoding",
        "gzip",
        "grpc-accept-encoding",
        "gzip",
        "grpc-timeout",
        "1000000u",
        "k",
        "v"
      ]
    )
  })
  it("are read for service, method, codec and limits", () => {
    const head = parseRequestHeaders([...base, "grpc-timeout", "1S", "grpc-accept-encoding", "snappy, gzip"])
    assert.deepInclude(head, { package: "echo", service: "TestService", method: "Echo", thrift: true })
    assert.deepInclude(head, { timeoutMillis: 1000, accepts: ["snappy", "gzip"] })
  })
})

describe("response headers", () => {
  it("carry the request's content type and the chosen encoding", () => {
    assert.deepStrictEqual(encodeResponseHeaders("application/grpc+thrift", "gzip", [["k", "v"]]), [
      ":status",
      "200",
      "content-type",
      "application/grpc+thrift",
      "grpc-encoding",
      "gzip",
      "k",
      "v"
    ])
  })
  it("that are not gRPC become a status", () => {
    const codes = ["400", "401", "403", "404", "429", "502", "503", "504", "418"].map((status) => {
      const head = parseResponseHead([":status", status])
      return head._tag === "NotGrpc" ? head.code : undefined
    })
    assert.deepStrictEqual(codes, [13, 16, 7, 12, 14, 14, 14, 14, 2])
  })
})

describe("trailers", () => {
  it("carry business errors, escaped as Go does", () => {
    assert.deepStrictEqual(
      encodeTrailers(undefined, { code: 13, message: "no", biz: { code: -7, extra: { k: "<&>错" } } }, [["t", "v"]]),
      [
        "grpc-status",
        "13",
        "grpc-message",
        "no",
        "biz-status",
        "-7",
        "biz-extra",
        `{"k":"\\u003c\\u0026\\u003e${toLatin1("错")}"}`,
        "t",
        "v"
      ]
    )
  })
  it("come back as they went", () => {
    const status = { code: 13, message: "错\n", biz: { code: 404, extra: { k: "<&>错" } } }
    const back = parseTrailers(encodeTrailers(undefined, status, []) as ReadonlyArray<string>)
    assert.isObject(back)
    assert.deepStrictEqual(JSON.parse(JSON.stringify(back)), status)
  })
  it("details override status and message", () => {
    // google.rpc.Status{ code: 5, message: "nf" }
    const details = Uint8Array.of(0x08, 5, 0x12, 2, 0x6e, 0x66)
    const back = parseTrailers(["grpc-status", "13", "grpc-status-details-bin", encodeBase64(details)])
    assert.deepInclude(back, { code: 5, message: "nf" })
  })
  it("details that are no status are malformed", () => {
    for (const bytes of [[0x08], [0x12, 5, 0x6e], [0x0b], [0x1a, 1, 0x0a]]) {
      assert.strictEqual(
        parseTrailers(["grpc-status", "13", "grpc-status-details-bin", encodeBase64(Uint8Array.from(bytes))]),
        "transport: malformed grpc-status-details-bin: not a google.rpc.Status"
      )
    }
  })
  it("details go out in the place where Kitex has them, and come back", () => {
    const details = StatusDetails.encode({ code: 5, message: "nf", details: [] })
    const status = { code: 5, message: "nf", biz: { code: 404, extra: {} }, details }
    const list = encodeTrailers(undefined, status, [["t", "v"]]) as ReadonlyArray<string>
    assert.deepStrictEqual(
      list.filter((_, i) => i % 2 === 0),
      ["grpc-status", "grpc-message", "biz-status", "grpc-status-details-bin", "t"]
    )
    assert.deepStrictEqual(parseTrailers(list), { code: 5, message: "nf", biz: { code: 404, extra: {} }, details })
  })
  it("a status beyond int32 is malformed, not a crash", () => {
    assert.strictEqual(
      parseTrailers(["grpc-status", "4294967296"]),
      'transport: malformed grpc-status: strconv.Atoi: parsing "4294967296": value out of range'
    )
  })
  it("say when a refused caller may try again, behind all of Kitex's", () => {
    const refused = { code: 8, message: "no", retryAfterMillis: 1500 }
    const list = encodeTrailers(undefined, { ...refused, details: undefined }, [["t", "v"]]) as ReadonlyArray<string>
    assert.deepStrictEqual(list.slice(4), ["grpc-retry-pushback-ms", "1500", "t", "v"])
    assert.deepStrictEqual(parseTrailers(list), refused)
    const said = (retryAfterMillis: number, code = 8) =>
      (encodeTrailers(undefined, { code, message: "", retryAfterMillis }, []) as ReadonlyArray<string>)[5]
    assert.deepStrictEqual(
      [0, 0.1, 99.5, 1e9].map((millis) => said(millis)),
      ["0", "1", "100", "3600000"]
    )
    assert.deepStrictEqual(
      [-1, NaN, Infinity].map((millis) => said(millis)),
      [undefined, undefined, "3600000"]
    )
    assert.isUndefined(said(1, 0))
  })
  it("a time to try again that is none is not there", () => {
    const heard = (value: string) => {
      const status = parseTrailers(["grpc-status", "8", "grpc-retry-pushback-ms", value])
      return typeof status === "string" ? status : status.retryAfterMillis
    }
    assert.deepStrictEqual(["0", "007", "3600000", "9999999999"].map(heard), [0, 7, 3_600_000, 3_600_000])
    for (const value of ["", "-1", "+1", "1.5", " 1", "1e3", "0x1", "x", "99999999999"]) {
      assert.isUndefined(heard(value), value)
    }
    assert.deepStrictEqual(parseTrailers(["grpc-status", "0", "grpc-retry-pushback-ms", "5"]), { code: 0, message: "" })
  })
  it("a time to try again is the protocol's: nobody sets it, nobody sees it", () => {
    assert.deepStrictEqual(encodeTrailers(undefined, { code: 8, message: "" }, [["grpc-retry-pushback-ms", "1"]]), [
      "grpc-status",
      "8",
      "grpc-message",
      ""
    ])
    assert.match(refusal("grpc-retry-pushback-ms", "1") ?? "", /belongs to the protocol/)
    assert.isUndefined(responseMetadata(["grpc-retry-pushback-ms", "1"]).get("grpc-retry-pushback-ms"))
  })
  it("extra fields never reach a prototype", () => {
    const back = parseTrailers(["grpc-status", "13", "biz-status", "1", "biz-extra", '{"__proto__":"x"}'])
    assert.isObject(back)
    assert.strictEqual((back as { biz: { extra: Record<string, string> } }).biz.extra["__proto__"], "x")
  })
})

it("resets have Kitex's codes and texts", () => {
  const codes = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 1000].map(codeOfReset)
  assert.deepStrictEqual(codes, [13, 13, 13, 8, 13, 13, 13, 14, 1, 13, 13, 8, 7, 13, 2, 14])
  assert.strictEqual(textOfReset(14), "stream terminated by RST_STREAM with error code: unknown error code 0xe")
  assert.strictEqual(textOfReset(1000), "graceful shutdown")
})
