import type { ProviderScenes, ProviderStage } from '../provider-contract.ts'

type Failure = ProviderScenes['failures'][number]

/** Faults of the connection and of whatever stands before the vendor: they mean the same whoever is called. */
export function connectionFailures(
  arrange: (mode: string) => () => Promise<ProviderStage>,
  nobody: () => Promise<ProviderStage>,
  given: { readonly billsNobody?: boolean } = {},
): readonly Failure[] {
  const providerBilled = given.billsNobody ? false : null
  const fails = (mode: string, kind: Failure['kind'], delivery: Failure['delivery'], more: Partial<Failure> = {}) => ({
    title: mode,
    arrange: arrange(mode),
    kind,
    delivery,
    ...more,
  })
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
