/**
 * Type-checks every fenced `ts` block of the Markdown pages and of the packages' doc comments, each as a file of its own that
 * imports what a user would. Lines keep their numbers, so that an error names the line of the page.
 */
import { execFileSync, spawnSync } from "node:child_process"
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"

interface Example {
  readonly file: string
  readonly line: number
  readonly code: string
}

const fence = /^( *(?:\* )?)```ts\b[^\n]*\n([\s\S]*?)^\1```$/gm

const examplesOf = (file: string): ReadonlyArray<Example> => {
  const text = readFileSync(file, "utf8")
  return Array.from(text.matchAll(fence), ({ 1: prefix, 2: body, index }) => {
    const line = text.slice(0, index).split("\n").length + 1
    const strip = (text: string) => (text.startsWith(prefix!) ? text.slice(prefix!.length) : text.replace(/^ *\*/, ""))
    return { file, line, code: body!.split("\n").map(strip).join("\n") }
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
for (const [index, { code, file, line }] of examples.entries()) {
  const name = `example${index}.ts`
  pages.set(name, file.slice(root.length + 1))
  writeFileSync(join(folder, name), "\n".repeat(line - 1) + code)
}
writeFileSync(
  join(folder, "tsconfig.json"),
  JSON.stringify({
    extends: "../../../tsconfig.base.json",
    include: ["*.ts"],
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
process.stdout.write(stdout.replace(/^(?:\S*\/)?(example\d+\.ts)/gm, (_, name) => pages.get(name) ?? name))
console.log(`${examples.length} examples of ${new Set(pages.values()).size} files: ${status === 0 ? "ok" : "failed"}`)
rmSync(folder, { recursive: true, force: true })
process.exitCode = status ?? 1
