/**
 * The packages as a user gets them: builds and packs them, lints the tarballs, installs them in an empty project, type-checks
 * the README's program there under both module resolutions, and runs it; and does the same with what the command makes of a
 * small IDL.
 */
import { spawnSync } from "node:child_process"
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"

const root = dirname(import.meta.dirname)
const temp = mkdtempSync(join(tmpdir(), "millrace-pack-"))
const project = join(temp, "project")
const tarballs = join(temp, "tarballs")

const run = (cwd: string, command: string, ...args: ReadonlyArray<string>): string => {
  console.log(`$ ${[command, ...args.map((arg) => arg.replace(`${temp}/`, ""))].join(" ")}`)
  const { status, stdout } = spawnSync(command, args, { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] })
  if (status !== 0) throw new Error(`failed: ${command}\n${stdout}`)
  return stdout
}

const readme = readFileSync(join(root, "README.md"), "utf8")
const program = /^```ts hello\.ts\n([\s\S]*?)^```$/m.exec(readme)?.[1]
if (program === undefined) throw new Error("README.md has no block ```ts hello.ts")

const idl = `namespace go echo
struct Request { 1: optional string message }
service Echo { Request Echo(1: Request request) (streaming.mode="bidirectional") }
`

const echo = `import { Request } from "./gen/echo/echo.ts"
console.log(new Request({ message: "generated" }).message)
`

const { devDependencies } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"))
const versionOf = (name: string): string => `${name}@${devDependencies[name]}`

try {
  run(root, "tsc", "-b", "tsconfig.packages.json")
  mkdirSync(tarballs)
  run(root, "npx", "-y", "pnpm@12.21.0", "-r", "--filter", "./packages/*", "pack", "--pack-destination", tarballs)
  const packed = readdirSync(tarballs).map((name) => join(tarballs, name))
  for (const tarball of packed) {
    const listing = run(temp, "tar", "-tzf", tarball)
    if (!listing.includes("package/LICENSE\n")) throw new Error(`${tarball} has no LICENSE`)
    run(root, "publint", "run", "--strict", tarball)
    run(root, "attw", "--profile", "esm-only", "--no-emoji", "--no-color", tarball)
  }

  mkdirSync(project)
  writeFileSync(join(project, "package.json"), JSON.stringify({ name: "empty", private: true, type: "module" }))
  const peers = ["effect", "typescript", "@types/node"].map(versionOf)
  run(project, "npm", "install", "--no-audit", "--no-fund", "--loglevel", "error", ...peers, ...packed)
  writeFileSync(join(project, "hello.ts"), program)
  const tsc = join(project, "node_modules/.bin/tsc")
  const common = ["--noEmit", "--strict", "--exactOptionalPropertyTypes", "--target", "es2024", "--types", "node"]
  run(project, tsc, ...common, "--module", "nodenext", "hello.ts")
  run(project, tsc, ...common, "--module", "esnext", "--moduleResolution", "bundler", "hello.ts")
  process.stdout.write(run(project, process.execPath, "hello.ts"))

  const millrace = join(project, "node_modules/.bin/millrace")
  process.stdout.write(run(project, millrace, "--version"))
  writeFileSync(join(project, "echo.thrift"), idl)
  process.stdout.write(run(project, millrace, "gen", "echo.thrift", "--import-ext", ".ts"))
  writeFileSync(join(project, "echo.ts"), echo)
  run(project, tsc, ...common, "--module", "nodenext", "--allowImportingTsExtensions", "echo.ts")
  process.stdout.write(run(project, process.execPath, "echo.ts"))
} finally {
  rmSync(temp, { recursive: true, force: true })
}
