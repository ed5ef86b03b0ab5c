/** Runs the command in a temporary folder: in this process, or as a person does, as a process of its own. */
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import { spawn, spawnSync } from "node:child_process"
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync
} from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { afterEach } from "vitest"
import { exitCodeOf, run } from "../src/cli.ts"

export interface Result {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

const folders: Array<string> = []
const start = process.cwd()

afterEach(() => {
  process.chdir(start)
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

/** A new folder with these files; it is gone after the test. */
export const folderOf = (files: Readonly<Record<string, string>>): string => {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "millrace-cli-")))
  folders.push(folder)
  for (const [path, text] of Object.entries(files)) write(folder, path, text)
  return folder
}

export const write = (folder: string, path: string, text: string): void => {
  mkdirSync(dirname(join(folder, path)), { recursive: true })
  writeFileSync(join(folder, path), text)
}

export const read = (folder: string, path: string): string => readFileSync(join(folder, path), "utf8")

/** Every file below a folder, sorted. */
export const filesIn = (folder: string): ReadonlyArray<string> =>
  readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((path) => statSync(join(folder, path)).isFile())
    .sort()

/** The command in this process, with the folder as its working directory. */
export const runIn = async (folder: string, ...args: ReadonlyArray<string>): Promise<Result> => {
  const stdout: Array<string> = []
  const stderr: Array<string> = []
  const console: Console.Console = {
    ...globalThis.console,
    log: (...parts) => stdout.push(`${parts.join(" ")}\n`),
    error: (...parts) => stderr.push(`${parts.join(" ")}\n`)
  }
  process.chdir(folder)
  const exit = await Effect.runPromiseExit(Effect.provideService(run(args), Console.Console, console))
  return { code: exitCodeOf(exit), stdout: stdout.join(""), stderr: stderr.join("") }
}

export const main = join(import.meta.dirname, "../src/main.ts")

/** A user without rights, whom root can be. */
export const nobody = 65534

/**
 * Whether a test may run the command as `nobody`: only root can, and only where Node and the checkout lie in folders that
 * everybody may enter.
 */
export const nobodyRuns = (): boolean =>
  process.getuid?.() === 0 &&
  spawnSync(process.execPath, [main, "--version"], { uid: nobody, cwd: tmpdir(), stdio: "ignore" }).status === 0

/** Starts the command as a process of its own; what it prints grows in the result. */
export const startIn = (folder: string, ...args: ReadonlyArray<string>) => startAs(undefined, folder, ...args)

/** As `startIn`, by another user. */
export const startAs = (uid: number | undefined, folder: string, ...args: ReadonlyArray<string>) => {
  const child = spawn(process.execPath, [main, ...args], { cwd: folder, uid })
  const result = { code: null as number | null, stdout: "", stderr: "" }
  child.stdout.setEncoding("utf8").on("data", (text: string) => (result.stdout += text))
  child.stderr.setEncoding("utf8").on("data", (text: string) => (result.stderr += text))
  const ended = new Promise<Result>((resolve) => {
    child.on("close", (code) => resolve({ ...result, code }))
  })
  return { child, result, ended }
}

/** The command as a process of its own, until it ends. */
export const spawnIn = (folder: string, ...args: ReadonlyArray<string>): Promise<Result> =>
  startIn(folder, ...args).ended
