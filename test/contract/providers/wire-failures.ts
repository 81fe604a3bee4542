import type { ProviderScenes, ProviderStage } from '../provider-contract.ts'

export type Failure = ProviderScenes['failures'][number]

type Arrange = (mode: string) => () => Promise<ProviderStage>

/** Writes failures down, a line each: the mode is the title. `always`: what all of them have in common. */
export function failing(arrange: Arrange, always: Partial<Failure> = {}) {
  return (
    mode: string,
    kind: Failure['kind'],
    delivery: Failure['delivery'],
    more: Partial<Failure> = {},
  ): Failure => ({
    title: mode,
    arrange: arrange(mode),
    kind,
    delivery,
    ...always,
    ...more,
  })
}

/** Faults of the connection and of whatever stands before the vendor: they mean the same whoever is called. */
export function connectionFailures(
  arrange: Arrange,
  nobody: () => Promise<ProviderStage>,
  given: { readonly billsNobody?: boolean } = {},
): readonly Failure[] {
  const providerBilled = given.billsNobody ? false : null
  const fails = failing(arrange)
  return [
    fails('reset', 'UNAVAILABLE', 'UNKNOWN', { providerBilled }),
    fails('truncate', 'UNAVAILABLE', 'UNKNOWN', { providerBilled }),
    fails('empty', 'BAD_OUTPUT', 'ANSWERED', { providerBilled }),
    fails('garbage', 'BAD_OUTPUT', 'ANSWERED', { providerBilled }),
    fails('status code=429', 'RATE_LIMITED', 'NOT_ACCEPTED', { providerBilled: false }),
    fails('status code=500', 'UNAVAILABLE', 'ANSWERED', { providerBilled }),
    fails('status code=502', 'TIMEOUT', 'UNKNOWN', { providerBilled }),
    fails('status code=503', 'UNAVAILABLE', 'NOT_ACCEPTED', { providerBilled: false }),
    fails('status code=504', 'TIMEOUT', 'UNKNOWN', { providerBilled }),
    fails('redirect', 'INVALID_REQUEST', 'ANSWERED', { providerBilled: false }),
    { title: 'nobody listens', arrange: nobody, kind: 'UNAVAILABLE', delivery: 'NOT_ACCEPTED', calls: 0 },
  ]
}
