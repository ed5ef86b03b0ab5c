/** A value with every type. */
import { Choice, Color, Defaults, Everything, Needed, Node, Nothing, Point } from "../src/api.ts"

const needed = new Needed({
  flag: true,
  number: -1,
  text: "needed",
  point: new Point({ x: 1, y: 2 }),
  numbers: [1],
  color: Color.BLUE
})

/** Every member has a value of its own. */
export const everything = new Everything({
  flag: true,
  tiny: 127,
  small: 32767,
  number: 2147483647,
  big: 9223372036854775807n,
  ratio: Math.PI,
  text: "text 错误 \u0000 🜂",
  bytes: Uint8Array.of(0, 1, 0xfe, 0xff),
  color: Color.GREEN,
  at: 1_700_000_000_000_000_000n,
  name: "name",
  point: new Point({ x: 1, y: -1 }),
  numbers: [1, 2, 3],
  names: new Set(["a", "b"]),
  sizes: new Map([
    ["a", 1n],
    ["b", 9223372036854775807n]
  ]),
  path: [new Point({ x: 1 }), new Point({ y: 2 })],
  tree: new Node({
    value: 1,
    next: new Node({ value: 2 }),
    children: [new Node({ value: 3 }), new Node({ value: 4 })]
  }),
  choice: { _tag: "point", value: new Point({ x: 3, y: 4 }) },
  needed,
  defaults: new Defaults({
    plain: 0,
    needed: 0,
    text: "",
    maybeText: "other",
    yes: false,
    maybeYes: false,
    numbers: []
  }),
  nothing: new Nothing(),
  maybeFlag: false,
  maybeTiny: 0,
  maybeSmall: 0,
  maybeNumber: 0,
  maybeBig: 0n,
  maybeRatio: 0,
  maybeText: "",
  maybeColor: Color.RED,
  maybePoint: new Point({}),
  maybeNumbers: [7],
  maybeNames: new Set(["n"]),
  maybeSizes: new Map([["s", -1n]]),
  maybeChoice: { _tag: "text", value: "" },
  flags: [true, false, true],
  tinies: [-128, 127],
  smalls: [-1, 1],
  bigs: [-9223372036854775808n, -1n, 0n, 2n ** 53n + 1n],
  ratios: [-0.5, 0.1, Infinity, -0, Number.MIN_VALUE],
  texts: ["", "x"],
  blobs: [Uint8Array.of(), Uint8Array.of(1), new Uint8Array(5000)],
  colors: [Color.BLUE, 77],
  matrix: [[], [1], [2, 3]],
  tables: [new Map(), new Map([["a", 1]])],
  ids: new Set([3, 1, 2]),
  bigIds: new Set([2n ** 60n, 1n]),
  byNumber: new Map([
    [-1, "a"],
    [1, "b"]
  ]),
  byBig: new Map([[2n ** 60n, "a"]]),
  byColor: new Map([[Color.GREEN, "g"]]),
  points: new Map([["p", new Point({ x: 1 })]]),
  lists: new Map([
    ["e", []],
    ["l", [1]]
  ]),
  nested: new Map([["o", new Map([["i", 1n]])]]),
  byFlag: new Map([
    [true, "t"],
    [false, "f"]
  ]),
  choices: [Choice.cases.number.make({ value: 1 }), Choice.cases.words.make({ value: ["w"] })],
  edge: "edge",
  beyond: 256n,
  last: 32767
})
