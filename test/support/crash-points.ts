import { subscribe } from 'node:diagnostics_channel'
import fs from 'node:fs'
import { ServerResponse } from 'node:http'
import { syncBuiltinESMExports } from 'node:module'
import SqliteConnection from 'better-sqlite3'
import type { Logger } from '../../src/logger.ts'

/**
 * Every effect that this process has on the world, as it happens: what is committed, moved into place or removed, sent to
 * a vendor and heard from it, published, and answered. `pass` is told of each twice, right before and right after it, and
 * may end the process there. What it hooks into is what the product stands on, so nothing of the product knows of it.
 */
export function watchEffects(pass: (point: string) => void): void {
  watchCommits(pass)
  watchFiles(pass)
  watchVendorCalls(pass)
  watchAnswers(pass)
}

/** The bus says of every stored event that it comes, right before it hands it on: this is where to listen. */
export function watchPublishing(logger: Logger, pass: (point: string) => void): Logger {
  return new Proxy(logger, {
    get(target, name) {
      if (name !== 'info') return Reflect.get(target, name)
      return (about: Readonly<Record<string, unknown>>, message: string) => {
        target.info(about, message)
        if (message !== 'Generation event') return
        pass('before publishing')
        // Publishing is synchronous: what was being done when it began is over when a microtask has its turn.
        queueMicrotask(() => pass('after publishing'))
      }
    },
  })
}

function watchCommits(pass: (point: string) => void): void {
  const { prepare } = SqliteConnection.prototype
  SqliteConnection.prototype.prepare = function <Args extends unknown[] | object, Result>(
    this: SqliteConnection.Database,
    text: string,
  ) {
    const statement = prepare.call(this, text)
    if (text !== 'commit') return statement as never
    const changes = prepare.call(this, 'select total_changes()').pluck()
    const commit = statement.run.bind(statement) as (...given: unknown[]) => unknown
    let seen = changes.get()
    statement.run = ((...given: unknown[]) => {
      const now = changes.get()
      // Of nothing: a look for work that found none.
      if (now === seen) return commit(...given)
      seen = now
      pass('before a commit')
      const result = commit(...given)
      pass('after a commit')
      return result
    }) as typeof statement.run
    return statement as never as SqliteConnection.Statement<Args & unknown[], Result>
  } as typeof prepare
}

function watchFiles(pass: (point: string) => void): void {
  const { rename, rm } = fs.promises
  const around =
    <Given extends unknown[], Result>(what: string, work: (...given: Given) => Promise<Result>) =>
    async (...given: Given): Promise<Result> => {
      pass(`before ${what}`)
      const result = await work(...given)
      pass(`after ${what}`)
      return result
    }
  fs.promises.rename = around('moving a file into place', rename)
  fs.promises.rm = around('removing a file', rm)
  syncBuiltinESMExports()
}

function watchVendorCalls(pass: (point: string) => void): void {
  const channels = {
    'undici:request:create': 'before a call',
    'undici:request:bodySent': 'after sending a call',
    'undici:request:headers': 'at the beginning of an answer of a vendor',
    'undici:request:trailers': 'at the end of an answer of a vendor',
  }
  for (const [channel, point] of Object.entries(channels)) subscribe(channel, () => pass(point))
}

function watchAnswers(pass: (point: string) => void): void {
  for (const name of ['write', 'end'] as const) {
    const original = ServerResponse.prototype[name] as (...given: unknown[]) => unknown
    ServerResponse.prototype[name] = function (this: ServerResponse, ...given: unknown[]) {
      pass('before an answer')
      const result = original.apply(this, given)
      pass('after an answer')
      return result
    } as never
  }
}
