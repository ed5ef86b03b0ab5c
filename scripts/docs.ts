/**
 * Type-checks every fenced `ts` block of the Markdown pages and of the packages' doc comments, each as a file of its own that
 * imports what a user would. Lines keep their numbers, so that an error names the line of the page.
 *
 * A block with a name, ```ts NAME.ts, has it as a file too, for other blocks of its page to import; where a ```text block follows,
 * it is run, and has to print that text.
 */
import { execFileSync, spawnSync } from "node:child_process"
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { basename, dirname, join } from "node:path"

interface Example {
  readonly file: string
  readonly line: number
  readonly name: string | undefined
  readonly code: string
  /** What it prints, where the page says it. */
  readonly printed: string | undefined
}

const fence = /^( *(?:\* )?)```ts\b *(\S*)[^\n]*\n([\s\S]*?)^\1```$(?:\n\n```text\n([\s\S]*?)^```$)?/gm

const examplesOf = (file: string): ReadonlyArray<Example> => {
  const text = readFileSync(file, "utf8")
  return Array.from(text.matchAll(fence), ({ 1: prefix, 2: name, 3: body, 4: printed, index }) => {
    const line = text.slice(0, index).split("\n").length + 1
    const strip = (text: string) => (text.startsWith(prefix!) ? text.slice(prefix!.length) : text.replace(/^ *\*/, ""))
    const code = body!.split("\n").map(strip).join("\n")
    return { file, line, name: name!.endsWith(".ts") ? name : undefined, code, printed }
  })
}

const root = dirname(import.meta.dirname)
// Inside `examples`, which depends on all that a user would install.
const folder = join(root, "examples/.cache/docs")

const files = execFileSync(
  "git",
  ["ls-files", "--cached", "--others", "--exclude-standard", "*.md", "packages/*/src/*.ts"],
  {
    cwd: root,
    encoding: "utf8"
  }
)
  .split("\n")
  .filter((file) => file !== "" && existsSync(join(root, file)))

const examples = files.flatMap((file) => examplesOf(join(root, file)))

rmSync(folder, { recursive: true, force: true })
mkdirSync(folder, { recursive: true })
const pages = new Map<string, string>()
const programs: Array<{ readonly path: string; readonly example: Example; readonly printed: string }> = []
for (const [index, example] of examples.entries()) {
  const page = `page${files.indexOf(example.file.slice(root.length + 1))}`
  const path = `${page}/${example.name ?? `example${index}.ts`}`
  mkdirSync(join(folder, page), { recursive: true })
  pages.set(path, example.file.slice(root.length + 1))
  writeFileSync(join(folder, path), "\n".repeat(example.line - 1) + example.code)
  if (example.name !== undefined && example.printed !== undefined) {
    programs.push({ path, example, printed: example.printed })
  }
}
writeFileSync(
  join(folder, "tsconfig.json"),
  JSON.stringify({
    extends: "../../../tsconfig.base.json",
    include: ["*/*.ts"],
    compilerOptions: {
      rootDir: root,
      noEmit: true,
      composite: false,
      incremental: false,
      declarationMap: false,
      noUnusedLocals: false,
      noUnusedParameters: false,
      rewriteRelativeImportExtensions: false,
      allowImportingTsExtensions: true
    }
  })
)

const { status, stdout } = spawnSync("tsc", ["-p", folder, "--pretty", "false"], { cwd: folder, encoding: "utf8" })
process.stdout.write(stdout.replace(/^(?:\S*\/)?(page\d+\/[\w.-]+\.ts)/gm, (_, path) => pages.get(path) ?? path))
console.log(`${examples.length} examples of ${new Set(pages.values()).size} files: ${status === 0 ? "ok" : "failed"}`)

const wrong = (status === 0 ? programs : []).filter(({ path, printed, example }) => {
  const run = spawnSync(process.execPath, [basename(path)], {
    cwd: join(folder, dirname(path)),
    encoding: "utf8",
    timeout: 30_000
  })
  if (run.status === 0 && run.stdout === printed) return false
  console.log(
    `${pages.get(path)}(${example.line}): ${example.name} does not print what follows it, but\n${run.stdout}${run.stderr}`
  )
  return true
})
if (status === 0) console.log(`${programs.length} programs run: ${wrong.length === 0 ? "ok" : "failed"}`)
rmSync(folder, { recursive: true, force: true })

// The tests that the table of options names: `package/file` "title".
const options = readFileSync(join(root, "docs/options.md"), "utf8")
const named = Array.from(options.matchAll(/`(\w+)\/([\w/-]+)` "([^"]+)"/g))
const missing = named.filter(([, project, file, title]) => {
  const tests = project === "interop" || project === "examples" ? `${project}/test` : `packages/${project}/test`
  const path = join(root, tests, `${file}.test.ts`)
  return !existsSync(path) || !readFileSync(path, "utf8").includes(`"${title}"`)
})
for (const [test] of missing) console.log(`docs/options.md: there is no test ${test}`)
console.log(`${named.length} tests named: ${missing.length === 0 ? "ok" : "failed"}`)
process.exitCode = wrong.length + missing.length === 0 ? (status ?? 1) : 1
