// Code generated from namespace a.b by millrace. DO NOT EDIT.
export * from "./a.b.ts"
