import type { ImageProvider, ProviderOutput } from '../provider.ts'
import { ProviderError } from '../provider-error.ts'

/**
 * A provider that belongs to the operator: whatever became of a call, nobody was billed for it. So a failure at work may
 * go on to a fallback model. It changes nothing of what may be sent again: an unknown outcome stays one.
 */
export function billsNobody(provider: ImageProvider): ImageProvider {
  const { generate, resume } = provider
  return {
    ...provider,
    generate: (request, call) => settle(generate(request, call)),
    ...(resume && { resume: (reference, request, call) => settle(resume(reference, request, call)) }),
  }
}

async function settle(work: Promise<ProviderOutput>): Promise<ProviderOutput> {
  try {
    const output = await work
    return { ...output, failures: output.failures.map((each) => ({ ...each, error: asUnbilled(each.error) })) }
  } catch (error) {
    throw error instanceof ProviderError ? asUnbilled(error) : error
  }
}

function asUnbilled(error: ProviderError): ProviderError {
  if (error.providerBilled === false) return error
  const { kind, delivery, message, retryAfterMs, providerCode, providerRequestId, cause } = error
  const told = { kind, delivery, message, retryAfterMs, providerCode, providerRequestId, cause }
  return new ProviderError({ ...told, providerBilled: false })
}
