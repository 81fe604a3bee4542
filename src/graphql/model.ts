import type { ModelFilter as Filter, ModelService } from '../generation/services.ts'
import { type Model, NO_CAPABILITIES } from '../providers/model.ts'
import type { Builder } from './builder.ts'
import { resolveProvider } from './provider.ts'

/** Models leave the catalogue, history stays: what is no longer known is shown as retired and able to do nothing. */
export function resolveModel(models: ModelService, of: { readonly provider: string; readonly model: string }): Model {
  return (
    models.find(of.model) ?? {
      id: of.model,
      provider: of.provider,
      providerModel: of.model,
      name: of.model,
      description: null,
      aliases: [],
      lifecycle: { state: 'RETIRED', retiresAt: null, replacement: null, note: 'This server no longer knows it.' },
      capabilities: NO_CAPABILITIES,
      nativeFormats: [],
      wire: {},
      prices: [],
      tokenEstimates: [],
    }
  )
}

export function registerModel(builder: Builder): void {
  builder.objectType('Model', {
    description: "A provider's named generator: what it can do, what it costs, how long it lives.",
    interfaces: ['Node'],
    fields: (t) => ({
      name: t.exposeString('name', { description: 'For people.' }),
      description: t.exposeString('description', { nullable: true, description: 'What it is good at.' }),
      provider: t.field({
        type: 'Provider',
        description: 'Whose it is.',
        resolve: (model, _args, { services }) => resolveProvider(services.models, model.provider),
      }),
      aliases: t.stringList({
        description: 'Other names that it answers to.',
        resolve: (model) => model.aliases.map(({ name }) => name),
      }),
      lifecycle: t.field({
        type: 'Lifecycle',
        description: 'Whether it is here to stay.',
        resolve: (model) => model.lifecycle,
      }),
      capabilities: t.field({
        type: 'ModelCapabilities',
        description: 'What it can do. A request for more is refused, or adjusted with `strict: false`.',
        resolve: (model) => model.capabilities,
      }),
      prices: t.field({
        type: ['Price'],
        description: 'What it costs; empty: not known.',
        resolve: (model) => model.prices,
      }),
    }),
  })
  registerUse(builder)
  registerLifecycle(builder)
  registerQueries(builder)
}

function registerUse(builder: Builder): void {
  builder.objectFields('Model', (t) => ({
    available: t.boolean({
      description: 'Usable by this viewer right now.',
      resolve: async (model, _args, { services, viewer }) =>
        (await services.models.unavailableReason(viewer, model)) === null,
    }),
    unavailableReason: t.string({
      nullable: true,
      description: 'Why it is not, for people.',
      resolve: (model, _args, { services, viewer }) => services.models.unavailableReason(viewer, model),
    }),
    latencyMs: t.field({
      type: 'DurationRange',
      nullable: true,
      description: "Milliseconds that this server's own recent runs took; null while there are too few.",
      resolve: async (model, _args, { services }) => (await services.models.statistics(model.id))?.latencyMs ?? null,
    }),
    successRate: t.float({
      nullable: true,
      description: "Share of this server's own recent runs that succeeded, 0 to 1; null while there are too few.",
      resolve: async (model, _args, { services }) => (await services.models.statistics(model.id))?.successRate ?? null,
    }),
  }))
}

function registerLifecycle(builder: Builder): void {
  builder.objectType('Lifecycle', {
    description: 'Where a model stands in its life.',
    fields: (t) => ({
      state: t.field({ type: 'LifecycleState', description: 'Where it stands.', resolve: ({ state }) => state }),
      retiresAt: t.expose('retiresAt', {
        type: 'DateTime',
        nullable: true,
        description: 'When its vendor switches it off, where that was announced.',
      }),
      replacement: t.field({
        type: 'Model',
        nullable: true,
        description: 'The model that its vendor names as successor.',
        resolve: ({ replacement }, _args, { services }) =>
          replacement === null ? null : services.models.find(replacement),
      }),
      note: t.exposeString('note', { nullable: true, description: 'What else there is to know.' }),
    }),
  })
  builder.enumType('LifecycleState', {
    description: 'Where a model stands in its life.',
    values: {
      PREVIEW: { description: 'May change or go without notice.' },
      ACTIVE: { description: 'Here to stay.' },
      DEPRECATED: { description: 'Will be switched off; using it gives a warning.' },
      RETIRED: { description: 'Switched off; requests are refused.' },
    },
  })
}

function registerQueries(builder: Builder): void {
  const filter = builder.inputType('ModelFilter', {
    description: 'Which models to list. What is not given does not narrow.',
    fields: (t) => ({
      provider: t.string({ description: 'Provider id.' }),
      available: t.boolean({ description: 'Only those that this viewer can, or cannot, use right now.' }),
      lifecycle: t.field({ type: ['LifecycleState'], description: 'Only those in one of these states.' }),
      minCount: t.int({ description: 'Only those that make at least this many images in one request.' }),
      seed: t.boolean({ description: 'Only those that take, or do not take, a seed.' }),
      referenceImages: t.boolean({ description: 'Only those that take, or do not take, reference images.' }),
      search: t.string({ description: 'Only those with this in id, name, alias or description.' }),
    }),
  })
  builder.queryFields((t) => ({
    models: t.field({
      type: ['Model'],
      authScopes: { read: true },
      complexity: { field: 1, multiplier: 40 },
      description: 'Models that this server knows, each with capabilities, price, life cycle and availability.',
      args: { filter: t.arg({ type: filter, description: 'Which ones; without it, all.' }) },
      resolve: (_root, args, { services, viewer }) =>
        services.models.list(viewer, args.filter ? toModelFilter(args.filter) : null),
    }),
    model: t.field({
      type: 'Model',
      nullable: true,
      authScopes: { read: true },
      description: 'One model; null where nothing, or more than one, goes by that name.',
      args: {
        id: t.arg.id({ required: true, description: 'Id (`sandbox/painter`), bare name or alias.' }),
      },
      resolve: (_root, { id }, { services }) => services.models.find(id) ?? null,
    }),
  }))
}

type FilterFields = { readonly [K in keyof Filter]?: Filter[K] | undefined }

function toModelFilter(fields: FilterFields): Filter {
  return {
    provider: fields.provider ?? null,
    available: fields.available ?? null,
    lifecycle: fields.lifecycle ?? null,
    minCount: fields.minCount ?? null,
    seed: fields.seed ?? null,
    referenceImages: fields.referenceImages ?? null,
    search: fields.search ?? null,
  }
}
