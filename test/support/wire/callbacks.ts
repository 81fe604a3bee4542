import type { WireMode } from './wire-mode.ts'
import type { WireSetting } from './wire-server.ts'

/**
 * How a vendor calls back: `good`; `forged`, signed by somebody else; `unsigned`; `stale`, signed longer ago than is to
 * be believed; `altered`, changed by a space after it was signed.
 */
export const CALL_KINDS = ['good', 'forged', 'unsigned', 'stale', 'altered'] as const
export type CallKind = (typeof CALL_KINDS)[number]

export type OutgoingCall = {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

export type CallBacks<Job> = {
  /** The job has ended. The first time its vendor calls: once, or as its mode says (`calls=good,good` repeats itself). */
  tell(job: Job): void
  /** A call of this kind about every job that is to be called about. */
  all(kind: CallKind): readonly OutgoingCall[]
}

/** Longer than any vendor's signature is believed, in seconds. */
export const STALE_S = 301

/** Jobs that `release` lets end are told of at that moment, whether anybody looks or not. */
export function createCallBacks<Job extends { readonly mode: WireMode }>(given: {
  readonly setting: WireSetting
  readonly jobs: ReadonlyMap<string, Job>
  /** Where to call about a job; null: nowhere. */
  urlOf(job: Job): string | null
  sign(job: Job, kind: CallKind): Omit<OutgoingCall, 'url'>
}): CallBacks<Job> {
  const { setting, jobs, urlOf, sign } = given
  const told = new Set<Job>()
  const callsOf = (job: Job, kinds: readonly CallKind[]): readonly OutgoingCall[] => {
    const url = urlOf(job)
    return url === null ? [] : kinds.map((kind) => ({ url, ...sign(job, kind) }))
  }
  const tell = (job: Job) => {
    if (told.has(job)) return
    told.add(job)
    for (const call of callsOf(job, readKinds(job.mode))) setting.post(call)
  }
  setting.onRelease(() => {
    for (const job of jobs.values()) if (job.mode.settings.held === 'job') tell(job)
  })
  return { tell, all: (kind) => [...jobs.values()].flatMap((job) => callsOf(job, [kind])) }
}

function readKinds(mode: WireMode): readonly CallKind[] {
  const named = (mode.settings.calls ?? 'good').split(',')
  return CALL_KINDS.flatMap((kind) => named.filter((name) => name === kind).map(() => kind))
}
