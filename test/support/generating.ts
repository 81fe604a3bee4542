import {
  GenerateImageDocument,
  type GenerateImageInput,
  type GenerateImageMutation,
  ImageStatusDocument,
} from '../../schema/generated/operations.ts'
import type { GraphqlClient } from './graphql-client.ts'
import type { StatusEvent } from './watch-client.ts'

type Result = GenerateImageMutation['generateImage']
export type Accepted = Extract<Result, { readonly __typename: 'GenerateImageSuccess' }>
export type Member<Name extends Result['__typename']> = Extract<Result, { readonly __typename: Name }>

/** What costs least: the smallest picture, at once. */
export const QUICK: GenerateImageInput = { prompt: 'a red fox in snow [[sandbox delay=0]]', size: '64x64' }

/** A quick request with other directives. */
export function quick(directives: string, rest: Partial<GenerateImageInput> = {}): GenerateImageInput {
  return { ...QUICK, prompt: `a red fox in snow [[sandbox ${directives}]]`, ...rest }
}

export async function request(client: GraphqlClient, input: GenerateImageInput): Promise<Result> {
  return (await client.run(GenerateImageDocument, { input })).generateImage
}

/** The accepted generation; throws for every other member of the union. */
export async function generate(client: GraphqlClient, input: GenerateImageInput): Promise<Accepted> {
  const result = await request(client, input)
  if (result.__typename !== 'GenerateImageSuccess') throw new Error(JSON.stringify(result))
  return result
}

/** The member of the union that is expected; throws for every other. */
export async function refuse<Name extends Result['__typename']>(
  client: GraphqlClient,
  name: Name,
  input: GenerateImageInput,
): Promise<Member<Name>> {
  const result = await request(client, input)
  if (!isMember(result, name)) throw new Error(JSON.stringify(result))
  return result
}

function isMember<Name extends Result['__typename']>(result: Result, name: Name): result is Member<Name> {
  return result.__typename === name
}

/** The events of a generation over server-sent events, up to its end or to the first for which `enough` is true. */
export async function follow(
  client: GraphqlClient,
  id: string,
  enough: (event: StatusEvent) => boolean = () => false,
): Promise<StatusEvent[]> {
  const events: StatusEvent[] = []
  for await (const { data, errors } of client.stream(ImageStatusDocument, { id })) {
    if (data === null) throw new Error(JSON.stringify(errors))
    events.push(data.imageStatus)
    if (enough(data.imageStatus)) break
  }
  return events
}

/** Asks and waits for the end. */
export async function make(client: GraphqlClient, input: GenerateImageInput) {
  const { generation } = await generate(client, input)
  const events = await follow(client, generation.id)
  const last = events.at(-1)
  if (last === undefined) throw new Error('The story is empty.')
  return { id: generation.id, events, last }
}
