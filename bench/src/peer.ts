/**
 * The child's side of the benchmark. A peer is a module of `peers/` that is run twice, as `server` and as `client PORT`, and answers JSON
 * lines on stdin with JSON lines on stdout:
 *
 *   {"op":"run","case":…,"warmup":ms,"measure":ms}  {"event":"measuring"}, {"event":"measured"}, then the figures
 *   {"op":"open","streams":n}                       {"opened":n}: idle bidirectional streams, each after one round trip
 *   {"op":"stall","streams":n}                      {"stalled":n}: server streams without end, of which one message was taken
 *   {"op":"peak","ms":ms}                           {"peak":bytes}: the most that it held at a time meanwhile
 *   {"op":"usage"} {"op":"settle"}                  {"cpu":µs,"rss":bytes,"heap":bytes}; `settle` collects garbage first
 *
 * It ends when stdin ends, so nothing outlives the parent.
 */
import { createInterface } from "node:readline"
import type { Case } from "./cases.ts"

/** What a running case reports to. */
export class Meter {
  /** Messages that came back so far. */
  count = 0
  /** Set when the case has to end. */
  stopped = false
  measuring = false
  readonly #latencies: Array<number> = []

  /** Round trip times are worth their cost only where one message is in flight. */
  roundTrip(startedAt: number): void {
    if (this.measuring) this.#latencies.push((performance.now() - startedAt) * 1000)
  }

  /** The quantile of the round trips in microseconds, null without any. */
  quantiles(...quantiles: ReadonlyArray<number>): ReadonlyArray<number | null> {
    const sorted = Float64Array.from(this.#latencies).sort()
    return quantiles.map((q) => sorted[Math.floor(q * (sorted.length - 1))] ?? null)
  }
}

/** The client of an implementation, connected. */
export interface Client {
  /** Runs a case until the meter is stopped and all answers are there. */
  readonly run: (the: Case, meter: Meter) => Promise<void>
  /** Opens bidirectional streams that stay open. */
  readonly open?: (streams: number) => Promise<void>
  /** Opens server streams that send for ever, and reads one message of each. */
  readonly stall?: (streams: number) => Promise<void>
}

/** One implementation at both ends. */
export interface Peer {
  readonly server: () => Promise<{ readonly port: number }>
  readonly client: (port: number) => Promise<Client>
}

/** What one measured interval of a client gave. */
export interface Figures {
  readonly messages: number
  /** Seconds. */
  readonly elapsed: number
  /** Microseconds, user and system. */
  readonly cpu: number
  /** Microseconds; null where more than one message is in flight. */
  readonly p50: number | null
  readonly p99: number | null
}

/** The resources of one process. */
export interface Usage {
  readonly cpu: number
  readonly rss: number
  /** What JavaScript holds, and what it holds outside of its heap; programs of Go do not say. */
  readonly heap?: number
}

export type Command =
  | { readonly op: "run"; readonly case: Case; readonly warmup: number; readonly measure: number }
  | { readonly op: "open" | "stall"; readonly streams: number }
  | { readonly op: "peak"; readonly ms: number }
  | { readonly op: "usage" | "settle" }

const report = (line: unknown): void => {
  process.stdout.write(`${JSON.stringify(line)}\n`)
}

const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))

const cpu = (): number => {
  const { user, system } = process.cpuUsage()
  return user + system
}

const collect = async (): Promise<void> => {
  for (let i = 0; i < 4; i++) {
    globalThis.gc?.()
    await sleep(50)
  }
}

/** What JavaScript holds, and what it holds outside of its heap. */
const held = (): number => {
  const { external, heapUsed } = process.memoryUsage()
  return heapUsed + external
}

/** The most that is held at a time: garbage does not count. */
const peak = async (ms: number): Promise<number> => {
  let most = 0
  for (const until = performance.now() + ms; performance.now() < until; await sleep(100)) {
    globalThis.gc!()
    most = Math.max(most, held())
  }
  return most
}

const run = async (client: Client, command: Command & { readonly op: "run" }): Promise<Figures> => {
  const meter = new Meter()
  const ended = client.run(command.case, meter)
  await Promise.race([sleep(command.warmup), ended])
  report({ event: "measuring" })
  meter.measuring = true
  const before = { count: meter.count, cpu: cpu(), at: performance.now() }
  await Promise.race([sleep(command.measure), ended])
  const after = { count: meter.count, cpu: cpu(), at: performance.now() }
  meter.measuring = false
  report({ event: "measured" })
  meter.stopped = true
  await ended
  const [p50, p99] = meter.quantiles(0.5, 0.99)
  return {
    messages: after.count - before.count,
    elapsed: (after.at - before.at) / 1000,
    cpu: after.cpu - before.cpu,
    p50: p50 ?? null,
    p99: p99 ?? null
  }
}

const answer = async (client: Client | undefined, command: Command): Promise<unknown> => {
  switch (command.op) {
    case "run":
      return run(client!, command)
    case "open":
      if (client?.open === undefined) throw new Error("this peer has no idle streams")
      await client.open(command.streams)
      return { opened: command.streams }
    case "stall":
      if (client?.stall === undefined) throw new Error("this peer has no readers that stall")
      await client.stall(command.streams)
      return { stalled: command.streams }
    case "peak":
      return { peak: await peak(command.ms) }
    case "settle":
      await collect()
  }
  return { cpu: cpu(), rss: process.memoryUsage().rss, heap: held() }
}

/** Runs this process as the end of `peer` that its arguments name. */
export const main = async (peer: Peer): Promise<void> => {
  const [role, port] = process.argv.slice(2)
  let client: Client | undefined
  if (role === "client") {
    client = await peer.client(Number(port))
    report({ ready: true })
  } else {
    report({ ready: true, ...(await peer.server()) })
  }
  for await (const line of createInterface({ input: process.stdin })) report(await answer(client, JSON.parse(line)))
  process.exit(0)
}
