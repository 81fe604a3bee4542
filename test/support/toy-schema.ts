import {
  GraphQLBoolean,
  GraphQLEnumType,
  GraphQLInputObjectType,
  GraphQLInt,
  GraphQLList,
  GraphQLNonNull,
  GraphQLObjectType,
  GraphQLScalarType,
  GraphQLSchema,
  GraphQLString,
} from 'graphql'
import { NotFoundError, RequestError } from '../../src/errors.ts'
import type { ContextRequest } from '../../src/transport/server-options.ts'
import type { ToyEvent, ToyLog } from './toy-log.ts'

export type ToyContext = ContextRequest & { readonly log: ToyLog; slow(): Promise<string> }

const text = { type: new GraphQLNonNull(GraphQLString) }

const Generation = new GraphQLObjectType({ name: 'Generation', fields: { id: text } })

const ImageStatusEvent = new GraphQLObjectType<ToyEvent>({
  name: 'ImageStatusEvent',
  fields: {
    cursor: text,
    sequence: { type: new GraphQLNonNull(GraphQLInt) },
    kind: text,
    padding: text,
    generation: { type: new GraphQLNonNull(Generation) },
  },
})

const Item: GraphQLObjectType = new GraphQLObjectType({
  name: 'Item',
  fields: () => ({
    name: text,
    child: { type: new GraphQLNonNull(Item), resolve: () => ({ name: 'child' }) },
  }),
})

const Secret = new GraphQLScalarType({
  name: 'Secret',
  parseValue(value) {
    if (typeof value !== 'string') throw new TypeError(`Not a secret: ${String(value)}`)
    return value
  },
})

const KeyInput = new GraphQLInputObjectType({
  name: 'KeyInput',
  fields: {
    provider: text,
    width: { type: GraphQLInt },
    format: { type: new GraphQLEnumType({ name: 'Format', values: { PNG: {}, JPEG: {} } }) },
    apiKey: { type: Secret },
  },
})

const Query = new GraphQLObjectType<unknown, ToyContext>({
  name: 'Query',
  fields: {
    hello: { ...text, args: { name: { type: GraphQLString } }, resolve: (_, { name }) => `Hello ${name ?? 'world'}` },
    whoami: { ...text, resolve: (_source, _args, { viewer }) => viewer.accountId },
    items: {
      type: new GraphQLNonNull(new GraphQLList(new GraphQLNonNull(Item))),
      args: { first: { type: new GraphQLNonNull(GraphQLInt) } },
      resolve: () => [{ name: 'one' }],
    },
    slow: { ...text, resolve: (_source, _args, context) => context.slow() },
    broken: {
      type: GraphQLString,
      resolve: () => {
        throw new Error('no such table: accounts', { cause: new Error('select * from accounts') })
      },
    },
    missing: {
      type: GraphQLString,
      resolve: () => {
        throw new NotFoundError('generation')
      },
    },
    limited: {
      ...text,
      resolve: () => {
        throw new RequestError('RATE_LIMITED', 'Too many requests.', { retryAfterMs: 1500 })
      },
    },
  },
})

const Mutation = new GraphQLObjectType<unknown, ToyContext>({
  name: 'Mutation',
  fields: {
    add: {
      type: new GraphQLNonNull(GraphQLInt),
      args: { id: { ...text, defaultValue: 'gen_1' } },
      resolve: (_, { id }, { log }) => log.append(id, 'PROGRESS').sequence,
    },
    setKey: {
      type: new GraphQLNonNull(GraphQLBoolean),
      args: { input: { type: new GraphQLNonNull(KeyInput) } },
      resolve: () => true,
    },
  },
})

const Subscription = new GraphQLObjectType<ToyEvent, ToyContext>({
  name: 'Subscription',
  fields: {
    imageStatus: {
      type: new GraphQLNonNull(ImageStatusEvent),
      args: { id: text, after: { type: GraphQLString } },
      subscribe: (_, { id, after }, { log, stream, lastEventId }) => log.watch(id, after ?? lastEventId, stream),
      resolve: (event) => event,
    },
  },
})

/** Small, and shaped like the real one where the transport cares: typed input, a list, an event log. */
export function createToySchema(): GraphQLSchema {
  return new GraphQLSchema({ query: Query, mutation: Mutation, subscription: Subscription })
}
