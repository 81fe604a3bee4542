/** Posts one operation and returns its data. */
export async function query<Data>(url: string, text: string, variables: object = {}): Promise<Data> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json' },
    body: JSON.stringify({ query: text, variables }),
  })
  const { data, errors } = await response.json()
  if (errors) throw new Error(JSON.stringify(errors))
  return data
}

/** Runs the task for every item, so many at a time. */
export async function eachOf<Item>(items: readonly Item[], atATime: number, run: (item: Item) => Promise<void>) {
  const left = items[Symbol.iterator]()
  const lane = async () => {
    for (const item of left) await run(item)
  }
  await Promise.all(Array.from({ length: atATime }, lane))
}
