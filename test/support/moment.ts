/** A moment that a test waits for or decides: the promise and its ends in one. */
export function createMoment(): { readonly reached: Promise<void>; reach(): void } {
  const { promise, resolve } = Promise.withResolvers<void>()
  return { reached: promise, reach: resolve }
}
