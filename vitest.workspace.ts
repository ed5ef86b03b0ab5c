import { defineConfig } from "vitest/config"

interface Options {
  readonly exclude?: ReadonlyArray<string>
  readonly env?: Readonly<Record<string, string>>
  /** A process for each file. */
  readonly isolate?: boolean
}

const project = (name: string, root: string, { env = {}, exclude = [], isolate = true }: Options = {}) => ({
  extends: true as const,
  root,
  test: { name, include: ["test/**/*.test.ts"], exclude: [...exclude], env, isolate }
})

/** Files that share nothing run one after the other in one process: to start one and to load Effect takes longer than most of them. */
const together = (name: string, root: string, options: Options = {}) =>
  project(name, root, { ...options, isolate: false })

/** Tests that have no streams in them, or streams of one transport: over another they would be the same, or not themselves. */
const ofOneTransport = ["modules", "pingpong", "grpc", "ttstream"].map((folder) => `test/${folder}/**`)

/** The tests of streams once more, over TTHeader streaming (see packages/rpc/test/support/over.ts). */
const overTTHeader = (name: string, root: string) =>
  together(`${name}-ttstream`, root, {
    exclude: ofOneTransport,
    env: { MILLRACE_TRANSPORT: "ttheader-streaming" }
  })

export default defineConfig({
  test: {
    passWithNoTests: true,
    testTimeout: 20_000,
    projects: [
      together("codec", "packages/codec"),
      together("transport", "packages/transport"),
      together("rpc", "packages/rpc"),
      overTTHeader("rpc", "packages/rpc"),
      together("governance", "packages/governance"),
      overTTHeader("governance", "packages/governance"),
      together("idl", "packages/idl"),
      project("cli", "packages/cli"),
      project("examples", "examples"),
      project("interop", "interop")
    ]
  }
})
