import type { Ids } from '../../src/ids.ts'

/** Ids that count: the same in every run, unique over all prefixes, sortable by the order of making. */
export function createFakeIds(): Ids {
  let made = 0
  let tokens = 0
  return {
    next: (prefix) => `${prefix}_${String(++made).padStart(8, '0')}`,
    token: () => `token-${String(++tokens).padStart(8, '0')}`,
  }
}
