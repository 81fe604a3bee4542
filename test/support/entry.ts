import 'vitest'

declare module 'vitest' {
  interface TaskMeta {
    /** What a test of a fault or an attack has counted: printed behind its title by `npm run test:chaos`. */
    figures?: string
  }
}
