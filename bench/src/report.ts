import { readFileSync } from "node:fs"
import { createRequire } from "node:module"
import { arch, cpus, platform, release } from "node:os"
import { type Floor, FLOORS, holds } from "./floors.ts"
import { figure, nameOf, type Result, type Row } from "./measure.ts"
import { goVersion } from "./processes.ts"

/** Three significant digits, with separators where there are more. */
const number = (value: number | undefined): string => {
  if (value === undefined) return ""
  if (value >= 1000) return Math.round(value).toLocaleString("en-US")
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2)
}

/** A Markdown table whose columns line up, so that it can be read on a terminal too. */
const table = (lines: ReadonlyArray<ReadonlyArray<string>>): string => {
  const widths = lines[0]!.map((_, column) => Math.max(...lines.map((line) => line[column]!.length)))
  const show = (cells: ReadonlyArray<string>) =>
    `| ${cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join(" | ")} |`
  const rule = `|${widths.map((width, i) => (i === 0 ? "-".repeat(width + 2) : `${"-".repeat(width + 1)}:`)).join("|")}|`
  return [show(lines[0]!), rule, ...lines.slice(1).map(show)].join("\n")
}

interface Column {
  readonly title: string
  readonly value: (result: Result, ours: Result) => string
  readonly shown: (result: Result) => boolean
}

const plain = (title: string, key: keyof Result): Column => ({
  title,
  value: (result) => number(result[key]),
  shown: (result) => result[key] !== undefined
})

const ratio = (title: string, key: keyof Result): Column => ({
  title,
  value: (result, ours) =>
    ours === result || ours[key] === undefined || result[key] === undefined ? "" : number(ours[key] / result[key]),
  shown: (result) => result[key] !== undefined
})

const COLUMNS: ReadonlyArray<Column> = [
  plain("messages/s", "rate"),
  plain("CPU µs/message", "cpu"),
  plain("of the client", "clientCpu"),
  plain("of the server", "serverCpu"),
  plain("p50 µs", "p50"),
  plain("p99 µs", "p99"),
  plain("client KB/stream", "clientMemory"),
  plain("server KB/stream", "serverMemory"),
  plain("client heap KB", "clientHeap"),
  plain("server heap KB", "serverHeap"),
  plain("client MiB/stream", "clientHeld"),
  plain("server MiB/stream", "serverHeld"),
  plain("encode/s", "encode"),
  plain("decode/s", "decode"),
  plain("command MB/s", "command"),
  plain("compile MB/s", "compile"),
  plain("parse MB/s", "parse"),
  plain("check MB/s", "check"),
  plain("emit MB/s", "emit"),
  plain("watch ms", "watch"),
  plain("ns among 8", "pickFew"),
  plain("ns among 1,000", "pickMany"),
  plain("bytes", "pickBytes"),
  ratio("our rate x", "rate"),
  ratio("our CPU x", "cpu"),
  ratio("our p50 x", "p50"),
  ratio("our encode x", "encode"),
  ratio("our decode x", "decode"),
  ratio("our command x", "command"),
  ratio("our compile x", "compile")
]

/** The table of one row; the ratios are those of `subject` to each peer. */
export const rowTable = (the: Floor["case"], row: Row, subject: string): string => {
  const ours = row.get(subject) ?? {}
  const results = [...row.values()]
  const columns = COLUMNS.filter((column) => results.some(column.shown))
  const lines = [...row].map(([name, result]) => [name].concat(columns.map((column) => column.value(result, ours))))
  return `### ${nameOf(the)}\n\n${table([["", ...columns.map((column) => column.title)], ...lines])}\n`
}

const METRICS: Readonly<Record<Floor["metric"], string>> = {
  rate: "rate",
  cpu: "CPU a message",
  serverCpu: "CPU of the server a message",
  p50: "p50",
  memory: "memory, larger side",
  heap: "heap more, larger side",
  held: "held at most, larger side",
  encode: "encode",
  decode: "decode",
  command: "command",
  compile: "within a process",
  growth: "CPU among 1,000 to among 8",
  share: "CPU"
}

const UNITS: { readonly [M in Floor["metric"]]?: string } = { memory: " KB", heap: " KB", held: " MiB" }

const unit = (floor: Floor): string => UNITS[floor.metric] ?? "x"

/** What a floor is about, in words. */
export const describe = (floor: Floor): string =>
  `${nameOf(floor.case)}${floor.variant === undefined ? "" : `, ${floor.variant}`}: ${METRICS[floor.metric]}${floor.peer === undefined ? "" : ` to ${floor.peer}`}`

/** What was seen of a floor, in words. */
export const verdict = (floor: Floor, value: number): string =>
  `${number(value)}${unit(floor)} (floor ${floor.floor}, aim ${floor.aim})`

/** The floors with what was measured of them; rows that were not measured are left out. */
export const floorTable = (rows: ReadonlyMap<Floor["case"], Row>, subject: string): string => {
  const lines: Array<ReadonlyArray<string>> = []
  for (const floor of FLOORS) {
    const row = rows.get(floor.case)
    const ours = row?.get(floor.variant ?? subject)
    const theirs = floor.peer === undefined ? undefined : row?.get(floor.peer)
    if (ours === undefined || (floor.peer !== undefined && theirs === undefined)) continue
    const value = figure(floor.metric, ours, theirs)
    lines.push([
      describe(floor),
      `${number(value)}${unit(floor)}`,
      String(floor.floor),
      String(floor.aim),
      holds(floor, value) ? "yes" : "NO"
    ])
  }
  return lines.length === 0 ? "" : `${table([["", "measured", "floor", "aim", "holds"], ...lines])}\n`
}

const require = createRequire(import.meta.url)

const packageVersion = (name: string): string => {
  const path = require.resolve.paths(name)!.map((folder) => `${folder}/${name}/package.json`)
  for (const candidate of path) {
    try {
      return JSON.parse(readFileSync(candidate, "utf8")).version
    } catch {}
  }
  return "unknown"
}

const goModule = (name: string): string => {
  const text = readFileSync(new URL("../go/go.mod", import.meta.url), "utf8")
  return new RegExp(`^\\s*${name.replaceAll(".", "\\.")} (v\\S+)`, "m").exec(text)?.[1] ?? "unknown"
}

/** The machine and the versions: without them the figures mean nothing. */
export const heading = (date: Date): string => {
  const cores = cpus()
  return [
    `- ${date.toISOString().slice(0, 10)}`,
    `- ${cores[0]?.model.trim() ?? "unknown CPU"}, ${cores.length} cores, ${platform()} ${release()} ${arch()}`,
    `- Node ${process.versions.node}, effect ${packageVersion("effect")}, @grpc/grpc-js ${packageVersion("@grpc/grpc-js")}, thrift ${packageVersion("thrift")}, protobufjs ${packageVersion("protobufjs")}`,
    `- ${goVersion()}, grpc-go ${goModule("google.golang.org/grpc")}, Kitex ${goModule("github.com/cloudwego/kitex")}, thriftgo ${goModule("github.com/cloudwego/thriftgo")}`
  ].join("\n")
}

/** How the figures came to be. */
export const METHOD = `Client and server are separate processes on one machine, over loopback. The peers of a case run in turn, round by round; figures are medians
of the rounds. CPU is user and system time of both processes over the interval, divided by messages (calls, for unary and calls). Compare
ratios of one run, not figures of two.

- \`millrace\`: client and server by their public entry points. Each message is built as \`new Request({ message })\` and its field is read, on
  both sides; Thrift is encoded and decoded. "32 B" is the text; the message is 8 bytes longer.
- \`millrace-plain\`: the same with pass-through middleware for what is sent and received, at both ends, plain functions. \`millrace-traced\`: with
  a tracer that reads the sizes and with \`Telemetry.layer\`'s metrics beside that. \`millrace-effectful\`: with middleware that runs an effect
  for each message. \`millrace-spans\`: with a span at each end of every call.
- \`millrace-refusing\`: the server admits one call a second. Rows of empty calls are called by the transport alone, at both: what they cost
  the server is seen.
- \`millrace-ttstream\`: the same as \`millrace\`, with \`transport: "ttheader-streaming"\`; its unary calls are PingPong calls.
  \`millrace-credit\`: with \`streamCredit\` beside that.
- \`net\`: messages of the same bytes, prefix included, over a raw socket, one write a read. No streams, no headers, no codec: the limit.
- \`http2\`: \`node:http2\`, all messages of a tick in one write, no trailers, no codec.
- \`grpc-js\`, \`grpc-go\`: messages are raw bytes of the same length; no codec.
- \`kitex\`: as its generated code does it: gRPC with Thrift, and calls over a pool of long connections, which suits it best with one call in
  flight. \`kitex-mux\`: all calls on one multiplexed connection, which costs it least with many.
- \`kitex-ttstream\`: TTHeader streaming at both ends, all streams on one connection, code generated with \`-streamx\`.
- \`thrift\`: Apache's library of npm, Framed in every row of calls (it has no TTHeader), all calls on one connection. Our Framed calls
  share one connection too; our TTHeader calls do as the defaults have it: one connection, once the server has said that it answers side by side.
- \`grpc-js\` has no calls but unary ones.
- \`protobufjs\`: static code, int64 from numbers; \`finish\` gives each message bytes of its own. Ours are written into the output that a
  connection sends from; \`millrace-own-bytes\` copies them out. In Thrift the message has 1.5 KB, in Protocol Buffers 1.1 KB.
- Picks of instances by each balancer, through what a client of \`Discovery.endpoints\` asks, the end of the call told: CPU of the thread,
  among 8 and among 1,000 in turn, weights from 1 to 8. They are compared with the CPU of both processes for a unary call whose text is empty.
- \`thriftgo\`: with \`-g go:no_fmt=true\`. "Command" is \`millrace gen\` and \`thriftgo\` from their start to their end, run in turn;
  "compile" is parse, check and emit within a process that runs, and for thriftgo its command. "Watch" is the time from the change of a
  file to its new output, in a tree of 100 files that include two each.

Memory of an idle stream is what 5,000 bidirectional streams, each after one round trip, add to the resident memory of a process after garbage
collection, the first 1,000 not counted; its heap is what JavaScript holds of that. What a stalled reader costs is the most that JavaScript and its
buffers hold more, garbage not counted, in the three seconds after 16 server streams without end were opened, whose readers take one message
of 1 KiB and no other.`
