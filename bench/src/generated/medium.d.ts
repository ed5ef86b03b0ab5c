/** The part of the generated module that the benchmark uses. */

export namespace bench {
  interface ItemFields {
    readonly name: string
    readonly count: number
    readonly at: number
    readonly weight: number
    readonly live: boolean
  }
  interface MediumFields {
    readonly id: string
    readonly name: string
    readonly live: boolean
    readonly shard: number
    readonly port: number
    readonly count: number
    readonly at: number
    readonly score: number
    readonly level: number
    readonly digest: Uint8Array
    readonly tags: ReadonlyArray<string>
    readonly counters: Readonly<Record<string, number>>
    readonly labels: Readonly<Record<string, string>>
    readonly shards: ReadonlyArray<number>
    readonly items: ReadonlyArray<ItemFields>
  }
  class Medium {
    constructor(fields: MediumFields)
    static encode(message: Medium): { finish(): Uint8Array }
    static decode(bytes: Uint8Array): Medium
    readonly id: string
    readonly items: ReadonlyArray<ItemFields>
  }
}
