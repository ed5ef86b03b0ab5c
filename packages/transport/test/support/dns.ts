/** A DNS server that knows a few records, over UDP. */
import { Effect } from "effect"
import { createSocket } from "node:dgram"

type Record =
  | { readonly type: "A" | "AAAA"; readonly ttl: number; readonly bytes: ReadonlyArray<number> }
  | {
      readonly type: "SRV"
      readonly ttl: number
      readonly priority: number
      readonly weight: number
      readonly port: number
      readonly target: string
    }

/** What is known of a name: its records, the code of a failure, or silence. */
export type Zone = { readonly [name: string]: ReadonlyArray<Record> | "SERVFAIL" | "silent" }

export const a = (address: string, ttl: number): Record => ({ type: "A", ttl, bytes: address.split(".").map(Number) })

export const aaaa = (lastByte: number, ttl: number): Record => ({
  type: "AAAA",
  ttl,
  bytes: [0xfd, ...Array.from({ length: 14 }, () => 0), lastByte]
})

export const srv = (priority: number, weight: number, port: number, target: string, ttl = 60): Record => ({
  type: "SRV",
  ttl,
  priority,
  weight,
  port,
  target
})

const types: { readonly [type: number]: Record["type"] } = { 1: "A", 28: "AAAA", 33: "SRV" }
const numbers = { A: 1, AAAA: 28, SRV: 33 }

const two = (value: number) => [value >>> 8, value & 0xff]
const nameBytes = (name: string) => {
  const bytes: Array<number> = []
  for (const label of name.split(".")) bytes.push(label.length, ...new TextEncoder().encode(label))
  return [...bytes, 0]
}

const dataOf = (record: Record): ReadonlyArray<number> =>
  record.type === "SRV"
    ? [...two(record.priority), ...two(record.weight), ...two(record.port), ...nameBytes(record.target)]
    : record.bytes

const answer = (zone: Zone, query: Uint8Array): Uint8Array | undefined => {
  const labels: Array<string> = []
  let at = 12
  while (query[at] !== 0) {
    const length = query[at]!
    labels.push(new TextDecoder().decode(query.subarray(at + 1, at + 1 + length)))
    at += 1 + length
  }
  const type = types[(query[at + 1]! << 8) | query[at + 2]!]
  const known = zone[labels.join(".").toLowerCase()]
  if (known === "silent") return undefined
  const code = known === undefined ? 3 : known === "SERVFAIL" ? 2 : 0
  const records = typeof known === "string" || known === undefined ? [] : known.filter((each) => each.type === type)
  const bytes = [query[0]!, query[1]!, 0x84, 0x80 | code, 0, 1, ...two(records.length), 0, 0, 0, 0]
  bytes.push(...query.subarray(12, at + 5))
  for (const record of records) {
    const data = dataOf(record)
    // Its name is that of the question.
    bytes.push(0xc0, 12, ...two(numbers[record.type]), 0, 1, 0, 0, ...two(record.ttl), ...two(data.length), ...data)
  }
  return Uint8Array.from(bytes)
}

/** `IP:PORT` of a server for `zone`, and how many questions it has heard. */
export const dnsServer = (zone: Zone) =>
  Effect.map(
    Effect.acquireRelease(
      Effect.callback<{ readonly address: string; questions: number; readonly close: () => void }>((resume) => {
        const socket = createSocket("udp4")
        socket.on("message", (query, { address, port }) => {
          server.questions++
          const bytes = answer(zone, query)
          if (bytes !== undefined) socket.send(bytes, port, address)
        })
        const server = { address: "", questions: 0, close: () => void socket.close() }
        socket.bind(0, "127.0.0.1", () => {
          const { port } = socket.address()
          server.address = `127.0.0.1:${port}`
          resume(Effect.succeed(server))
        })
      }),
      (server) => Effect.sync(server.close)
    ),
    (server): { readonly address: string; readonly questions: number } => server
  )
