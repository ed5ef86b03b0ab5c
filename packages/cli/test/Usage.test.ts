import { assert, describe, it } from "@effect/vitest"
import { symlinkSync } from "node:fs"
import { join } from "node:path"
import { folderOf, runIn } from "./command.ts"

const right = "namespace go echo\nstruct Request { 1: optional string message }\n"

/** Command lines that are wrong, and what is said about them. */
const wrong: Readonly<Record<string, string>> = {
  "": "millrace: no IDL given, and there is no millrace.config.json: name the IDL, as in millrace gen idl/api.thrift\n",
  check:
    "millrace: no IDL given, and there is no millrace.config.json: name the IDL, as in millrace gen idl/api.thrift\n",
  fmt: "millrace: no IDL given: name the files, as in millrace fmt idl/*.thrift\n",
  "print --as idl": "millrace: print takes one IDL, as in millrace print --as plan idl/api.thrift\n",
  "print --as idl api.thrift other.thrift":
    "millrace: print takes one IDL, as in millrace print --as plan idl/api.thrift\n",
  "gne api.thrift": "millrace: gne is neither a command nor an IDL: the name of an IDL ends with .thrift\n",
  "gen api.proto": "millrace: api.proto is neither a command nor an IDL: the name of an IDL ends with .thrift\n",
  "gen folder": "millrace: folder is a folder: name the IDLs in it\n",
  "gen loop.thrift": "millrace: cannot read loop.thrift: too many symbolic links\n",
  "gen -I loop.thrift api.thrift": "millrace: cannot read the include folder loop.thrift: too many symbolic links\n",
  "diff api.thrift folder.thrift": "millrace: cannot read folder.thrift: it is a directory\n",
  "diff --old-include nowhere api.thrift api.thrift": "millrace: the include folder nowhere does not exist\n",
  "scaffold --link nowhere api.thrift": "millrace: --link: nowhere is not a folder\n",
  "gen -o x/{nope} api.thrift":
    "millrace: --out: {nope} stands for nothing in an output folder: there are {namespace} and {namespaceUnderscore}\n",
  "gen missing.thrift --watch": "millrace: missing.thrift does not exist\n",
  "check --format=github missing.thrift": "::error title=E_USAGE::missing.thrift does not exist\n",
  "check --format github --nope": "::error title=E_USAGE::Unrecognized flag: --nope in command millrace check\n",
  "gen missing.thrift": "millrace: missing.thrift does not exist\n",
  "gen folder.thrift": "millrace: cannot read folder.thrift: it is a directory\n",
  "gen https://example.com/idl.git/api.thrift":
    "millrace: IDLs in a repository are not supported: clone https://example.com/idl.git/api.thrift and name the file\n",
  "gen -I git@example.com:team/idl.git api.thrift":
    "millrace: includes from a repository are not supported: clone git@example.com:team/idl.git and name its folder\n",
  "gen -I nowhere api.thrift": "millrace: the include folder nowhere does not exist\n",
  "gen -I api.thrift api.thrift": "millrace: the include folder api.thrift is not a folder\n",
  "gen --watch --check-only api.thrift": "millrace: --watch and --check-only cannot be used together\n",
  "gen --namespace-map echo api.thrift": "millrace: --namespace-map echo is not of the form old=new\n",
  "gen --layout nested api.thrift":
    'millrace: Invalid value for flag --layout: "nested". Expected: "namespace" | "flat"\n' +
    "Run millrace gen --help to see what there is.\n",
  "gen --outt gen api.thrift":
    "millrace: Unrecognized flag: --outt in command millrace gen\n\n  Did you mean this?\n    --out\n" +
    "Run millrace gen --help to see what there is.\n",
  "gen --allow-warning W_STREAM_UNRY api.thrift":
    "millrace: --allow-warning: W_STREAM_UNRY is not the code of a warning; did you mean W_STREAM_UNARY?\n",
  "check --allow-warning E_SYNTAX api.thrift": "millrace: --allow-warning: E_SYNTAX is not the code of a warning\n",
  "gen --config x.js": "millrace: x.js is no configuration: its name ends with .json or .ts\n",
  "gen --config nowhere.json": "millrace: cannot read the configuration nowhere.json: no such file or directory\n"
}

describe("a wrong command line", () => {
  for (const [line, message] of Object.entries(wrong)) {
    it(`millrace ${line}`, async () => {
      const folder = folderOf({ "api.thrift": right, "folder.thrift/x": "", "folder/x": "" })
      symlinkSync("loop.thrift", join(folder, "loop.thrift"))
      const args = line.split(" ").filter((arg) => arg !== "")
      assert.deepStrictEqual(await runIn(folder, ...args), { code: 2, stdout: "", stderr: message })
    })
  }
})

it("is told in JSON where that was asked for", async () => {
  const { code, stderr, stdout } = await runIn(folderOf({}), "check", "missing.thrift", "--format", "json")
  assert.deepStrictEqual([code, stdout], [2, ""])
  assert.deepStrictEqual(JSON.parse(stderr), [
    { code: "E_USAGE", severity: "error", message: "missing.thrift does not exist" }
  ])
})

/** Configurations that are wrong, and what is said about them. */
const wrongConfigurations: Readonly<Record<string, string>> = {
  '{"entries":[]}':
    "millrace: no IDL given, and millrace.config.json has no entries: name the IDL, as in millrace gen idl/api.thrift\n",
  '{"entries":[{"idl":"api.thrift","layout":"nested"}]}':
    'millrace: millrace.config.json is wrong:\nExpected "namespace" | "flat" at ["entries"][0]["layout"]\n',
  '{"entries":[{"idl":"api.thrift","outt":"gen"}]}':
    'millrace: millrace.config.json is wrong:\nExpected no excess property at ["entries"][0]["outt"]\n',
  '{"entries":[{"idl":"api.thrift","out":"{nope}"}]}':
    "millrace: millrace.config.json is wrong:\n{nope} stands for nothing in an output folder: there are {namespace} and " +
    '{namespaceUnderscore} at ["entries"][0]\n',
  '{"entries":[{"idl":[]}]}': 'millrace: millrace.config.json is wrong:\nMissing key at ["entries"][0]["idl"][0]\n'
}

describe("a wrong configuration", () => {
  for (const [text, message] of Object.entries(wrongConfigurations)) {
    it(text, async () => {
      const folder = folderOf({ "millrace.config.json": text })
      assert.deepStrictEqual(await runIn(folder, "gen"), { code: 2, stdout: "", stderr: message })
    })
  }

  it("that is no JSON", async () => {
    const { code, stderr } = await runIn(folderOf({ "millrace.config.json": "{" }), "gen")
    assert.strictEqual(code, 2)
    assert.match(stderr, /^millrace: cannot read the configuration millrace\.config\.json: .*JSON.*\n$/)
  })
})

describe("what every command line tool has", () => {
  it("--version", async () => {
    const { code, stderr, stdout } = await runIn(folderOf({}), "--version")
    assert.deepStrictEqual({ code, stderr }, { code: 0, stderr: "" })
    assert.match(stdout, /^millrace \d+\.\d+\.\d+\n$/)
  })

  it("--help, for each command", async () => {
    const folder = folderOf({})
    const commands = [[], ["gen"], ["check"], ["fmt"], ["print"]]
    for (const command of commands) {
      const { code, stderr, stdout } = await runIn(folder, ...command, "--help")
      assert.deepStrictEqual({ code, stderr }, { code: 0, stderr: "" })
      assert.include(stdout, `  ${["millrace", ...command].join(" ")} `)
    }
  })

  it("--completions", async () => {
    const folder = folderOf({})
    for (const shell of ["bash", "zsh", "fish"]) {
      const { code, stderr, stdout } = await runIn(folder, "--completions", shell)
      assert.deepStrictEqual({ code, stderr }, { code: 0, stderr: "" })
      for (const word of ["millrace", "check", "namespace-scope"]) assert.include(stdout, word)
    }
  })
})
