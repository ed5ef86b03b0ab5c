/**
 * Runs codecs against each other in one process, in turn: `run.ts ROUNDS MS PEER…` prints one JSON line with the figures of each peer, a
 * number of messages a second for every round.
 */
import { MESSAGES } from "./values.ts"

/** A codec of the medium message. */
export interface CodecPeer {
  /** Encodes the message `i` and gives the number of its bytes. */
  readonly encode: (i: number) => number
  /** Decodes the bytes of message `i` and gives the number of its items. */
  readonly decode: (i: number) => number
}

export interface CodecFigures {
  readonly encode: ReadonlyArray<number>
  readonly decode: ReadonlyArray<number>
}

const BATCH = 50

const rate = (one: (i: number) => number, ms: number): number => {
  const startedAt = performance.now()
  let messages = 0
  let sum = 0
  let elapsed = 0
  while (elapsed < ms) {
    for (let round = 0; round < BATCH; round++) {
      for (let i = 0; i < MESSAGES.length; i++) sum += one(i)
    }
    messages += BATCH * MESSAGES.length
    elapsed = performance.now() - startedAt
  }
  if (sum === 0) throw new Error("a codec did nothing")
  return messages / (elapsed / 1000)
}

const load = async (name: string): Promise<readonly [string, CodecPeer]> => {
  const { peer }: { readonly peer: CodecPeer } = await import(`./${name}.ts`)
  return [name, peer]
}

const main = async ([rounds, ms, ...names]: ReadonlyArray<string>): Promise<void> => {
  const peers: Array<readonly [string, CodecPeer]> = []
  for (const name of names) peers.push(await load(name))
  const figures = new Map(names.map((name) => [name, { encode: [] as Array<number>, decode: [] as Array<number> }]))
  for (const [, peer] of peers) {
    rate(peer.encode, 500)
    rate(peer.decode, 500)
  }
  for (let round = 0; round < Number(rounds); round++) {
    for (const direction of ["encode", "decode"] as const) {
      for (const [name, peer] of peers) figures.get(name)![direction].push(rate(peer[direction], Number(ms)))
    }
  }
  process.stdout.write(`${JSON.stringify(Object.fromEntries(figures))}\n`)
}

await main(process.argv.slice(2))
