import { keepCompiledCode } from './cli/compile-cache.ts'

/** The server's entry. Everything is loaded after the cache is on, hence the late import. */
keepCompiledCode()
const { startServer } = await import('./cli/start-server.ts')
await startServer()
