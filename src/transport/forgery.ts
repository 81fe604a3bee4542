/** A browser cannot send these to another site without asking first; a form, an image or a plain `fetch` cannot set them. */
const PREFLIGHT_HEADERS = ['x-graphql-yoga-csrf', 'apollo-require-preflight', 'graphql-require-preflight']
const SIMPLE_FORMS = ['application/x-www-form-urlencoded', 'multipart/form-data']

export const FORGERY_REFUSAL = `A request that a page of another site could send needs one of the headers ${PREFLIGHT_HEADERS.join(', ')}.`

/** Would a browser send it to us from a page of another site without asking first? */
export function couldBeForged(method: string, header: (name: string) => string | null): boolean {
  if (PREFLIGHT_HEADERS.some((name) => header(name) !== null)) return false
  if (/^bearer\s/i.test(header('authorization') ?? '')) return false
  if (method !== 'POST') return method === 'GET'
  const contentType = header('content-type')?.toLowerCase() ?? ''
  return SIMPLE_FORMS.some((form) => contentType.includes(form))
}
