import { type Case, CODEC, IDL, IDLE, PICK, SERVER_STREAM, STALLED, UNARY_EMPTY } from "./cases.ts"
import { measureCodec } from "./codec/measure.ts"
import type { Floor, Metric } from "./floors.ts"
import { type IdlFigures, measureIdl } from "./idl/measure.ts"
import { measurePick, type Picks } from "./pick/measure.ts"
import { isGo, launch, type Memory, type Running, type Sample } from "./processes.ts"
import { median } from "./statistics.ts"

/** How long and how often; the first warm-up of a process is longer, for its code is cold, but for Go's. */
export interface Pace {
  readonly rounds: number
  /** Those who are to have another round, as the row is so far. Default: all, in every round. */
  readonly wanted?: (row: Row) => ReadonlySet<string>
  readonly firstWarmup: number
  readonly warmup: number
  readonly measure: number
  readonly idleStreams: number
  /** Changes of a file that a compiler watches; no floor is about them. */
  readonly watches: number
}

export const FULL: Pace = { rounds: 5, firstWarmup: 2000, warmup: 500, measure: 2000, idleStreams: 5000, watches: 5 }
export const SHORT: Pace = { rounds: 3, firstWarmup: 2000, warmup: 300, measure: 800, idleStreams: 5000, watches: 0 }

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
  /** MiB a stream that nobody reads. */
  readonly clientHeld?: number
  readonly serverHeld?: number
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
  use: (running: ReadonlyMap<string, Running>) => Promise<A>
): Promise<A> => {
  const launched = await Promise.allSettled(peers.map(launch))
  const running = launched.flatMap((each) => (each.status === "fulfilled" ? [each.value] : []))
  try {
    for (const each of launched) if (each.status === "rejected") throw each.reason
    return await use(new Map(running.map((each, i) => [peers[i]!, each])))
  } finally {
    await Promise.all(running.map((each) => each.close()))
  }
}

/** All peers in turn, so many rounds, or fewer where that is enough. */
const inRounds = async (
  peers: ReadonlyArray<string>,
  rounds: number,
  pace: Pace,
  row: () => Row,
  once: (peer: string, round: number) => Promise<void>
): Promise<Row> => {
  let turn = peers
  for (let round = 0; round < rounds; round++) {
    for (const peer of turn) await once(peer, round)
    const wanted = pace.wanted?.(row())
    if (wanted !== undefined) turn = peers.filter((peer) => wanted.has(peer))
  }
  return row()
}

/** Runs a case on all peers in turn, round by round, in fresh processes. */
const measureCase = (the: Case, peers: ReadonlyArray<string>, pace: Pace): Promise<Row> =>
  withPeers(peers, async (running) => {
    const samples = new Map<string, Array<Sample>>(peers.map((peer) => [peer, []]))
    const row = (): Row => new Map(peers.map((peer) => [peer, medianOf(samples.get(peer)!)]))
    const rounds = the.rounds ?? pace.rounds
    // A row of more rounds has shorter ones.
    const share = Math.min(1, pace.rounds / rounds)
    return inRounds(peers, rounds, pace, row, async (name, round) => {
      // Whole milliseconds: Go's peers take no others.
      const warmup = round === 0 && !isGo(name) ? pace.firstWarmup : Math.round(pace.warmup * share)
      const command = { op: "run", case: the, warmup, measure: Math.round(pace.measure * share) } as const
      const sample = await running.get(name)!.run(command)
      if (sample.messages === 0) throw new Error(`${name} moved no message in "${the.name}"`)
      samples.get(name)!.push(sample)
    })
  })

/** Processes are fresh for each round: memory that a process once had it keeps. */
const measureFresh = async <A>(
  peers: ReadonlyArray<string>,
  pace: Pace,
  sample: (peer: Running) => Promise<A>,
  result: (samples: ReadonlyArray<A>) => Result
): Promise<Row> => {
  const samples = new Map<string, Array<A>>(peers.map((peer) => [peer, []]))
  const row = (): Row => new Map(peers.map((peer) => [peer, result(samples.get(peer)!)]))
  return inRounds(peers, Math.min(3, pace.rounds), pace, row, async (peer) => {
    samples.get(peer)!.push(await withPeers([peer], (running) => sample(running.get(peer)!)))
  })
}

/** Streams that nobody reads, at a time. */
const STALLED_STREAMS = 16

const stalled = async (peer: Running): Promise<{ readonly client: number; readonly server: number }> => {
  // Code and buffers that the first streams of a process need are there already.
  await peer.run({ op: "run", case: SERVER_STREAM, warmup: 500, measure: 500 })
  return peer.stalled(STALLED_STREAMS)
}

const heldOf = (samples: ReadonlyArray<{ readonly client: number; readonly server: number }>): Result => ({
  clientHeld: median(samples.map(({ client }) => client)) / 2 ** 20,
  serverHeld: median(samples.map(({ server }) => server)) / 2 ** 20
})

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
const measurePicks = async (peers: ReadonlyArray<string>, { wanted: _, ...pace }: Pace): Promise<Row> => {
  const picks = await measurePick(pace.rounds * 3, pace.measure / 20)
  const callers = peers.filter((peer) => !picks.has(peer))
  return new Map([...(await measureCase(UNARY_EMPTY, callers, pace)), ...picks])
}

export const measure = (the: Floor["case"], peers: ReadonlyArray<string>, pace: Pace): Promise<Row> => {
  if (the === IDLE) return measureFresh(peers, pace, (peer) => peer.idle(pace.idleStreams), memoryOf)
  if (the === STALLED) return measureFresh(peers, pace, stalled, heldOf)
  if (the === IDL) return measureIdl(peers, Math.min(3, pace.rounds), pace.watches)
  if (the === PICK) return measurePicks(peers, pace)
  if (the === CODEC) return measureCodec(peers, pace.rounds * 10, pace.measure / 10)
  return measureCase(the, peers, pace)
}

export const nameOf = (the: Floor["case"]): string => (typeof the === "string" ? the : the.name)

/**
 * The figure that a floor is about: of memory and of what is held the larger side, of the heap what the larger side has more than the
 * peer's, of picks one among many to one among few or to a call; else the ratio of ours to the peer's.
 */
export const figure = (metric: Metric, ours: Result, theirs: Result | undefined): number => {
  switch (metric) {
    case "memory":
      return Math.max(ours.clientMemory!, ours.serverMemory!)
    case "heap":
      return Math.max(ours.clientHeap! - theirs!.clientHeap!, ours.serverHeap! - theirs!.serverHeap!)
    case "held":
      return Math.max(ours.clientHeld!, ours.serverHeld!)
    case "growth":
      return ours.pickMany! / ours.pickFew!
    case "share":
      return ours.pickMany! / 1000 / theirs!.cpu!
    default:
      return ours[metric]! / theirs![metric]!
  }
}
