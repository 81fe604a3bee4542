const MONEY = { amount: '0.040000', currency: 'USD', credits: '40.000000' }

/** Of the shape that `schema/operations/generate.graphql` selects. */
export const ANSWER = {
  __typename: 'GenerateImageSuccess',
  replayed: false,
  generation: {
    id: 'gen_01a2028fd59a729e9e4bd24c458e4947',
    status: 'QUEUED',
    sequence: 1,
    prompt: 'a red fox in snow',
    count: 1,
    createdAt: '2026-11-22T09:21:50.497Z',
    model: { id: 'sandbox/painter', name: 'Painter' },
    warnings: [],
    cost: { estimated: { min: MONEY, max: MONEY }, held: MONEY },
    queue: { position: 1, expectedWaitMs: null },
  },
  account: { id: 'acc_local', balance: MONEY, held: MONEY },
}
