import { type Case, CODEC, IDL, IDLE, PICK, UNARY_EMPTY } from "./cases.ts"
import { measureCodec } from "./codec/measure.ts"
import type { Floor, Metric } from "./floors.ts"
import { type IdlFigures, measureIdl } from "./idl/measure.ts"
import { measurePick, type Picks } from "./pick/measure.ts"
import { launch, type Memory, type Running, type Sample } from "./processes.ts"
import { median } from "./statistics.ts"

/** How long and how often; the first warm-up of a process is longer, for its code is cold. */
export interface Pace {
  readonly rounds: number
  readonly firstWarmup: number
  readonly warmup: number
  readonly measure: number
  readonly idleStreams: number
}

export const FULL: Pace = { rounds: 5, firstWarmup: 2000, warmup: 500, measure: 2000, idleStreams: 5000 }
export const SHORT: Pace = { rounds: 3, firstWarmup: 2000, warmup: 300, measure: 800, idleStreams: 5000 }

/** The medians of a peer in one row; what a row does not measure is absent. */
export interface Result extends IdlFigures, Picks {
  readonly rate?: number
  /** Microseconds a message. */
  readonly cpu?: number
  readonly clientCpu?: number
  readonly serverCpu?: number
  /** Microseconds. */
  readonly p50?: number
  readonly p99?: number
  /** KB a stream. */
  readonly clientMemory?: number
  readonly serverMemory?: number
  /** The part of it that JavaScript holds: steadier, and only ours to compare. */
  readonly clientHeap?: number
  readonly serverHeap?: number
  /** Messages a second. */
  readonly encode?: number
  readonly decode?: number
}

/** The medians of one row by peer. */
export type Row = ReadonlyMap<string, Result>

const medianOf = (samples: ReadonlyArray<Sample>): Result => {
  const of = (value: (sample: Sample) => number) => median(samples.map(value))
  const oneInFlight = samples.every((sample) => sample.p50 !== null)
  return {
    rate: of((s) => s.messages / s.elapsed),
    cpu: of((s) => s.cpu / s.messages),
    clientCpu: of((s) => s.clientCpu / s.messages),
    serverCpu: of((s) => s.serverCpu / s.messages),
    ...(oneInFlight ? { p50: of((s) => s.p50!), p99: of((s) => s.p99!) } : {})
  }
}

const withPeers = async <A>(
  peers: ReadonlyArray<string>,
  use: (running: ReadonlyArray<readonly [string, Running]>) => Promise<A>
): Promise<A> => {
  const running: Array<readonly [string, Running]> = []
  try {
    for (const peer of peers) running.push([peer, await launch(peer)])
    return await use(running)
  } finally {
    for (const [, peer] of running) await peer.close()
  }
}

/** Runs a case on all peers in turn, round by round, in fresh processes. */
const measureCase = (the: Case, peers: ReadonlyArray<string>, pace: Pace): Promise<Row> =>
  withPeers(peers, async (running) => {
    const samples = new Map<string, Array<Sample>>(peers.map((peer) => [peer, []]))
    const rounds = the.rounds ?? pace.rounds
    // A row of more rounds has shorter ones.
    const share = Math.min(1, pace.rounds / rounds)
    for (let round = 0; round < rounds; round++) {
      const warmup = round === 0 ? pace.firstWarmup : pace.warmup * share
      for (const [name, peer] of running) {
        const sample = await peer.run({ op: "run", case: the, warmup, measure: pace.measure * share })
        if (sample.messages === 0) throw new Error(`${name} moved no message in "${the.name}"`)
        samples.get(name)!.push(sample)
      }
    }
    return new Map(peers.map((peer) => [peer, medianOf(samples.get(peer)!)]))
  })

/** Processes are fresh for each round: memory that a process once had it keeps. */
const measureIdle = async (peers: ReadonlyArray<string>, pace: Pace): Promise<Row> => {
  const samples = new Map<string, Array<{ readonly client: Memory; readonly server: Memory }>>()
  for (const peer of peers) samples.set(peer, [])
  for (let round = 0; round < Math.min(3, pace.rounds); round++) {
    for (const peer of peers) {
      samples.get(peer)!.push(await withPeers([peer], ([only]) => only![1].idle(pace.idleStreams)))
    }
  }
  return new Map(peers.map((peer) => [peer, memoryOf(samples.get(peer)!)]))
}

const memoryOf = (samples: ReadonlyArray<{ readonly client: Memory; readonly server: Memory }>): Result => {
  const kilobytes = (side: "client" | "server", kind: keyof Memory) =>
    median(samples.map((sample) => sample[side][kind])) / 1024
  const [clientHeap, serverHeap] = [kilobytes("client", "heap"), kilobytes("server", "heap")]
  return {
    clientMemory: kilobytes("client", "resident"),
    serverMemory: kilobytes("server", "resident"),
    ...(Number.isNaN(clientHeap) ? {} : { clientHeap, serverHeap })
  }
}

/** The balancers, and beside them the empty unary call of who is measured. */
const measurePicks = async (peers: ReadonlyArray<string>, pace: Pace): Promise<Row> => {
  const picks = await measurePick(pace.rounds * 3, pace.measure / 20)
  const callers = peers.filter((peer) => !picks.has(peer))
  return new Map([...(await measureCase(UNARY_EMPTY, callers, pace)), ...picks])
}

export const measure = (the: Floor["case"], peers: ReadonlyArray<string>, pace: Pace): Promise<Row> => {
  if (the === IDLE) return measureIdle(peers, pace)
  if (the === IDL) return measureIdl(peers, Math.min(3, pace.rounds))
  if (the === PICK) return measurePicks(peers, pace)
  if (the === CODEC) return measureCodec(peers, pace.rounds * 10, pace.measure / 10)
  return measureCase(the, peers, pace)
}

export const nameOf = (the: Floor["case"]): string => (typeof the === "string" ? the : the.name)

/**
 * The figure that a floor is about: of memory the larger side, of the heap what the larger side has more than the peer's, of picks one among
 * many to one among few or to a call; else
 * the ratio of ours to the peer's.
 */
export const figure = (metric: Metric, ours: Result, theirs: Result | undefined): number => {
  switch (metric) {
    case "memory":
      return Math.max(ours.clientMemory!, ours.serverMemory!)
    case "heap":
      return Math.max(ours.clientHeap! - theirs!.clientHeap!, ours.serverHeap! - theirs!.serverHeap!)
    case "growth":
      return ours.pickMany! / ours.pickFew!
    case "share":
      return ours.pickMany! / 1000 / theirs!.cpu!
    default:
      return ours[metric]! / theirs![metric]!
  }
}
