/**
 * What the scenes draw: lines of text.
 */
import { Console } from "effect"

export const title = (text: string) => Console.log(`\n${text}`)

/** A name, a bar of so many blocks, and what stands behind it. */
export const bar = (name: string, length: number, text: string) =>
  Console.log(`  ${name.padEnd(9)}${"█".repeat(Math.round(length)).padEnd(26)}${text}`)

const levels = " ▁▂▃▄▅▆▇█"

/** A row of columns, each as high as its value, the highest as `most`. */
export const columns = (name: string, values: ReadonlyArray<number>, most: number, text: string) =>
  Console.log(`  ${name.padEnd(9)}${values.map((value) => levels[Math.ceil((value / most) * 8)]).join("")}  ${text}`)

/** What became of calls, a sign for each. */
export const signs = (name: string, outcomes: ReadonlyArray<string>) =>
  Console.log(`  ${name.padEnd(9)}${outcomes.join("")}`)

export const note = (text: string) => Console.log(`  ${text}`)
