import { keepCompiledCode } from './compile-cache.ts'

/** The entry of the `pictor` command. Everything is loaded after the cache is on, hence the late import. */
keepCompiledCode()
const { runCommandLine } = await import('./command-line.ts')
await runCommandLine()
