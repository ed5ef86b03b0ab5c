/** The other ends of the suite as processes: Kitex and our own server, started for a scope. */
import type { Encoding } from "@millrace/transport/RawCall"
import { Context, Effect, Exit, Layer, Queue, Scope } from "effect"
import { type ChildProcess, execFile, execFileSync, spawn } from "node:child_process"
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmdirSync, rmSync, statSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"
import { buildGo } from "./go.ts"
import type { Script, Stage } from "./scripts.ts"

const interop = fileURLToPath(new URL("..", import.meta.url))

/** A Go module with generated code: how it is built. */
export interface Module {
  readonly folder: string
  /** Name in its go.mod. */
  readonly name: string
  readonly idl: ReadonlyArray<string>
  /** IDLs whose services Kitex's generator makes one of. */
  readonly combined?: ReadonlyArray<string>
  /** IDLs of which there is a second tree, in the folder `streamx`, with the interfaces that TTHeader streaming needs. */
  readonly streamx?: ReadonlyArray<string>
  /** Folders of the programs. */
  readonly programs: ReadonlyArray<string>
  readonly toolchain?: string
}

const current: Module = {
  folder: "kitex",
  name: "millrace.dev/interop",
  idl: ["interop", "second", "unserved", "calls", "routes", "strangers"],
  combined: ["combined"],
  streamx: ["interop", "unserved"],
  programs: ["client", "server"]
}

const first: Module = {
  folder: "kitex-v0.9.1",
  name: "millrace.dev/interop/old",
  idl: ["interop"],
  programs: ["client", "server"],
  // that Kitex does not build with the Go of today
  toolchain: "go1.22.12"
}

const newest = (path: string): number => {
  const stat = statSync(path)
  if (!stat.isDirectory()) return stat.mtimeMs
  return Math.max(
    0,
    ...readdirSync(path)
      .filter((name) => name !== "bin" && name !== "kitex_gen")
      .map((name) => newest(join(path, name)))
  )
}

const lockIsStale = (lock: string): boolean => {
  const stat = statSync(lock, { throwIfNoEntry: false })
  return stat !== undefined && Date.now() - stat.mtimeMs > 5 * 60_000
}

/** Test files run in processes of their own and share the folder of a module: one of them builds, the others wait. */
const exclusively = <A>(folder: string, run: () => A): A => {
  const lock = join(folder, "bin", "building")
  mkdirSync(join(folder, "bin"), { recursive: true })
  for (;;) {
    try {
      mkdirSync(lock)
      break
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error
      if (lockIsStale(lock)) rmdirSync(lock)
      else Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200)
    }
  }
  try {
    return run()
  } finally {
    rmdirSync(lock)
  }
}

/**
 * Generates the code of a module with Kitex's own tool, at the version of its go.mod, and builds the peers; the folder of the programs.
 * Nothing is done when the programs are newer than every source.
 */
export const build = ({ combined = [], folder, idl, name, programs, streamx = [], toolchain }: Module): string => {
  const cwd = join(interop, folder)
  const bin = join(cwd, "bin")
  const env = {
    ...process.env,
    GOFLAGS: "-mod=mod -buildvcs=false",
    PATH: `${bin}:${process.env["PATH"]}`,
    ...(toolchain === undefined ? undefined : { GOTOOLCHAIN: toolchain })
  }
  const run = (program: string, ...args: ReadonlyArray<string>) =>
    execFileSync(program, args, { cwd, env, stdio: ["ignore", "ignore", "inherit"] })
  return exclusively(cwd, () => {
    const built = join(bin, programs[0]!)
    if (existsSync(built) && statSync(built).mtimeMs > newest(cwd)) return bin
    run("go", "build", "-o", "bin/", "github.com/cloudwego/kitex/tool/cmd/kitex", "github.com/cloudwego/thriftgo")
    const generate = (path: string, file: string, ...args: ReadonlyArray<string>) =>
      run(join(bin, "kitex"), ...args, "-module", name, "-gen-path", path, `idl/${file}.thrift`)
    for (const file of idl) generate("kitex_gen", file)
    for (const file of combined) generate("kitex_gen", file, "-combine-service")
    for (const file of streamx) generate("streamx/kitex_gen", file, "-streamx")
    run("go", "build", "-o", "bin/", ...programs.map((program) => `./${program}`))
    return bin
  })
}

/** A process that is killed when the scope closes. */
export const start = (program: string, args: ReadonlyArray<string>) =>
  Effect.acquireRelease(
    Effect.sync(() => spawn(program, args, { stdio: ["pipe", "pipe", "ignore"] })),
    (child) =>
      Effect.callback<void>((resume) => {
        if (child.exitCode !== null || child.signalCode !== null) return resume(Effect.void)
        child.once("exit", () => resume(Effect.void))
        child.kill("SIGKILL")
      })
  )

/** Its standard output line by line; the end of the process fails. */
export const lines = Effect.fnUntraced(function* (child: ChildProcess) {
  const queue = yield* Queue.unbounded<string>()
  createInterface({ input: child.stdout! }).on("line", (line) => Queue.offerUnsafe(queue, line))
  child.once("exit", (code) => Queue.offerUnsafe(queue, `the process ended with ${code}`))
  return Queue.take(queue)
})

/** A server that is listening. */
export interface Listening {
  readonly address: string
  /** Asks it to end in peace; done when it has. */
  readonly end: Effect.Effect<void>
  readonly signal: (name: "SIGSTOP" | "SIGCONT") => Effect.Effect<void>
}

/** Starts a server and waits for its `listening on HOST:PORT`. */
const ending = Effect.fnUntraced(function* (program: string, args: ReadonlyArray<string>) {
  const child = yield* start(program, args)
  const next = yield* lines(child)
  const line = yield* next
  if (!line.startsWith("listening on ")) return yield* Effect.die(new Error(`${program}: ${line}`))
  const end = Effect.callback<void>((resume) => {
    if (child.exitCode !== null || child.signalCode !== null) return resume(Effect.void)
    child.once("exit", () => resume(Effect.void))
    child.kill("SIGTERM")
  })
  const signal: Listening["signal"] = (name) => Effect.sync(() => void child.kill(name))
  return { address: line.slice("listening on ".length), end, signal } satisfies Listening
})

/** The address of a server. */
const server = (program: string, args: ReadonlyArray<string>) =>
  Effect.map(ending(program, args), ({ address }) => address)

/** A Kitex server; it lives as long as the scope. */
export const kitexServer = (...args: ReadonlyArray<string>) =>
  Effect.suspend(() => server(join(build(current), "server"), args))

/** The server of the first Kitex with Thrift streaming. */
export const firstKitexServer = Effect.suspend(() => server(join(build(first), "server"), []))

/** A Kitex server that can be told to end in peace before the scope closes, or to stand still. */
export const endingKitexServer = (...args: ReadonlyArray<string>) =>
  Effect.suspend(() => ending(join(build(current), "server"), args))

/** Our server, `src/server.ts`. */
export const ourServer = (...args: ReadonlyArray<string>) =>
  server(process.execPath, [join(interop, "src", "server.ts"), ...args])

/** Our server, which can be told to end in peace before the scope closes. */
export const endingServer = (...args: ReadonlyArray<string>) =>
  ending(process.execPath, [join(interop, "src", "server.ts"), ...args])

/** What a server says that does not start, because two of its services have one method. */
export const refusedStart = (who: "kitex" | "ours") =>
  Effect.callback<string>((resume) => {
    const [program, args] =
      who === "kitex" ? [join(build(current), "server"), []] : [process.execPath, [join(interop, "src", "server.ts")]]
    execFile(program, [...args, "--services", "conflict"], { timeout: 15_000 }, (_, stdout, stderr) =>
      resume(Effect.succeed(stdout + stderr))
    )
  })

/** What a client program prints for a scenario. */
export interface Result {
  readonly scenario: string
  readonly ok: boolean
  readonly detail: string
  readonly seen: ReadonlyArray<{ readonly op: string; readonly [key: string]: unknown }>
  readonly millis: number
}

/** How the PingPong calls of a scenario go: `CallOptions` of `kitex/scenario`. */
export interface CallOptions {
  readonly encoding: Encoding
  readonly connection?: "long" | "short" | "mux" | undefined
  readonly plain?: boolean
  readonly checksum?: boolean
}

/** What a scenario named `ask-` says: `Ask` of `kitex/scenario`. */
export interface Ask {
  readonly word: string
  readonly key?: string
  readonly count?: number
  readonly transient?: Readonly<Record<string, string>>
  readonly persistent?: Readonly<Record<string, string>>
  readonly logId?: string
  readonly millis?: number
  readonly caller?: boolean
  readonly otel?: boolean
  readonly prometheus?: boolean
}

/** What the scenario `governed` calls, and with what policies: `Governed` of `kitex/scenario`. */
export interface Governed {
  readonly mode: "call" | "unary" | "bidi" | "client" | "server"
  readonly width?: number
  readonly etcd?: string
  readonly service?: string
  readonly millis?: number
  readonly retries?: number
  readonly breaker?: number
}

export interface Case {
  readonly scenario: string
  readonly address: string
  readonly n?: number | undefined
  readonly size?: number | undefined
  readonly calls?: CallOptions | undefined
  readonly ask?: Ask | undefined
  readonly governed?: Governed | undefined
  /** Of the scenario `scripts`: what a client of TTHeader streaming does, where. */
  readonly scripts?: ReadonlyArray<Script & Stage>
}

/** A Kitex client that runs one scenario after the other. */
export class KitexClient extends Context.Service<KitexClient, (scenario: Case) => Effect.Effect<Result>>()(
  "interop/KitexClient"
) {
  static readonly layer = Layer.effect(
    KitexClient,
    Effect.gen(function* () {
      const child = yield* start(join(build(current), "client"), ["--serve-commands"])
      const next = yield* lines(child)
      return (scenario: Case) =>
        Effect.suspend(() => {
          child.stdin!.write(`${JSON.stringify(scenario)}\n`)
          return Effect.map(next, (line): Result => JSON.parse(line))
        })
    })
  )
}

/** A real etcd, which can be killed and started again. */
export class Etcd extends Context.Service<
  Etcd,
  {
    /** `HOST:PORT` for its clients. */
    readonly address: string
    /** As in a crash. */
    readonly kill: Effect.Effect<void>
    /** After that: at the same address, with what it knew, or with nothing. */
    readonly restart: (knowing: "everything" | "nothing") => Effect.Effect<void>
  }
>()("interop/Etcd") {
  static readonly layer = Layer.effect(
    Etcd,
    Effect.gen(function* () {
      const program = buildGo("etcd", ".", "etcd")
      const folder = yield* Effect.acquireRelease(
        Effect.sync(() => mkdtempSync(join(tmpdir(), "millrace-etcd-"))),
        (made) => Effect.sync(() => rmSync(made, { recursive: true, force: true }))
      )
      const scope = yield* Effect.scope
      let running = yield* Scope.fork(scope)
      const run = (...args: ReadonlyArray<string>) =>
        Scope.provide(server(program, ["--folder", folder, ...args]), running)
      const address = yield* run()
      return {
        address,
        kill: Effect.suspend(() => Scope.close(running, Exit.void)),
        restart: Effect.fnUntraced(function* (knowing) {
          if (knowing === "nothing") rmSync(folder, { recursive: true, force: true })
          running = yield* Scope.fork(scope)
          yield* run("--address", address)
        })
      }
    })
  )
}

/** One scenario of the first Kitex's client. */
export const runFirstKitex = (scenario: string, address: string) =>
  Effect.gen(function* () {
    const args = ["--scenario", scenario, "--address", address]
    const next = yield* lines(yield* start(join(build(first), "client"), args))
    return JSON.parse(yield* next) as Result
  })

/** The same address for every test of a file: our server. */
export class Ours extends Context.Service<Ours, string>()("interop/Ours") {
  static readonly layer = Layer.effect(Ours, ourServer())
}

/** The same address for every test of a file: a Kitex server. */
export class Kitex extends Context.Service<Kitex, string>()("interop/Kitex") {
  static readonly layer = Layer.effect(Kitex, kitexServer())
}
