import { assert, describe, it } from "vitest"
import { execFile, spawn } from "node:child_process"
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync } from "node:fs"
import { dirname, join } from "node:path"
import { filesIn, folderOf, read, runIn, write } from "./command.ts"

const idl = (...methods: ReadonlyArray<readonly [name: string, mode: string]>) => `namespace go echo

struct Request { 1: optional string message }
struct Response { 1: optional string message, 2: required Mood mood }
enum Mood { GOOD = 1, BAD = 2 }
exception Busy { 1: string why }

service Echo {
${methods.map(([name, mode]) => `  Response ${name} (1: Request req) (streaming.mode="${mode}")\n`).join("")}
  Response Plain (1: Request req) throws (1: Busy busy)
  oneway void Log (1: string line)
}
`

const small = idl(["Talk", "bidirectional"], ["Upload", "client"], ["Download", "server"])

const generated = ["src/gen/echo/api.codec.ts", "src/gen/echo/api.ts", "src/gen/echo/index.ts"]

describe("millrace scaffold", () => {
  it("writes a project into the working directory and says how to run it", async () => {
    const folder = folderOf({ "idl/api.thrift": small, "demo/.keep": "" })
    const { code, stderr, stdout } = await runIn(join(folder, "demo"), "scaffold", "../idl/api.thrift")
    assert.strictEqual(stderr, "")
    assert.strictEqual(code, 0)
    const lines = stdout.split("\n")
    for (const path of [...generated, "package.json", "src/server.ts", "src/handlers.ts", "test/service.test.ts"]) {
      assert.include(lines, `create ${path}`)
      assert.isTrue(existsSync(join(folder, "demo", path)), path)
    }
    assert.include(stdout, "Now run:\n  npm install\n  npm start")
    assert.strictEqual(JSON.parse(read(folder, "demo/package.json")).name, "demo")
    assert.strictEqual(JSON.parse(read(folder, "demo/millrace.config.json")).entries[0].idl, "../idl/api.thrift")
  })

  it("run again without a change it changes nothing", async () => {
    const folder = folderOf({ "api.thrift": small })
    await runIn(folder, "scaffold", "api.thrift", "--out", "demo")
    const result = await runIn(folder, "scaffold", "api.thrift", "--out", "demo")
    assert.deepStrictEqual(result, { code: 0, stdout: "nothing is missing\n", stderr: "" })
  })

  it("run again after the IDL has grown it adds what is missing and leaves a person's lines", async () => {
    const folder = folderOf({ "api.thrift": small })
    await runIn(folder, "scaffold", "api.thrift", "--out", "demo")
    const mine = read(folder, "demo/src/handlers.ts").replace("Upload: ", "/* mine */ Upload: ")
    write(folder, "demo/src/handlers.ts", mine)
    write(folder, "demo/src/server.ts", "// my own\n")
    write(folder, "demo/package.json", "{}\n")
    write(
      folder,
      "api.thrift",
      idl(["Talk", "bidirectional"], ["Upload", "client"], ["Download", "server"], ["Say", "server"])
    )
    const { code, stdout } = await runIn(folder, "scaffold", "api.thrift", "--out", "demo")
    assert.strictEqual(code, 0)
    assert.deepStrictEqual(stdout.trimEnd().split("\n").toSorted(), [
      "update demo/src/client.ts: Say",
      "update demo/src/gen/echo/api.ts",
      "update demo/src/handlers.ts: Say",
      "update demo/test/service.test.ts: Say"
    ])
    assert.strictEqual(read(folder, "demo/src/server.ts"), "// my own\n")
    assert.strictEqual(read(folder, "demo/package.json"), "{}\n")
    const added =
      "  Say: (request) => Stream.make(new api.Response({ message: request.message, mood: api.Mood.GOOD })),\n"
    assert.strictEqual(read(folder, "demo/src/handlers.ts"), mine.replace(/\}\)\n$/, `${added}})\n`))
  })

  it("says what to add to a file that was changed beyond recognition, and adds to the others", async () => {
    const folder = folderOf({ "api.thrift": small })
    await runIn(folder, "scaffold", "api.thrift", "--out", "demo")
    const mine = 'import * as handlers from "./mine.ts"\nexport const HandlersLive = Echo.toLayer({ ...handlers })\n'
    write(folder, "demo/src/handlers.ts", mine)
    write(folder, "api.thrift", idl(["Talk", "bidirectional"], ["Say", "server"]))
    const { code, stderr, stdout } = await runIn(folder, "scaffold", "api.thrift", "--out", "demo")
    assert.strictEqual(code, 1)
    assert.match(
      stderr,
      /^millrace: demo\/src\/handlers\.ts stays as it is, since it cannot be seen which entries its object of Echo\.toLayer\(\{ \.\.\. \}\) has; add for .*Say.*:\n/
    )
    assert.include(stderr, "Say: (request) => Stream.make(")
    assert.include(stdout, "update demo/src/client.ts: Say\n")
    assert.strictEqual(read(folder, "demo/src/handlers.ts"), mine)
  })

  it("takes the packages of the registry, or with --link those that are installed for a folder", async () => {
    const folder = folderOf({
      "api.thrift": small,
      "node_modules/effect/package.json": "{}",
      "repository/app/node_modules/@millrace/rpc/package.json": "{}"
    })
    const dependencies = () => JSON.parse(read(folder, "demo/package.json")).dependencies
    await runIn(folder, "scaffold", "api.thrift", "--out", "demo")
    assert.deepStrictEqual([dependencies()["@millrace/rpc"], dependencies().effect], ["^0.1.0", "4.1.0"])
    rmSync(join(folder, "demo"), { recursive: true })
    await runIn(folder, "scaffold", "api.thrift", "--out", "demo", "--link", "repository/app")
    assert.deepStrictEqual(
      [dependencies()["@millrace/rpc"], dependencies().effect, dependencies()["@millrace/codec"]],
      [`file:${folder}/repository/app/node_modules/@millrace/rpc`, `file:${folder}/node_modules/effect`, "^0.1.0"]
    )
  })

  it("keeps the options that the project has in its configuration", async () => {
    const folder = folderOf({ "api.thrift": small })
    await runIn(folder, "scaffold", "api.thrift", "--out", "demo")
    const config = JSON.parse(read(folder, "demo/millrace.config.json"))
    config.entries[0].layout = "flat"
    write(folder, "demo/millrace.config.json", JSON.stringify(config))
    rmSync(join(folder, "demo/src"), { recursive: true })
    await runIn(folder, "scaffold", "api.thrift", "--out", "demo")
    assert.include(filesIn(join(folder, "demo")), "src/gen/api.ts")
    assert.include(read(folder, "demo/src/handlers.ts"), 'from "./gen/api.ts"')
  })

  it("finds includes", async () => {
    const folder = folderOf({
      "idl/api.thrift": 'include "base.thrift" service S { base.R Get(1: base.R r) (streaming.mode="server") }',
      "shared/base.thrift": "struct R {}"
    })
    const { code } = await runIn(folder, "scaffold", "idl/api.thrift", "--out", "demo", "-I", "shared")
    assert.strictEqual(code, 0)
    assert.deepStrictEqual(JSON.parse(read(folder, "demo/millrace.config.json")).entries[0].include, ["../shared"])
  })

  it("writes nothing when the IDL is wrong or has no such service", async () => {
    const folder = folderOf({
      "api.thrift": small,
      "wrong.thrift": "struct S { 1: Nothing a }",
      "none.thrift": "struct S {}"
    })
    const before = filesIn(folder)
    const wrong = await runIn(folder, "scaffold", "wrong.thrift")
    assert.strictEqual(wrong.code, 1)
    assert.include(wrong.stderr, "E_UNDEFINED")
    const unknown = await runIn(folder, "scaffold", "api.thrift", "--service", "Ech")
    assert.strictEqual(unknown.code, 1)
    assert.include(unknown.stderr, "error E_NO_SERVICE: there is no service Ech in the IDL")
    assert.strictEqual((await runIn(folder, "scaffold", "none.thrift")).code, 1)
    assert.strictEqual((await runIn(folder, "scaffold")).code, 2)
    assert.deepStrictEqual(filesIn(folder), before)
  })
})

describe("a scaffolded project", () => {
  // not below test/, where its tests would be taken for those of this package
  const folder = join(import.meta.dirname, "../.cache/scaffold")
  const project = join(folder, "demo")

  /** What `npm install` does: links the packages that the project names. */
  const install = () => {
    const { dependencies, devDependencies } = JSON.parse(readFileSync(join(project, "package.json"), "utf8"))
    for (const [name, version] of Object.entries<string>({ ...dependencies, ...devDependencies })) {
      if (!version.startsWith("file:")) continue
      const link = join(project, "node_modules", name)
      mkdirSync(dirname(link), { recursive: true })
      symlinkSync(version.slice("file:".length), link)
    }
  }

  const { VITEST: _, ...env } = process.env

  /** Runs a program of the project to its end, and gives what it printed. */
  const node = (...args: ReadonlyArray<string>) =>
    new Promise<string>((resolve, reject) => {
      execFile(process.execPath, args, { cwd: project, env }, (error, stdout, stderr) =>
        error === null ? resolve(stdout) : reject(new Error(`${args.join(" ")}: ${stdout}${stderr}`))
      )
    })

  const serve = async (use: (address: string) => Promise<void>) => {
    const server = spawn(process.execPath, ["src/server.ts", "--port", "0"], { cwd: project, env })
    const ended = new Promise((resolve) => server.on("close", resolve))
    try {
      const address = await new Promise<string>((resolve, reject) => {
        let output = ""
        const look = (text: string) => {
          output += text
          const found = /listening on (\S+)\n/.exec(output)?.[1]
          if (found !== undefined) resolve(found)
        }
        server.stdout.setEncoding("utf8").on("data", look)
        server.stderr.setEncoding("utf8").on("data", look)
        server.on("close", () => reject(new Error(`the server ended: ${output}`)))
      })
      await use(address)
    } finally {
      server.kill()
      await ended
    }
  }

  /** The methods whose answers the client printed. */
  const callAll = async (address: string) => {
    const printed = await node("src/client.ts", "--address", address)
    assert.include(printed, "message: 'hello'")
    return printed
      .trimEnd()
      .split("\n")
      .flatMap((line) => /^[A-Z]\w+/.exec(line)?.[0] ?? [])
  }

  // every kind of type, names that TypeScript does not like, and methods that come from another file
  const grown = `${small.replace("service Echo {", "service Echo extends base.Root {").replace("struct", 'include "base.thrift"\nstruct').replace(/\}\n$/, "")}
  base.Choice Choose (1: base.Choice choice) (streaming.mode="unary")
  All Say (2: All request) throws (1: Busy busy) (streaming.mode="unary")
  All Answer (1: Request req) (streaming.mode="bidirectional")
  delete Delete (1: delete req) (streaming.mode="server")
  Counts Count (1: i32 a, 2: Counts b) throws (1: Busy busy)
}
typedef map<string, i64> Counts
struct delete { 1: optional string default }
struct All {
  1: required string message, 2: required bool b, 3: required byte y, 4: required i16 s, 5: required i64 l
  6: required i64 n (ts.type="number"), 7: required i64 t (ts.type="string"), 8: required double d, 9: required binary bin
  10: required list<base.Item> items, 11: required set<i32> numbers, 12: required set<binary> binaries
  13: required Counts counts, 14: required map<base.Item, i32> pairs, 15: required base.Choice choice
  16: required base.Level level, 17: required i32 given = 5, 18: required string toString, 19: optional All next
}
`

  const base = `namespace go shop.base
enum Level { name = 1 }
struct Item { 1: required string id }
union Choice { 1: Choice again, 2: Item item }
service Root { void Ping (), Item Get (1: Item item) }
`

  it("runs, and type-checks and passes its tests after it has grown", { timeout: 180_000 }, async () => {
    rmSync(folder, { recursive: true, force: true })
    write(folder, "api.thrift", small)
    const link = ["--link", join(import.meta.dirname, "../../../examples")]
    assert.strictEqual((await runIn(folder, "scaffold", "api.thrift", "--out", "demo", ...link)).code, 0)
    install()
    const methods = ["Talk", "Upload", "Download", "Plain", "Log"]
    await serve(async (address) => assert.deepStrictEqual(await callAll(address), methods))

    write(folder, "api.thrift", grown)
    write(folder, "base.thrift", base)
    assert.strictEqual((await runIn(folder, "scaffold", "api.thrift", "--out", "demo")).code, 0)
    await node("node_modules/typescript/bin/tsc")
    assert.match(await node("node_modules/vitest/vitest.mjs", "run"), /12 passed/)
  })
})
