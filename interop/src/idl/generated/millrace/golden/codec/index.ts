// Code generated from namespace millrace.golden.codec by millrace. DO NOT EDIT.
export * from "./golden.ts"
