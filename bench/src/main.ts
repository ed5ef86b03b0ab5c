/**
 * The benchmark of Millrace.
 *
 *   main.ts                  everything, in about twenty minutes; writes RESULTS.md
 *   main.ts --check          only the rows with floors, in short; exit code 1 when one does not hold
 *   main.ts --only PATTERN   the rows whose name matches
 *   main.ts --subject PEER   another implementation in the place of millrace, to try the benchmark itself
 *   main.ts --peers PATTERN  only the peers whose name matches, beside the subject
 *   main.ts --rounds N       so many rounds in place of five
 */
import { writeFileSync } from "node:fs"
import { parseArgs } from "node:util"
import { type Floor, FLOORS, holds, MET } from "./floors.ts"
import { figure, FULL, measure, nameOf, type Pace, type Row, SHORT } from "./measure.ts"
import { buildGo, isGo } from "./processes.ts"
import { describe, floorTable, heading, METHOD, rowTable, verdict } from "./report.ts"
import { ALL_ROWS, floorRows, type RowPlan } from "./rows.ts"

const { values } = parseArgs({
  options: {
    check: { type: "boolean" },
    only: { type: "string" },
    subject: { type: "string" },
    peers: { type: "string" },
    rounds: { type: "string" }
  }
})
const subject = values.subject ?? "millrace"
const pattern = values.only === undefined ? undefined : new RegExp(values.only, "i")
const peerPattern = new RegExp(values.peers ?? "", "i")
const pace: Pace = { ...FULL, rounds: Number(values.rounds ?? FULL.rounds) }
const startedAt = performance.now()

/** A figure that is so far beyond its floor needs no more rounds. */
const CLEAR = 1.3

/** A failing row is measured again this often, for a neighbour on the machine may be the reason. */
const REPEATS = 6

/** `--check` starts no repeat that would not end within its eight minutes. */
const CHECK_LIMIT = 480_000

const noGo = buildGo()

const select = (rows: ReadonlyArray<RowPlan>): ReadonlyArray<RowPlan> =>
  rows
    .filter((row) => pattern === undefined || pattern.test(nameOf(row.case)))
    .map((row) => ({
      case: row.case,
      peers: row.peers.filter((peer) => peerPattern.test(peer) && (noGo === undefined || !isGo(peer)))
    }))

const withSubject = (peers: Iterable<string>): ReadonlyArray<string> => [...new Set([subject, ...peers])]

const tryMeasure = async (the: Floor["case"], peers: ReadonlyArray<string>, pace: Pace): Promise<Row | Error> => {
  try {
    return await measure(the, peers, pace)
  } catch (error) {
    return error as Error
  }
}

/** The floors of one row that did not hold yet. */
interface OpenRow {
  readonly case: Floor["case"]
  readonly floors: ReadonlyArray<Floor>
  /** How long the row took last, in milliseconds. */
  readonly took: number
}

const figureIn = (row: Row, { metric, peer, variant }: Floor): number =>
  figure(metric, row.get(variant ?? subject)!, row.get(peer ?? subject))

/** Those whose figures the floors are about. */
const peersOf = (floors: ReadonlyArray<Floor>): ReadonlySet<string> =>
  new Set(floors.flatMap(({ peer, variant }) => [variant ?? subject, peer ?? []].flat()))

/** Measures the open floors of a row and says how it went. */
const checkRow = async (open: OpenRow): Promise<OpenRow> => {
  const began = performance.now()
  const wanted = (row: Row) => peersOf(open.floors.filter((floor) => !holds(floor, figureIn(row, floor), CLEAR)))
  const row = await tryMeasure(open.case, [...peersOf(open.floors)], { ...SHORT, wanted })
  const floors = open.floors.filter((floor) => {
    if (row instanceof Error) {
      console.log(`fail  ${describe(floor)}: ${row.message.split("\n")[0]}`)
      return true
    }
    const value = figureIn(row, floor)
    const passed = holds(floor, value)
    console.log(`${passed ? "pass" : "fail"}  ${describe(floor)} ${verdict(floor, value)}`)
    return !passed
  })
  return { case: open.case, floors, took: performance.now() - began }
}

const check = async (): Promise<void> => {
  if (noGo !== undefined) console.log(`skip  the floors against grpc-go and kitex: ${noGo}`)
  for (const floor of FLOORS)
    if (floor.open === true) console.log(`open  ${describe(floor)}: not met reliably, see RESULTS.md`)
  const rows = select(floorRows()).map((plan): OpenRow => ({
    case: plan.case,
    floors: MET.filter(
      (floor) => floor.case === plan.case && (floor.peer === undefined || plan.peers.includes(floor.peer))
    ),
    took: 0
  }))
  const total = rows.reduce((sum, row) => sum + row.floors.length, 0)
  let open: ReadonlyArray<OpenRow> = rows
  for (let attempt = 0; attempt <= REPEATS && open.length > 0; attempt++) {
    const failing: Array<OpenRow> = []
    for (const row of open) {
      const inTime = attempt === 0 || performance.now() - startedAt + row.took < CHECK_LIMIT
      const checked = inTime ? await checkRow(row) : row
      if (checked.floors.length > 0) failing.push(checked)
    }
    open = failing
    if (attempt < REPEATS && open.length > 0) console.log(`again ${open.map((row) => nameOf(row.case)).join("; ")}`)
  }
  const failed = open.reduce((sum, row) => sum + row.floors.length, 0)
  console.log(`${total - failed} passed, ${failed} failed`)
  process.exitCode = failed === 0 && total > 0 ? 0 : 1
}

const everything = async (): Promise<void> => {
  const rows = new Map<Floor["case"], Row>()
  const tables: Array<string> = []
  const head = heading(new Date())
  console.log(`${head}\n`)
  const skipped = noGo === undefined ? "" : `The rows of grpc-go and kitex are skipped: ${noGo}.\n`
  if (skipped !== "") console.log(skipped)
  for (const plan of select(ALL_ROWS)) {
    const row = await measure(plan.case, withSubject(plan.peers), pace)
    rows.set(plan.case, row)
    const text = rowTable(plan.case, row, subject)
    tables.push(text)
    console.log(text)
  }
  const floors = floorTable(rows, subject)
  console.log(floors)
  if (pattern !== undefined || values.peers !== undefined || subject !== "millrace") return
  const text = [
    "# Benchmark results",
    head,
    METHOD,
    ...(skipped === "" ? [] : [skipped.trim()]),
    "## Floors",
    floors.trim(),
    "## Rows",
    ...tables.map((each) => each.trim())
  ].join("\n\n")
  writeFileSync(new URL("../RESULTS.md", import.meta.url), `${text}\n`)
}

await (values.check === true ? check() : everything())
