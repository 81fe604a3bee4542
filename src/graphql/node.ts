import type { Builder } from './builder.ts'
import type { Context } from './context.ts'
import type { Node } from './schema-types.ts'

/** Ids are handed out as they are: the prefix says the type, and a model's id has a slash, a provider's neither. */
export function typeNameOf(id: string): NodeTypeName {
  const prefix = /^(gen|img|att|acc|key|upl|whk|whd)_/.exec(id)?.[1]
  if (prefix) return TYPE_BY_PREFIX[prefix as keyof typeof TYPE_BY_PREFIX]
  return id.includes('/') ? 'Model' : 'Provider'
}

const TYPE_BY_PREFIX = {
  gen: 'Generation',
  img: 'Image',
  att: 'Attempt',
  acc: 'Account',
  key: 'ApiKey',
  upl: 'Upload',
  whk: 'WebhookEndpoint',
  whd: 'WebhookDelivery',
} as const
type NodeTypeName = (typeof TYPE_BY_PREFIX)[keyof typeof TYPE_BY_PREFIX] | 'Model' | 'Provider'

export function registerNode(builder: Builder): void {
  builder.interfaceType('Node', {
    description: 'An object that can be fetched again by its id.',
    resolveType: (node) => typeNameOf(node.id),
    fields: (t) => ({
      id: t.exposeID('id', {
        description: 'Prefixed and globally unique (gen_…, img_…, sandbox/painter): opaque, and good as a cache key.',
      }),
    }),
  })
  builder.queryFields((t) => ({
    node: t.field({
      type: 'Node',
      nullable: true,
      authScopes: { read: true },
      complexity: { field: 5, multiplier: 1 },
      description: 'Any object by its id; null where there is none for this viewer.',
      args: { id: t.arg.id({ required: true, description: 'Id of the object.' }) },
      resolve: async (_root, { id }, context) => (await findNodes([id], context))[0] ?? null,
    }),
    nodes: t.field({
      type: ['Node'],
      nullable: { list: false, items: true },
      authScopes: { read: true },
      complexity: ({ ids }) => ({ field: 5, multiplier: ids.length }),
      description: 'Objects by their ids, in the order of the ids; null in the place of what there is not.',
      args: { ids: t.arg.idList({ required: true, description: 'Ids of the objects.' }) },
      resolve: (_root, { ids }, context) => findNodes(ids, context),
    }),
  }))
}

type Finder = (ids: readonly string[], context: Context) => Promise<readonly Node[]> | readonly Node[]

const FINDERS: Record<NodeTypeName, Finder> = {
  Generation: (ids, { services, viewer }) => services.reader.findMany(viewer, ids),
  Image: (ids, { services, viewer }) => services.reader.findImages(viewer, ids),
  Attempt: (ids, { services, viewer }) => each(ids, (id) => services.reader.findAttempt(viewer, id)),
  // Without the scope there is no such node, as there is none of somebody else's.
  ApiKey: (ids, { services, viewer }) =>
    viewer.scopes.includes('admin') ? each(ids, (id) => services.accounts.findApiKey(viewer, id)) : [],
  WebhookEndpoint: (ids, { services, viewer }) =>
    viewer.scopes.includes('admin') ? each(ids, (id) => services.webhooks.findEndpoint(viewer, id)) : [],
  WebhookDelivery: (ids, { services, viewer }) =>
    viewer.scopes.includes('admin') ? each(ids, (id) => services.webhooks.findDelivery(viewer, id)) : [],
  Upload: (ids, { services, viewer }) => each(ids, (id) => services.uploads.find(viewer, id)),
  Account: async (ids, { services, viewer }) =>
    ids.includes(viewer.accountId) ? [await services.accounts.account(viewer)] : [],
  // `find` takes bare names and aliases too, but a node is found by its own id alone.
  Model: (ids, { services }) => each(ids, (id) => services.models.find(id)),
  Provider: (ids, { services }) => services.models.providers().filter(({ id }) => ids.includes(id)),
}

/** One call for each type among the ids. */
async function findNodes(ids: readonly string[], context: Context): Promise<(Node | null)[]> {
  const groups = Map.groupBy(new Set(ids), typeNameOf)
  const found = await Promise.all([...groups].map(([typeName, group]) => FINDERS[typeName](group, context)))
  const byId = new Map(found.flat().map((node) => [node.id, node]))
  return ids.map((id) => byId.get(id) ?? null)
}

async function each(
  ids: readonly string[],
  find: (id: string) => Promise<Node | undefined> | Node | undefined,
): Promise<Node[]> {
  const found = await Promise.all(ids.map(find))
  return found.filter((node) => node !== undefined)
}
