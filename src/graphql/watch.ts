import type { Builder } from './builder.ts'
import { createStatusStream } from './status-stream.ts'

export function registerWatch(builder: Builder): void {
  builder.subscriptionFields((t) => ({
    imageStatus: t.field({
      type: 'ImageStatusEvent',
      authScopes: { read: true },
      description:
        'Every transition of one generation, once and in order, from queued to its end. Without `after` it tells the ' +
        'story from the first event; with `after` only what follows that cursor. Ends by itself after the last event. ' +
        'An unknown id ends at once with NOT_FOUND, a cursor of another generation with BAD_USER_INPUT. The same over ' +
        'WebSocket and SSE, where `Last-Event-ID` works like `after`.',
      args: {
        id: t.arg.id({ required: true, description: 'Id of the generation.' }),
        after: t.arg.string({ description: '`cursor` of the last event that was seen.' }),
      },
      subscribe: async (_root, { id, after }, { services, viewer, lastEventId, stream }) =>
        createStatusStream(await services.watcher.watch(viewer, id, after ?? lastEventId), stream),
      resolve: (event) => event,
    }),
    historyUpdates: t.field({
      type: 'ImageStatusEvent',
      authScopes: { read: true },
      description:
        'Every transition of every generation of the viewer, resumable in the same way. Without `after` it begins with ' +
        'what happens next. Does not end by itself.',
      args: { after: t.arg.string({ description: '`cursor` of the last event that was seen.' }) },
      subscribe: async (_root, { after }, { services, viewer, lastEventId, stream }) =>
        createStatusStream(await services.watcher.watchAll(viewer, after ?? lastEventId), stream),
      resolve: (event) => event,
    }),
  }))
}
