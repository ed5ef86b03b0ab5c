#!/usr/bin/env node
/**
 * The process `millrace`.
 *
 * @since 0.1.0
 */
import { enableCompileCache } from "node:module"

enableCompileCache()
process.stdout.on("error", async (error) => {
  const { codeOf, exitCodes, reasonOf } = await import("./failure.ts")
  // A reader that has seen enough, as `head` in a pipe, ends the process quietly.
  if (codeOf(error) === "EPIPE") process.exit(0)
  process.stderr.write(`millrace: cannot write to standard output: ${reasonOf(error)}\n`)
  process.exit(exitCodes.machine)
})
const [{ exitCodeOf, run }, NodeRuntime] = await Promise.all([
  import("./cli.ts"),
  import("@effect/platform-node/NodeRuntime")
])
NodeRuntime.runMain(run(process.argv.slice(2)), {
  disableErrorReporting: true,
  teardown: (exit) => {
    process.exitCode = exitCodeOf(exit)
  }
})
