/** Compiles an IDL in this process as often as it is told and prints what each step took: `run.ts FILE ROUNDS`. */
import * as Checker from "@millrace/idl/Checker"
import * as Diagnostic from "@millrace/idl/Diagnostic"
import * as Emitter from "@millrace/idl/Emitter"
import * as Loader from "@millrace/idl/Loader"
import { readFileSync } from "node:fs"

/** In milliseconds. */
export interface Steps {
  readonly parse: number
  readonly check: number
  readonly emit: number
}

const compile = (text: string): Steps => {
  const began = performance.now()
  const loaded = Loader.load(["bench.thrift"], { read: () => ({ _tag: "Text", text }) })
  const parsed = performance.now()
  const { diagnostics, program } = Checker.check(loaded)
  const checked = performance.now()
  const { files } = Emitter.emit(program)
  const emitted = performance.now()
  if (Diagnostic.hasErrors(diagnostics) || files.length === 0) throw new Error("the IDL of the benchmark is wrong")
  return { parse: parsed - began, check: checked - parsed, emit: emitted - checked }
}

/** Its code is cold at first. */
const WARMUPS = 5

const [file, rounds] = process.argv.slice(2)
const text = readFileSync(file!, "utf8")
for (let i = 0; i < WARMUPS; i++) compile(text)
console.log(JSON.stringify(Array.from({ length: Number(rounds) }, () => compile(text))))
