/** The Go programs that tests of the IDL compiler ask: thriftgo's verdicts, and Kitex's code of the same IDLs. */
import { spawn } from "node:child_process"
import { buildGo } from "./go.ts"
import { build } from "./peers.ts"
import { join } from "node:path"

/** Says what thriftgo thinks of IDL texts. */
export const oracle = (): string => buildGo("thriftgo", ".", "oracle")

/** Kitex's side of `kitex-idl/idl`. */
export const peer = (): string =>
  join(
    build({
      folder: "kitex-idl",
      name: "millrace.dev/interop/idl",
      idl: ["api", "user.api", "golden"],
      programs: ["peer"]
    }),
    "peer"
  )

/** Gives a program one line of JSON for each question; the answers, in their order. */
export const ask = <A>(program: string, questions: ReadonlyArray<unknown>): Promise<ReadonlyArray<A>> =>
  new Promise((resolve, reject) => {
    const child = spawn(program, [], { stdio: ["pipe", "pipe", "inherit"] })
    let out = ""
    child.stdout.setEncoding("utf8").on("data", (chunk: string) => (out += chunk))
    child.once("error", reject)
    child.once("close", (code) => {
      const answers = out.split("\n").filter((line) => line !== "")
      if (code === 0 && answers.length === questions.length) resolve(answers.map((line): A => JSON.parse(line)))
      else reject(new Error(`${program} ended with ${code} after ${answers.length} of ${questions.length} answers`))
    })
    child.stdin.on("error", () => {})
    child.stdin.end(questions.map((question) => `${JSON.stringify(question)}\n`).join(""))
  })
