import { defineConfig } from "vitest/config"

const project = (name: string, root: string) => ({
  extends: true as const,
  root,
  test: { name, include: ["test/**/*.test.ts"] }
})

export default defineConfig({
  test: {
    passWithNoTests: true,
    testTimeout: 20_000,
    projects: [
      project("codec", "packages/codec"),
      project("transport", "packages/transport"),
      project("rpc", "packages/rpc"),
      project("governance", "packages/governance"),
      project("idl", "packages/idl"),
      project("cli", "packages/cli"),
      project("examples", "examples"),
      project("interop", "interop")
    ]
  }
})
