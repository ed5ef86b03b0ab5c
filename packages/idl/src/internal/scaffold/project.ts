/**
 * The files of a scaffold that are written once: what makes it a project, and its server.
 *
 * @internal
 */
import type { Context } from "./context.ts"

/** @internal */
export interface ProjectFile {
  readonly path: string
  readonly text: string
}

/** @internal */
export interface ProjectOptions {
  /** Versions of packages, by name. */
  readonly dependencies: Readonly<Record<string, string>>
  readonly devDependencies: Readonly<Record<string, string>>
  /** The IDLs, relative to the project. */
  readonly idls: ReadonlyArray<string>
  /** The folders of includes, relative to the project. */
  readonly includeDirs: ReadonlyArray<string>
  /** The folder of generated files. */
  readonly out: string
}

const json = (value: unknown): string => `${JSON.stringify(value, undefined, 2)}\n`

const packageJson = (context: Context, { dependencies, devDependencies }: ProjectOptions): string =>
  json({
    name: context.name,
    version: "0.1.0",
    private: true,
    type: "module",
    engines: { node: ">=24" },
    scripts: {
      start: "node src/server.ts",
      client: "node src/client.ts",
      test: "vitest run --passWithNoTests",
      check: "tsc",
      gen: "millrace gen"
    },
    dependencies,
    devDependencies
  })

const tsconfig = json({
  include: ["src", "test"],
  compilerOptions: {
    target: "ES2024",
    lib: ["ES2024", "ESNext.Disposable"],
    module: "NodeNext",
    moduleDetection: "force",
    verbatimModuleSyntax: true,
    allowImportingTsExtensions: true,
    erasableSyntaxOnly: true,
    noEmit: true,
    strict: true,
    exactOptionalPropertyTypes: true,
    noUnusedLocals: true,
    noFallthroughCasesInSwitch: true,
    skipLibCheck: true,
    types: ["node"]
  }
})

const config = ({ idls, includeDirs, out }: ProjectOptions): string =>
  json({
    entries: [
      {
        idl: idls.length === 1 ? idls[0] : idls,
        out,
        importExt: ".ts",
        ...(includeDirs.length === 0 ? {} : { include: includeDirs })
      }
    ]
  })

const server = (context: Context): string => {
  const { binding, from } = context.importOf(context.service.file, "src")
  return `/**
 * Serves ${context.service.name}.
 */
import { NodeRuntime, NodeServices } from "@effect/platform-node"
import { Server } from "@millrace/rpc"
import { NodeTransport } from "@millrace/transport/node"
import { Console, Effect, Layer } from "effect"
import { Command, Flag } from "effect/cli"
import * as ${binding} from "${from}"
import { HandlersLive } from "./handlers.ts"

const host = Flag.String("host").pipe(Flag.withDefault("127.0.0.1"), Flag.withDescription("the address to listen on"))

const port = Flag.Int("port").pipe(
  Flag.withDefault(8888),
  Flag.withDescription("the port to listen on, 0 for any free one")
)

const announce = Effect.flatMap(Server.Server, ({ address }) =>
  Console.log(\`listening on \${address.hostname}:\${address.port}\`)
)

Command.make("server", { host, port }, (address) =>
  Layer.effectDiscard(announce).pipe(
    Layer.provide(Server.layer([${context.reference(context.service)}])),
    Layer.provide(HandlersLive),
    Layer.provide(NodeTransport.layerServer(address)),
    Layer.launch
  )
).pipe(Command.run({ version: "0.1.0" }), Effect.provide(NodeServices.layer), NodeRuntime.runMain)
`
}

const readme = (context: Context, { idls, out }: ProjectOptions): string =>
  `# ${context.name}

A server and a client of the service \`${context.service.name}\`.

\`\`\`sh
npm install
npm start            # the server; then, in another terminal:
npm run client       # calls every method once
\`\`\`

\`npm test\` calls the handlers in memory, \`npm run check\` checks types.

- \`src/handlers.ts\`: what the methods do. Your code goes here.
- \`src/server.ts\`, \`src/client.ts\`: the programs.
- \`${out}\`: generated from ${idls.map((idl) => `\`${idl}\``).join(", ")}; \`npm run gen\` does it again.

When the IDL has new methods, run \`npx millrace scaffold\` with the same arguments: it adds handlers, calls and tests for them and leaves your lines as they are.
`

/** @internal */
export const projectFiles = (context: Context, options: ProjectOptions): ReadonlyArray<ProjectFile> => [
  { path: "package.json", text: packageJson(context, options) },
  { path: "tsconfig.json", text: tsconfig },
  { path: "millrace.config.json", text: config(options) },
  { path: ".gitignore", text: "node_modules/\n" },
  { path: "README.md", text: readme(context, options) },
  { path: "src/server.ts", text: server(context) }
]
