/**
 * h2spec in strict mode against the fixture server on our engine: `node interop/src/h2spec.ts [SECTION...]`. It builds h2spec, starts
 * the fixture (a program that takes `--port` and prints `listening on HOST:PORT`), prints h2spec's own report, and fails when a case fails or
 * is skipped. The last line is `N passed, N failed`.
 *
 * @since 0.1.0
 */
import { execFileSync, spawn } from "node:child_process"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"

const interop = fileURLToPath(new URL("..", import.meta.url))
const folder = join(interop, "h2spec")
const report = join(folder, "bin", "report.xml")
const fixture = join(interop, "..", "packages", "transport", "test", "h2spec", "server.ts")

execFileSync("go", ["build", "-o", "bin/h2spec", "github.com/summerwind/h2spec/cmd/h2spec"], {
  cwd: folder,
  stdio: "inherit",
  env: { ...process.env, GOFLAGS: "-mod=mod -buildvcs=false" }
})

const server = spawn(process.execPath, [fixture, "--port", "0"], { stdio: ["ignore", "pipe", "inherit"] })

const address = await new Promise<string>((resolve, reject) => {
  server.once("exit", (code) => reject(new Error(`the fixture ended with ${code} before it listened`)))
  createInterface({ input: server.stdout }).on("line", (line) => {
    if (line.startsWith("listening on ")) resolve(line.slice("listening on ".length))
  })
})

const [, host, port] = /^(.*):(\d+)$/.exec(address)!
const sections = process.argv.slice(2)
const child = spawn(join(folder, "bin", "h2spec"), [...sections, "--strict", "-h", host!, "-p", port!, "-j", report], {
  stdio: "inherit"
})
const code = await new Promise<number | null>((resolve) => child.once("exit", resolve))
server.kill("SIGKILL")

const xml = readFileSync(report, "utf8")
const count = (attribute: string): number =>
  Array.from(xml.matchAll(new RegExp(`<testsuite [^>]*\\b${attribute}="(\\d+)"`, "g"))).reduce(
    (sum, [, n]) => sum + Number(n),
    0
  )
const tests = count("tests")
const failed = count("failures") + count("errors") + count("skipped")
console.log(`${tests - failed} passed, ${failed} failed`)
process.exitCode = failed > 0 || tests === 0 || code !== 0 ? 1 : 0
