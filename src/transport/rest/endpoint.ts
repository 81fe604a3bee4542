import type { Clock } from '../../clock.ts'
import type { Services } from '../../services.ts'
import type { Scope } from '../../viewer.ts'
import type { Call } from '../call.ts'
import type { ReadFailure } from '../call-failures.ts'
import type { TransportLimits } from '../limits.ts'
import type { Begin } from './beginning.ts'
import type { Fields } from './fields.ts'

export type RestDeps = {
  readonly services: Services
  readonly readFailure: ReadFailure
  readonly clock: Clock
}

export type EndpointDeps = RestDeps & {
  readonly limits: TransportLimits
  readonly begin: Begin
}

/** What the path holds where the pattern has a group: decoded. */
export type RestCall = Call & {
  readonly id: string
  /** Of the address. Whoever takes none calls `finish` alone. */
  readonly query: Fields
  /** In which field pictures came, to name it in failures. */
  noteFields(picturesIn: string): void
}

/** One method at one path. */
export type Endpoint = {
  readonly method: 'GET' | 'POST'
  /** Of the whole path; its one group, if any, is the id. */
  readonly path: RegExp
  /** For people: `POST /v1/images/generations`. */
  readonly name: string
  /** Any one of them will do. */
  readonly scopes: readonly Scope[]
  /** Answers, or throws what is refused. */
  run(call: RestCall, deps: EndpointDeps): Promise<void>
}
