import { execFile } from "node:child_process"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { median } from "../statistics.ts"
import type { PickFigures } from "./run.ts"

const program = fileURLToPath(new URL("run.ts", import.meta.url))

/** Megabytes of young objects that nobody collects: a million picks need less. */
const YOUNG = 256

/** Of one balancer; times in nanoseconds, medians of the rounds. */
export interface Picks {
  readonly pickFew?: number
  readonly pickMany?: number
  readonly pickBytes?: number
}

/** What a pick costs by each balancer. */
export const measurePick = async (rounds: number, ms: number): Promise<ReadonlyMap<string, Picks>> => {
  const flags = ["--expose-gc", `--min-semi-space-size=${YOUNG}`, `--max-semi-space-size=${YOUNG}`]
  const { stdout } = await promisify(execFile)(process.execPath, [...flags, program, String(rounds), String(ms)])
  const figures: Readonly<Record<string, PickFigures>> = JSON.parse(stdout)
  return new Map(
    Object.entries(figures).map(([name, { few, fewBytes, many, manyBytes }]) => {
      if (manyBytes > fewBytes + 1) {
        throw new Error(`${name} allocates ${manyBytes} bytes a pick among many, ${fewBytes} among few`)
      }
      return [name, { pickFew: median(few), pickMany: median(many), pickBytes: manyBytes }]
    })
  )
}
