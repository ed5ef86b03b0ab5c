/** Starts the two processes of a peer and talks to them; `peer.ts` is the other side. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"
import type { Command, Figures, Usage } from "./peer.ts"

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

/** Longer than any answer takes; a child that is silent for this long is broken. */
const ANSWER_TIMEOUT = 30_000

class Process {
  readonly #child: ChildProcess
  readonly #name: string
  readonly #lines: Array<string> = []
  #waiting: { readonly resolve: (line: string) => void; readonly reject: (error: Error) => void } | undefined
  #ended = false

  constructor(name: string, command: string, args: ReadonlyArray<string>) {
    this.#name = name
    this.#child = spawn(command, args, { stdio: ["pipe", "pipe", "inherit"] })
    createInterface({ input: this.#child.stdout! }).on("line", (line) => {
      const waiting = this.#waiting
      this.#waiting = undefined
      if (waiting === undefined) this.#lines.push(line)
      else waiting.resolve(line)
    })
    this.#child.stdin!.on("error", () => {})
    this.#child.once("error", (error) => this.#fail(error))
    this.#child.once("exit", (code, signal) => this.#fail(new Error(`${name} ended with ${signal ?? code}`)))
  }

  #fail(error: Error): void {
    this.#ended = true
    this.#waiting?.reject(error)
  }

  /** The next line that the process writes. */
  async read(): Promise<any> {
    const line = this.#lines.shift()
    if (line !== undefined) return JSON.parse(line)
    if (this.#ended) throw new Error(`${this.#name} has ended`)
    let timer: NodeJS.Timeout | undefined
    try {
      return JSON.parse(
        await new Promise<string>((resolve, reject) => {
          this.#waiting = { resolve, reject }
          timer = setTimeout(() => reject(new Error(`${this.#name} does not answer`)), ANSWER_TIMEOUT)
        })
      )
    } finally {
      clearTimeout(timer)
      this.#waiting = undefined
    }
  }

  send(command: Command): void {
    this.#child.stdin!.write(`${JSON.stringify(command)}\n`)
  }

  async ask(command: Command): Promise<any> {
    this.send(command)
    return this.read()
  }

  /** Ends the process, by force when it does not end by itself. */
  async close(): Promise<void> {
    if (this.#ended) return
    const ended = new Promise<void>((resolve) => this.#child.once("exit", () => resolve()))
    this.#child.stdin!.end()
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), 2000)
    await ended
    clearTimeout(timer)
  }
}

/** One interval: the figures of the client with the CPU of both processes, in microseconds. */
export interface Sample extends Figures {
  readonly clientCpu: number
  readonly serverCpu: number
}

/** What idle streams add to a process, in bytes a stream. */
export interface Memory {
  readonly resident: number
  /** NaN where a process does not say. */
  readonly heap: number
}

/** A peer whose two processes run. */
export interface Running {
  readonly run: (command: Command & { readonly op: "run" }) => Promise<Sample>
  /** What `streams` idle streams add to each side. */
  readonly idle: (streams: number) => Promise<{ readonly client: Memory; readonly server: Memory }>
  /** What `streams` streams that nobody reads hold more at each side, at most, in bytes a stream. */
  readonly stalled: (streams: number) => Promise<{ readonly client: number; readonly server: number }>
  readonly close: () => Promise<void>
}

/** As long as it takes until streams that nobody reads are full and, where that is the way, reset one after the other. */
const STALL_MILLIS = 3000

const GO_PEERS = new Set(["grpc-go", "kitex", "kitex-ttstream", "kitex-mux", "thriftgo"])
const GO_PROGRAM = here("../go/bin/peer")

const start = (peer: string, ...args: ReadonlyArray<string>): Process => {
  const name = `${peer} ${args[0]}`
  if (GO_PEERS.has(peer)) return new Process(name, GO_PROGRAM, [args[0]!, peer, ...args.slice(1)])
  return new Process(name, process.execPath, ["--expose-gc", here(`peers/${peer}.ts`), ...args])
}

/** Starts a peer: its server, then its client. */
export const launch = async (peer: string): Promise<Running> => {
  const server = start(peer, "server")
  let client: Process | undefined
  const close = async (): Promise<void> => {
    await client?.close()
    await server.close()
  }
  try {
    const { port } = await server.read()
    client = start(peer, "client", String(port))
    await client.read()
  } catch (error) {
    await close()
    throw error
  }
  const usages = async (): Promise<readonly [Usage, Usage]> => [
    await client.ask({ op: "settle" }),
    await server.ask({ op: "settle" })
  ]
  return {
    close,
    run: async (command) => {
      client.send(command)
      await client.read()
      const before: Usage = await server.ask({ op: "usage" })
      await client.read()
      const after: Usage = await server.ask({ op: "usage" })
      const figures: Figures = await client.read()
      const serverCpu = after.cpu - before.cpu
      return { ...figures, clientCpu: figures.cpu, serverCpu, cpu: figures.cpu + serverCpu }
    },
    idle: async (streams) => {
      // the first streams pay for code and pools that the others share
      await client.ask({ op: "open", streams: Math.ceil(streams / 5) })
      const [client0, server0] = await usages()
      await client.ask({ op: "open", streams })
      const [client1, server1] = await usages()
      const more = (before: Usage, after: Usage): Memory => ({
        resident: (after.rss - before.rss) / streams,
        heap: ((after.heap ?? Number.NaN) - (before.heap ?? Number.NaN)) / streams
      })
      return { client: more(client0, client1), server: more(server0, server1) }
    },
    stalled: async (streams) => {
      const [client0, server0] = await usages()
      server.send({ op: "peak", ms: STALL_MILLIS })
      await client.ask({ op: "stall", streams })
      const [client1, server1] = [await client.ask({ op: "peak", ms: STALL_MILLIS }), await server.read()]
      const more = (before: Usage, after: { readonly peak: number }) => (after.peak - before.heap!) / streams
      return { client: more(client0, client1), server: more(server0, server1) }
    }
  }
}

/** Builds the Go peers; says why not where that is impossible. */
export const buildGo = (): string | undefined => {
  const cwd = here("../go")
  const env = { ...process.env, GOFLAGS: "-mod=mod -buildvcs=false" }
  try {
    execFileSync("go", ["version"], { stdio: "ignore" })
  } catch {
    return "Go is not here"
  }
  try {
    execFileSync("go", ["build", "-o", GO_PROGRAM, "."], { cwd, env, stdio: "ignore" })
    execFileSync("go", ["build", "-o", "bin/", "github.com/cloudwego/thriftgo"], { cwd, env, stdio: "ignore" })
    return undefined
  } catch {
    return "the Go peers do not build here"
  }
}

export const isGo = (peer: string): boolean => GO_PEERS.has(peer)

/** The version of Go, for the head of the results. */
export const goVersion = (): string => {
  try {
    return execFileSync("go", ["env", "GOVERSION"], { encoding: "utf8" }).trim()
  } catch {
    return "no Go"
  }
}
