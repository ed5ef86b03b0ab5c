/** The medium message of the codec rows: 15 mixed members, among them maps, a set and a list of 20 structs; about 1.5 KB in Thrift Binary. */

export interface Item {
  readonly name: string
  readonly count: number
  readonly at: number
  readonly weight: number
  readonly live: boolean
}

export interface Medium {
  readonly id: string
  readonly name: string
  readonly live: boolean
  readonly shard: number
  readonly port: number
  readonly count: number
  readonly at: number
  readonly score: number
  readonly level: 0 | 1 | 2
  readonly digest: Uint8Array
  readonly tags: ReadonlyArray<string>
  readonly counters: Readonly<Record<string, number>>
  readonly labels: Readonly<Record<string, string>>
  readonly shards: ReadonlyArray<number>
  readonly items: ReadonlyArray<Item>
}

const times = <A>(n: number, of: (i: number) => A): ReadonlyArray<A> => Array.from({ length: n }, (_, i) => of(i))

const medium = (seed: number): Medium => ({
  id: `0000${seed}0f3-7b1c-4d7e-9a55-0c1f2e3d4b5a`.slice(-36),
  name: `a message of medium size, number ${seed}`,
  live: seed % 2 === 0,
  shard: seed % 100,
  port: 8000 + seed,
  count: seed * 1_000_003,
  at: 1_700_000_000_000 + seed * 977,
  score: seed / 7,
  level: (seed % 3) as 0 | 1 | 2,
  digest: Uint8Array.from(times(32, (i) => (i * 31 + seed) & 0xff)),
  tags: times(5, (i) => `tag-${i}-${seed}`),
  counters: Object.fromEntries(times(5, (i) => [`counter-${i}`, seed * 1_000_000 + i])),
  labels: Object.fromEntries(times(4, (i) => [`label-${i}`, `value ${i} of ${seed}`])),
  shards: times(8, (i) => i * 1000 + seed),
  items: times(20, (i) => ({
    name: `item ${i} of ${seed}`,
    count: i * seed,
    at: 1_700_000_000_000 + i * 1_000_003,
    weight: i / 3 + seed,
    live: i % 3 === 0
  }))
})

/** Several messages of one shape, so that no engine learns the values by heart. */
export const MESSAGES: ReadonlyArray<Medium> = times(16, (i) => medium(i + 1))
