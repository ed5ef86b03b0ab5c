/**
 * Where this compiler decides otherwise than thriftgo, the compiler of Kitex, and why.
 *
 * @since 0.1.0
 */

/**
 * A deliberate difference between the verdicts of thriftgo 0.4.5 and ours.
 *
 * @since 0.1.0
 * @category models
 */
export interface Deviation {
  readonly id: string
  readonly thriftgo: "accepts" | "rejects"
  /** What thriftgo and Kitex make of it. */
  readonly theirs: string
  readonly ours: string
  readonly why: string
  /** The cases in `test/data/cases` that show it. */
  readonly cases: ReadonlyArray<string>
}

/**
 * All deliberate differences. What is not here is accepted or rejected as by thriftgo.
 *
 * @since 0.1.0
 * @category constants
 */
export const deviations: ReadonlyArray<Deviation> = [
  {
    id: "empty-file",
    thriftgo: "rejects",
    theirs: "An empty file is no document.",
    ours: "It is a document that declares nothing.",
    why: "A file that is about to be written should not fail a watching compiler.",
    cases: ["emptyFile.thrift"]
  },
  {
    id: "byte-order-mark",
    thriftgo: "rejects",
    theirs: "The mark is a syntax error.",
    ours: "A byte-order mark before the text is skipped.",
    why: "Editors on Windows write it.",
    cases: ["bom.thrift"]
  },
  {
    id: "paired-backslashes",
    thriftgo: "rejects",
    theirs: "Backslashes are not read in pairs, so that a quote behind two of them does not end the literal.",
    ours: "Backslashes are read in pairs.",
    why: "It is what the Go compiler does with the literal afterwards.",
    cases: ["strEsc.thrift", "backslashEnd.thrift"]
  },
  {
    id: "word-bounded-requiredness",
    thriftgo: "rejects",
    theirs: "The type requiredFoo is read as required Foo, and Foo is not found.",
    ours: "required and optional are words of their own.",
    why: "The names are legal, and the message does not say why they fail.",
    cases: ["reqGlue.thrift", "optGlue.thrift"]
  },
  {
    id: "dotted-name",
    thriftgo: "accepts",
    theirs: "A declared name may have a dot, and nothing can refer to it.",
    ours: "E_DOTTED_NAME",
    why: "The declaration is useless, and no name in Go or TypeScript.",
    cases: ["dotIdent.thrift"]
  },
  {
    id: "field-id-range",
    thriftgo: "accepts",
    theirs: "An id is cut to 16 bits when it is written.",
    ours: "E_FIELD_ID_RANGE",
    why: "Two fields may get one id on the wire.",
    cases: ["bigId.thrift", "hugeId.thrift"]
  },
  {
    id: "hex-field-id",
    thriftgo: "accepts",
    theirs: "A hexadecimal id is read as 0.",
    ours: "E_FIELD_ID",
    why: "Nobody means 0, and Apache Thrift reads the number.",
    cases: ["hexId.thrift"]
  },
  {
    id: "enum-number",
    thriftgo: "accepts",
    theirs: "A number of an enum that is none, as 0xHG, is read as 0.",
    ours: "It is a syntax error.",
    why: "Nobody means 0, and in constants thriftgo rejects it too.",
    cases: []
  },
  {
    id: "misformed-number",
    thriftgo: "accepts",
    theirs: "The number of an enum's member (029, 0xG), or a double (1e0x5), that cannot be read is 0.",
    ours: "E_SYNTAX",
    why: "Nobody means 0. In a constant they are errors for thriftgo too.",
    cases: []
  },
  {
    id: "spaced-exponent",
    thriftgo: "accepts",
    theirs:
      "White space and comments may stand between the e of a double and its exponent (1e 5); the number is then 0.",
    ours: "E_SYNTAX",
    why: "Nobody means 0, and no other compiler reads it.",
    cases: []
  },
  {
    id: "duplicate-arguments",
    thriftgo: "accepts",
    theirs: "Arguments, and exceptions, of one method may share an id or a name.",
    ours: "E_DUP_FIELD_ID and E_DUP_FIELD_NAME, as in structs",
    why: "One of them could not be sent, or the Go code does not compile.",
    cases: ["argDupId.thrift", "argDupName.thrift", "throwsDupId.thrift"]
  },
  {
    id: "result-field",
    thriftgo: "accepts",
    theirs: "An exception may take the id 0 or the name success.",
    ours: "E_DUP_FIELD_ID and E_DUP_FIELD_NAME",
    why: "They are those of the result.",
    cases: []
  },
  {
    id: "throws-type",
    thriftgo: "accepts",
    theirs: "Anything can be thrown.",
    ours: "E_THROWS_TYPE",
    why: "Only an exception becomes an error; Apache Thrift rejects others too.",
    cases: ["throwsNonExc.thrift", "throwsBase.thrift"]
  },
  {
    id: "union-defaults",
    thriftgo: "accepts",
    theirs: "A second default in a union is meant to be rejected, but the check never sees the first.",
    ours: "E_UNION_DEFAULTS",
    why: "A union holds one member, so two defaults cannot both hold.",
    cases: ["unionDefaults.thrift"]
  },
  {
    id: "typedef-cycle",
    thriftgo: "accepts",
    theirs: "A typedef may be made of itself through a container.",
    ours: "E_TYPEDEF_CYCLE",
    why: "The type cannot be written down; Apache Thrift hangs on it.",
    cases: ["typedefList.thrift"]
  },
  {
    id: "service-cycle",
    thriftgo: "accepts",
    theirs: "A service may extend itself, and what walks along the chain never ends.",
    ours: "E_SERVICE_CYCLE",
    why: "It has no list of methods.",
    cases: ["svcCycle.thrift", "svcExtendsSelf.thrift"]
  },
  {
    id: "inherited-method",
    thriftgo: "accepts",
    theirs: "A method may be declared again; generic calls then fail with: duplicate method name.",
    ours: "E_DUP_INHERITED",
    why: "On the wire both have one name.",
    cases: ["dupFnInherited.thrift"]
  },
  {
    id: "required-cycle",
    thriftgo: "accepts",
    theirs: "Structs may require each other.",
    ours: "E_REQUIRED_CYCLE",
    why: "No value of them can be built.",
    cases: ["structCycleReq.thrift"]
  },
  {
    id: "constant-cycle",
    thriftgo: "accepts",
    theirs: "Constants may be made of each other, and the Go code does not compile.",
    ours: "E_CONST_CYCLE",
    why: "They have no value.",
    cases: []
  },
  {
    id: "value-type",
    thriftgo: "accepts",
    theirs:
      "Values are looked at only while Go is printed: a wrong type fails there, a number that is too big in the Go compiler, and a container that is given something else is silently empty.",
    ours: "E_VALUE_TYPE for a wrong type, a number out of range, an unknown member, a key or member that is there twice, a union without exactly one member, and an escape that Go does not know",
    why: "The place of the mistake is in the IDL.",
    cases: ["constWrongType.thrift", "constOverflow.thrift"]
  },
  {
    id: "argument-default",
    thriftgo: "accepts",
    theirs: "Defaults of arguments are not looked at.",
    ours: "They are checked as those of members are: E_UNDEFINED, E_AMBIGUOUS_VALUE, E_VALUE_TYPE",
    why: "A wrong one is a mistake there too.",
    cases: []
  },
  {
    id: "stream-void",
    thriftgo: "accepts",
    theirs: "The code generator of Kitex dies on a streaming method that returns void.",
    ours: "E_STREAM_VOID",
    why: "A streaming method has exactly one response.",
    cases: ["smVoid.thrift"]
  },
  {
    id: "stream-oneway",
    thriftgo: "accepts",
    theirs: "As for void; with unary the method is one-way and is not.",
    ours: "E_STREAM_ONEWAY",
    why: "A streaming method has exactly one response.",
    cases: ["smOneway.thrift"]
  },
  {
    id: "stream-type",
    thriftgo: "accepts",
    theirs: "A request or response that is no struct fails when the first one is sent.",
    ours: "E_STREAM_TYPE",
    why: "Messages of streams travel without a wrapper, so they must be structs.",
    cases: ["smPrim.thrift", "smList.thrift"]
  },
  {
    id: "nesting",
    thriftgo: "accepts",
    theirs: "Types and values may nest at any depth, also by typedefs, and includes too.",
    ours: "E_LIMIT behind 64, and behind 128 for includes",
    why: "Hostile input must not exhaust the stack; codecs stop at 64 levels.",
    cases: []
  }
]
