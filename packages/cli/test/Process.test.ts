/** What can be seen only from outside of the process: its exit code, its streams, what the machine refuses it. */
import { assert, describe, it } from "@effect/vitest"
import { execFile } from "node:child_process"
import { chmodSync, lstatSync, mkdirSync, readdirSync, statSync, symlinkSync } from "node:fs"
import { join } from "node:path"
import { filesIn, folderOf, main, nobody, nobodyRuns, read, spawnIn, write } from "./command.ts"

const right = "namespace go echo\nstruct Request { 1: optional string message }\n"

const withWarning = `${right}service Api { Request Echo(1: Request request) (streaming.mode="unary") }\n`

/** The command through a shell, where limits can be set. */
const inShell = (folder: string, script: string, identity: { readonly uid?: number } = {}) =>
  new Promise<{ readonly status: number | null; readonly stdout: string; readonly stderr: string }>((resolve) => {
    const child = execFile(
      "sh",
      ["-c", script, process.execPath, main],
      { cwd: folder, ...identity },
      (_, stdout, stderr) => resolve({ status: child.exitCode, stdout, stderr })
    )
  })

const isLinux = process.platform === "linux"

const isRoot = process.getuid?.() === 0

describe("the process", () => {
  it("prints the list on standard output and findings on standard error, without colors in a pipe", async () => {
    const folder = folderOf({ "api.thrift": withWarning })
    const { code, stderr, stdout } = await spawnIn(folder, "api.thrift", "--codec", "none")
    assert.strictEqual(code, 0)
    assert.strictEqual(stdout, "create gen/echo/api.ts\ncreate gen/echo/index.ts\n")
    assert.match(stderr, /^api\.thrift:3:\d+ - warning W_STREAM_UNARY/)
    assert.notInclude(stderr, "\x1b")
  })

  it("exits with 1 for findings and with 2 for a wrong command line", async () => {
    const folder = folderOf({ "api.thrift": "struct {" })
    const [findings, usage] = await Promise.all([spawnIn(folder, "api.thrift"), spawnIn(folder, "--bogus")])
    assert.deepStrictEqual([findings.code, findings.stdout], [1, ""])
    assert.deepStrictEqual([usage.code, usage.stdout], [2, ""])
    assert.strictEqual(
      usage.stderr,
      "millrace: Unrecognized flag: --bogus in command millrace\nRun millrace --help to see what there is.\n"
    )
  })

  it("reads a configuration in TypeScript", async () => {
    const folder = folderOf({
      "api.thrift": right,
      "millrace.config.ts": 'export default { entries: [{ idl: "api.thrift", out: "src", codec: "none" as const }] }\n'
    })
    const { code, stdout } = await spawnIn(folder)
    assert.deepStrictEqual([code, stdout], [0, "create src/echo/api.ts\ncreate src/echo/index.ts\n"])
  })

  it("ends quietly when nobody reads its output any more", async () => {
    const folder = folderOf({ "api.thrift": "// long\n".repeat(20_000) + right })
    const { stderr, stdout } = await inShell(folder, '"$0" "$1" print --as idl api.thrift | head -n 1')
    assert.deepStrictEqual([stdout, stderr], ["// long\n", ""])
  })

  it("says that its output cannot be written", { skip: !isLinux }, async () => {
    const folder = folderOf({ "api.thrift": right })
    for (const command of ["print --as json api.thrift", "check api.thrift"]) {
      const { status, stderr } = await inShell(folder, `"$0" "$1" ${command} >/dev/full`)
      assert.deepStrictEqual(
        [status, stderr],
        [3, "millrace: cannot write to standard output: no space left on the device\n"]
      )
    }
  })

  it("says that there can be no output folder", { skip: !isLinux }, async () => {
    const folder = folderOf({ "api.thrift": right })
    for (const [out, message] of [
      ["/proc/x", "cannot write /proc/x/echo/api.codec.ts: no such file or directory"],
      ["/dev/null/x", "cannot read /dev/null/x/.millrace-manifest.json: a part of its path is a file"]
    ] as const) {
      const { status, stderr } = await inShell(folder, `timeout 30 "$0" "$1" gen api.thrift --out ${out}`)
      assert.deepStrictEqual([status, stderr.replace(/(\.\.\/)+/, "/")], [3, `millrace: ${message}\n`])
    }
  })

  it("formats a link's file in place, with its permissions", async () => {
    const folder = folderOf({ "real/api.thrift": "struct   A{}\n" })
    symlinkSync("real/api.thrift", join(folder, "api.thrift"))
    chmodSync(join(folder, "real/api.thrift"), 0o600)
    assert.strictEqual((await inShell(folder, '"$0" "$1" fmt api.thrift')).status, 0)
    assert.isTrue(lstatSync(join(folder, "api.thrift")).isSymbolicLink())
    assert.strictEqual(read(folder, "real/api.thrift"), "struct A {}\n")
    assert.strictEqual(statSync(join(folder, "real/api.thrift")).mode & 0o777, 0o600)
  })

  it("leaves the output as it was when the disk is full", async () => {
    const many = Array.from({ length: 2000 }, (_, i) => `  ${i + 1}: optional string field_number_${i + 1}\n`).join("")
    const folder = folderOf({ "a.thrift": right, "b.thrift": right, "out/keep": "" })
    const flags = "a.thrift b.thrift --layout flat -o out --codec none"
    assert.strictEqual((await inShell(folder, `"$0" "$1" ${flags}`)).status, 0)
    const before = filesIn(join(folder, "out")).map((path) => [path, read(folder, join("out", path))])
    write(folder, "a.thrift", right.replace("message", "changed"))
    write(folder, "b.thrift", `namespace go echo\nstruct Request {\n${many}}\n`)
    // A limit of the size of files, in blocks of 512 or 1024 bytes, fails a write just as a full disk does.
    const { status, stderr, stdout } = await inShell(
      folder,
      `ulimit -f 16; NODE_DISABLE_COMPILE_CACHE=1 exec "$0" "$1" ${flags}`
    )
    assert.deepStrictEqual(
      [status, stdout, stderr],
      [3, "", "millrace: cannot write out/b.ts: it would be too large\n"]
    )
    assert.deepStrictEqual(
      filesIn(join(folder, "out")).map((path) => [path, read(folder, join("out", path))]),
      before
    )
  })

  it.skipIf(isRoot && !nobodyRuns())("says which file it may not read or write", async () => {
    const identity = isRoot ? { uid: nobody } : {}
    const folder = folderOf({ "api.thrift": right, "secret.thrift": right, "out/x": "" })
    chmodSync(folder, 0o755)
    chmodSync(join(folder, "secret.thrift"), 0)
    chmodSync(join(folder, "out"), 0o555)
    const reading = await inShell(folder, '"$0" "$1" check secret.thrift', identity)
    assert.deepStrictEqual(
      [reading.status, reading.stderr],
      [2, "millrace: cannot read secret.thrift: permission denied\n"]
    )
    mkdirSync(join(folder, "closed"), { mode: 0 })
    const entering = await inShell(folder, '"$0" "$1" check closed/api.thrift', identity)
    assert.deepStrictEqual(
      [entering.status, entering.stderr],
      [2, "millrace: cannot read closed/api.thrift: permission denied\n"]
    )
    const writing = await inShell(folder, '"$0" "$1" api.thrift -o out', identity)
    assert.deepStrictEqual(
      [writing.status, writing.stdout, writing.stderr],
      [3, "", "millrace: cannot write out/echo/api.codec.ts: permission denied\n"]
    )
    assert.deepStrictEqual(readdirSync(join(folder, "out")), ["x"])
  })
})
