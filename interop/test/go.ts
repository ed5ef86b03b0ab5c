/**
 * Go programs that tests compare with. Where Go is missing those tests are skipped with a line that says so; where `NEED_GO` is set, as the
 * script `interop` does, a missing Go is a failure, so that the comparison cannot silently disappear.
 */
import { execFileSync } from "node:child_process"
import { join } from "node:path"
import { fileURLToPath } from "node:url"

const interop = fileURLToPath(new URL("..", import.meta.url))

let available: boolean | undefined

/** Whether `go` runs here. Throws where it does not and the environment has `NEED_GO`. */
export const goAvailable = (): boolean => {
  if (available !== undefined) return available
  try {
    execFileSync("go", ["version"], { stdio: "ignore" })
    available = true
  } catch (cause) {
    if (process.env["NEED_GO"]) throw new Error("Go is missing, and NEED_GO asks for it", { cause })
    console.warn("skipped: Go is missing, so nothing is compared with Go programs here")
    available = false
  }
  return available
}

/**
 * Builds package `pkg` (for example "." or "./cmd/peer") of the Go module in `interop/<moduleDir>` into `interop/<moduleDir>/bin/<outName>`
 * and returns the path of the program. Go's own build cache makes a second build cheap.
 */
export const buildGo = (moduleDir: string, pkg: string, outName: string): string => {
  const cwd = join(interop, moduleDir)
  const out = join(cwd, "bin", outName)
  execFileSync("go", ["build", "-o", out, pkg], {
    cwd,
    stdio: ["ignore", "ignore", "inherit"],
    env: { ...process.env, GOFLAGS: "-mod=mod -buildvcs=false" }
  })
  return out
}
