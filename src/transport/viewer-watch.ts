import type { Clock } from '../clock.ts'
import type { Viewer } from '../viewer.ts'
import { authenticateOrRefuse, isUnauthenticated } from './credentials.ts'
import type { Cancel, Scheduler } from './scheduler.ts'
import type { Authenticate, Credentials } from './server-options.ts'

export type ViewerWatchDeps = {
  readonly authenticate: Authenticate
  readonly scheduler: Scheduler
  readonly clock: Clock
  readonly reauthenticateMs: number
  random(): number
}

export type ViewerWatch = (viewer: Viewer, credentials: Credentials, onGone: (why: string) => void) => Cancel

/**
 * A long connection is as good as what it was opened with: this tells when its token ends, and asks again, spread over
 * time, whether the key still holds. A failure to find out is not a no; it is asked again at the next turn.
 */
export function createViewerWatch(deps: ViewerWatchDeps): ViewerWatch {
  const { authenticate, scheduler, clock, reauthenticateMs, random } = deps

  return (viewer, credentials, onGone) => {
    let over = false
    const cancelExpiry =
      viewer.expiresAt === null
        ? () => undefined
        : scheduler.after(viewer.expiresAt - clock.now(), () => end('The token has expired.'))
    let cancelTurn = scheduleTurn()

    function end(why: string): void {
      if (over) return
      stop()
      onGone(why)
    }

    function stop(): void {
      over = true
      cancelExpiry()
      cancelTurn()
    }

    function scheduleTurn(): Cancel {
      return scheduler.after(reauthenticateMs * (0.5 + 0.5 * random()), () => void askAgain())
    }

    async function askAgain(): Promise<void> {
      try {
        const now = await authenticateOrRefuse(authenticate, credentials)
        if (now.accountId !== viewer.accountId) end('The key belongs to another account.')
      } catch (error) {
        if (isUnauthenticated(error)) end('The key is no longer valid.')
      }
      if (!over) cancelTurn = scheduleTurn()
    }

    return stop
  }
}
