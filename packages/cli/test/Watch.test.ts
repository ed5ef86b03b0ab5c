import { assert, describe, it } from "@effect/vitest"
import { vi } from "vitest"
import { folderOf, read, startIn, write } from "./command.ts"

const idl = "namespace go echo\nstruct Request { 1: optional string message }\n"

describe("millrace gen --watch", () => {
  it("writes again on a change, keeps the last good output on errors, and ends with 0", async () => {
    const folder = folderOf({ "api.thrift": `include "base.thrift"\n${idl}`, "base.thrift": "struct Base {}\n" })
    const { child, ended, result } = startIn(folder, "api.thrift", "--watch", "--codec", "none", "-q")
    const lines = (count: number) =>
      vi.waitFor(() => assert.strictEqual(result.stdout.split("\n").length - 1, count), {
        timeout: 10_000,
        interval: 20
      })

    await lines(1)
    assert.match(result.stdout, /^watching: 4 files written in \d+ ms\n$/)

    write(folder, "base.thrift", "struct Base { 1: i32 number }\n")
    await lines(2)
    assert.match(result.stdout, /base\.thrift: 1 file written in \d+ ms\n$/)
    assert.include(read(folder, "gen/base/base.ts"), "number")

    const good = read(folder, "gen/echo/api.ts")
    write(folder, "api.thrift", "struct {")
    await lines(3)
    assert.match(result.stdout, /api\.thrift: failed, the last good output stays in \d+ ms\n$/)
    assert.match(result.stderr, /^api\.thrift:1:\d - error E_SYNTAX/)
    assert.strictEqual(read(folder, "gen/echo/api.ts"), good)

    write(folder, "api.thrift", idl.replace("message", "text"))
    await lines(4)
    assert.match(result.stdout, /api\.thrift: 1 file written in \d+ ms\n$/)
    assert.include(read(folder, "gen/echo/api.ts"), "text")

    child.kill("SIGINT")
    assert.strictEqual((await ended).code, 0)
  })

  it("notices an include that was missing", async () => {
    const folder = folderOf({ "api.thrift": `include "new/base.thrift"\n${idl}` })
    const { child, ended, result } = startIn(folder, "api.thrift", "--watch", "--codec", "none")
    const printed = (pattern: RegExp) =>
      vi.waitFor(() => assert.match(result.stdout, pattern), { timeout: 10_000, interval: 20 })
    await printed(/^watching: failed/)
    write(folder, "new/base.thrift", "struct Base {}\n")
    await printed(/new\/base\.thrift: 4 files written/)
    child.kill("SIGTERM")
    assert.strictEqual((await ended).code, 0)
  })
})
