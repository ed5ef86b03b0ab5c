/** The compiler of IDLs beside thriftgo: both commands as a person runs them, and ours within a process. */
import { execFileSync, spawn } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync, statSync, watch, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { median } from "../statistics.ts"
import { document, graph } from "./document.ts"
import type { Steps } from "./run.ts"

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

const MILLRACE = here("../../../packages/cli/src/main.ts")
const THRIFTGO = here("../../go/bin/thriftgo")
const SIZE = 1_000_000

/** In megabytes of IDL a second, but for `watch`: milliseconds from a change to new output. */
export interface IdlFigures {
  readonly command?: number
  readonly compile?: number
  readonly parse?: number
  readonly check?: number
  readonly emit?: number
  readonly watch?: number
}

const time = (command: string, args: ReadonlyArray<string>, cwd: string): number => {
  const began = performance.now()
  execFileSync(command, args, { cwd, stdio: "ignore" })
  return performance.now() - began
}

/** One run of the command, its start included, with no output there yet. */
const runCommand = (peer: string, folder: string): number => {
  const out = join(folder, peer)
  rmSync(out, { recursive: true, force: true })
  return peer === "thriftgo"
    ? time(THRIFTGO, ["-g", "go:no_fmt=true", "-o", out, "bench.thrift"], folder)
    : time(process.execPath, [MILLRACE, "gen", "--quiet", "-o", out, "bench.thrift"], folder)
}

const steps = (folder: string, rounds: number): ReadonlyArray<Steps> =>
  JSON.parse(
    execFileSync(process.execPath, [here("run.ts"), join(folder, "bench.thrift"), String(rounds)], { encoding: "utf8" })
  )

const next = (folder: string, path: string): Promise<void> =>
  new Promise((resolve) => {
    const before = statSync(path, { throwIfNoEntry: false })?.mtimeMs
    const watcher = watch(folder, { recursive: true }, () => {
      const after = statSync(path, { throwIfNoEntry: false })?.mtimeMs
      if (after === undefined || after === before) return
      watcher.close()
      resolve()
    })
  })

/** Milliseconds from the change of a file at the bottom of a graph of 100 to its new output. */
const measureWatch = async (folder: string, rounds: number): Promise<number> => {
  const texts = graph(100)
  for (const [path, text] of texts) writeFileSync(join(folder, path), text)
  const out = join(folder, "watched")
  const args = [MILLRACE, "gen", "--quiet", "--watch", "-o", out, "part0.thrift"]
  const output = join(out, "bench", "part50", "part50.ts")
  const child = spawn(process.execPath, args, { cwd: folder, stdio: "ignore" })
  try {
    while (statSync(output, { throwIfNoEntry: false }) === undefined) await sleep(50)
    const taken: Array<number> = []
    for (let round = 0; round < rounds; round++) {
      await sleep(500)
      const changed = next(out, output)
      const began = performance.now()
      writeFileSync(join(folder, "part50.thrift"), `${texts.get("part50.thrift")}struct Round${round} {}\n`)
      await changed
      taken.push(performance.now() - began)
      if (!readFileSync(output, "utf8").includes(`Round${round}`)) throw new Error("the new output is not there")
    }
    return median(taken)
  } finally {
    child.kill()
  }
}

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** The medians of the peers, the commands run in turn; `watches` changes of a file are watched. */
export const measureIdl = async (
  peers: ReadonlyArray<string>,
  rounds: number,
  watches: number
): Promise<ReadonlyMap<string, IdlFigures>> => {
  const folder = mkdtempSync(join(tmpdir(), "millrace-bench-"))
  try {
    writeFileSync(join(folder, "bench.thrift"), document(SIZE))
    const millis = new Map(peers.map((peer) => [peer, [] as Array<number>]))
    for (let round = 0; round < rounds; round++)
      for (const peer of peers) millis.get(peer)!.push(runCommand(peer, folder))
    const rate = (ms: ReadonlyArray<number>) => SIZE / 1000 / median(ms)
    const figures = new Map<string, IdlFigures>()
    for (const peer of peers) {
      const command = rate(millis.get(peer)!)
      if (peer === "thriftgo") {
        // a binary has no life before its work
        figures.set(peer, { command, compile: command })
        continue
      }
      const taken = steps(folder, rounds)
      figures.set(peer, {
        command,
        compile: rate(taken.map((each) => each.parse + each.check + each.emit)),
        parse: rate(taken.map((each) => each.parse)),
        check: rate(taken.map((each) => each.check)),
        emit: rate(taken.map((each) => each.emit)),
        ...(watches > 0 ? { watch: await measureWatch(folder, watches) } : {})
      })
    }
    return figures
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
