import type { HistoryFilter } from '../../generation/services.ts'

/** All that is the viewer's. */
export const NO_FILTER: HistoryFilter = {
  status: null,
  model: null,
  provider: null,
  tag: null,
  endUser: null,
  createdAfter: null,
  createdBefore: null,
  search: null,
}
