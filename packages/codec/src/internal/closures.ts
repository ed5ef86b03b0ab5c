export const compile: any = () => {
  throw new Error("not yet")
}
