import { assert, describe, it } from "@effect/vitest"
import { chmodSync, renameSync, rmSync } from "node:fs"
import { join } from "node:path"
import { vi } from "vitest"
import { folderOf, nobody, nobodyRuns, read, startAs, startIn, write } from "./command.ts"

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

  const printedBy = (result: { readonly stdout: string }) => (pattern: RegExp) =>
    vi.waitFor(() => assert.match(result.stdout, pattern), { timeout: 10_000, interval: 20 })

  it("goes on after a folder was replaced", async () => {
    const folder = folderOf({
      "a/idl/api.thrift": idl,
      "b/idl/api.thrift": idl.replace("message", "text"),
      "c/idl/api.thrift": idl
    })
    const { child, ended, result } = startIn(folder, "a/idl/api.thrift", "--watch", "--codec", "none")
    const printed = printedBy(result)
    await printed(/^watching: 2 files written/)

    // a folder of the same name, then one above it, each a new one
    renameSync(join(folder, "a/idl"), join(folder, "old"))
    renameSync(join(folder, "b/idl"), join(folder, "a/idl"))
    await printed(/api\.thrift: 1 file written/)
    assert.include(read(folder, "gen/echo/api.ts"), "text")
    write(folder, "a/idl/api.thrift", idl.replace("message", "second"))
    await vi.waitFor(() => assert.include(read(folder, "gen/echo/api.ts"), "second"), 10_000)

    rmSync(join(folder, "a"), { recursive: true })
    renameSync(join(folder, "c"), join(folder, "a"))
    await vi.waitFor(() => assert.include(read(folder, "gen/echo/api.ts"), "message"), 10_000)
    write(folder, "a/idl/api.thrift", idl.replace("message", "third"))
    await vi.waitFor(() => assert.include(read(folder, "gen/echo/api.ts"), "third"), 10_000)

    child.kill("SIGINT")
    assert.strictEqual((await ended).code, 0)
  })

  it.skipIf(!nobodyRuns())("says which folder it cannot watch, and goes on", async () => {
    const folder = folderOf({ "idl/api.thrift": idl, "gen/x": "" })
    chmodSync(folder, 0o755)
    chmodSync(join(folder, "gen"), 0o777)
    // files in it can be opened, its list cannot be read
    chmodSync(join(folder, "idl"), 0o711)
    const { child, ended, result } = startAs(nobody, folder, "idl/api.thrift", "--watch", "--codec", "none")
    await printedBy(result)(/^watching: 2 files written/)
    assert.strictEqual(result.stderr, "millrace: cannot watch idl: permission denied\n")
    child.kill("SIGINT")
    assert.deepStrictEqual(await ended, { code: 0, stdout: result.stdout, stderr: result.stderr })
  })

  it("says once that the system lets it watch no more folders, and goes on", async () => {
    const refusing =
      'import fs from"node:fs";import{syncBuiltinESMExports}from"node:module";' +
      'fs.watch=()=>{throw Object.assign(new Error("no"),{code:"ENOSPC"})};syncBuiltinESMExports()'
    vi.stubEnv("NODE_OPTIONS", `--import=data:text/javascript,${encodeURIComponent(refusing)}`)
    const { child, ended, result } = startIn(folderOf({ "idl/api.thrift": idl }), "idl/api.thrift", "--watch")
    vi.unstubAllEnvs()
    await printedBy(result)(/^watching: 3 files written/)
    child.kill("SIGINT")
    const { code, stderr } = await ended
    assert.deepStrictEqual(
      { code, stderr },
      { code: 0, stderr: "millrace: changes may be missed: the system watches as many folders as it may\n" }
    )
  })

  it("notices an include that was missing", async () => {
    const folder = folderOf({ "api.thrift": `include "new/base.thrift"\n${idl}` })
    const { child, ended, result } = startIn(folder, "api.thrift", "--watch", "--codec", "none")
    const printed = (pattern: RegExp) =>
      vi.waitFor(() => assert.match(result.stdout, pattern), { timeout: 10_000, interval: 20 })
    await printed(/^watching: failed, nothing is written in \d+ ms\n/)
    write(folder, "new/base.thrift", "struct Base {}\n")
    await printed(/new\/base\.thrift: 4 files written/)
    child.kill("SIGTERM")
    assert.strictEqual((await ended).code, 0)
  })
})
