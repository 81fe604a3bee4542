/**
 * How long an engine on its owner's hardware may take for one request that it answers with the pictures: a large batch on
 * a small card, behind whatever else it does. Its `VendorFetch` has to wait as long for the first byte.
 */
export const ENGINE_ANSWER_MS = 30 * 60_000
