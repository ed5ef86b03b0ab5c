// Runs where there is no Buffer, as on other platforms than Node: strings go through TextEncoder and TextDecoder.
Reflect.deleteProperty(globalThis, "Buffer")

const { Codec, Thrift } = await import("@millrace/codec")

class Text extends Thrift.Struct<Text>("support.Text")({ s: Thrift.optional(1, Thrift.String) }) {}

const texts: ReadonlyArray<string> = JSON.parse(process.argv[2]!)
const answers = texts.map((s) => {
  const codec = Codec.make(Text)
  const bytes = codec.encode(new Text({ s }))
  return [Array.from(bytes), codec.decode(bytes).s]
})
process.stdout.write(JSON.stringify({ hasBuffer: "Buffer" in globalThis, answers }))
