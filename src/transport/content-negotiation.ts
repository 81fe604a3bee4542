type WithHeaders = { readonly headers: { get(name: string): string | null } }

const JSON_TYPES = ['application/graphql-response+json', 'application/json', 'application/*', '*/*']
const STREAM_TYPES = ['text/event-stream', 'text/*']

/** May a subscription be answered at all? Without an Accept header everything may. */
export function acceptsStream(request: WithHeaders): boolean {
  return mediaTypes(request).some((type) => STREAM_TYPES.includes(type) || type === '*/*')
}

/** Should even a single result be written as an event stream? Only for those who read nothing else. */
export function wantsOnlyStream(request: WithHeaders): boolean {
  const types = mediaTypes(request)
  return types.some((type) => STREAM_TYPES.includes(type)) && !types.some((type) => JSON_TYPES.includes(type))
}

function mediaTypes(request: WithHeaders): readonly string[] {
  const accept = request.headers.get('accept')
  if (!accept) return ['*/*']
  return accept.split(',').map((part) => part.split(';')[0]?.trim().toLowerCase() ?? '')
}
