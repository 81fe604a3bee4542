import { formatCursor } from '../events/cursor.ts'
import type { StoredEvent } from '../events/generation-event.ts'
import type { Generation, Problem } from '../generation/generation-types.ts'
import type { Builder } from './builder.ts'
import { loadImages } from './loaders.ts'
import type { StatusEvent } from './schema-types.ts'

/** An event out of a generation's own log, with a cursor of that log. */
export function fromStored(event: StoredEvent, generation: Generation): StatusEvent {
  return {
    event,
    generation,
    sequence: event.sequence,
    cursor: formatCursor({ generationId: generation.id }, event.sequence),
  }
}

export function registerStatusEvent(builder: Builder): void {
  builder.objectType('ImageStatusEvent', {
    description: 'One step in the life of a generation.',
    fields: (t) => ({
      cursor: t.exposeString('cursor', { description: 'Pass it back as `after` to go on from here.' }),
      sequence: t.exposeInt('sequence', {
        description:
          '1, 2, 3, … within the generation. PROGRESS, PREVIEW and LAGGED are passing: they repeat the one before them.',
      }),
      kind: t.field({
        type: 'ImageStatusEventKind',
        description: 'What happened.',
        resolve: ({ event }) => event.kind,
      }),
      at: t.field({ type: 'DateTime', description: 'When it happened.', resolve: ({ event }) => event.at }),
      message: t.string({ nullable: true, description: 'For people, in English.', resolve: messageOf }),
      progress: t.float({
        nullable: true,
        description: '0 to 1 with PROGRESS, where the provider tells it, and 1 with COMPLETED.',
        resolve: progressOf,
      }),
      problem: t.field({
        type: 'GenerationProblem',
        nullable: true,
        description: 'With RETRYING, FAILED and CANCELED.',
        resolve: problemOf,
      }),
      generation: t.field({
        type: 'Generation',
        description: 'As it stands now, which may be later than this event.',
        resolve: ({ generation }) => generation,
      }),
    }),
  })
  registerStatus(builder)
  registerPictures(builder)
  registerKinds(builder)
}

function messageOf({ event }: StatusEvent): string | null {
  if (event.kind === 'LAGGED') return 'This watcher was too slow and is being ended. Subscribe again with the cursor.'
  return event.message
}

function progressOf({ event }: StatusEvent): number | null {
  if (event.kind === 'COMPLETED') return 1
  return 'progress' in event ? event.progress : null
}

/** The log keeps problems as the generation wrote them and does not look inside. */
function problemOf({ event }: StatusEvent): Problem | null {
  return 'problem' in event ? (event.problem as Problem | null) : null
}

function registerStatus(builder: Builder): void {
  builder.objectFields('ImageStatusEvent', (t) => ({
    status: t.field({
      type: 'GenerationStatus',
      description: 'The status as of this event.',
      resolve: ({ event, generation }) => {
        if (event.kind === 'LAGGED') return generation.status
        return 'status' in event ? event.status : 'RUNNING'
      },
    }),
    previousStatus: t.field({
      type: 'GenerationStatus',
      nullable: true,
      description: 'The status before it; null with QUEUED at the beginning, and with passing events.',
      resolve: ({ event }) => ('previousStatus' in event ? event.previousStatus : null),
    }),
  }))
}

function registerPictures(builder: Builder): void {
  builder.objectFields('ImageStatusEvent', (t) => ({
    image: t.loadable({
      type: 'Image',
      nullable: true,
      description: 'With IMAGE_READY; null also when it was deleted since.',
      load: loadImages,
      loaderOptions: { cache: false },
      resolve: ({ event }) => ('imageId' in event ? event.imageId : null),
    }),
    preview: t.field({
      type: 'ImagePreview',
      nullable: true,
      description: 'With PREVIEW.',
      resolve: ({ event }) => ('preview' in event ? event.preview : null),
    }),
  }))
  builder.objectType('ImagePreview', {
    description: 'A provisional picture while an attempt runs: never billed, never kept.',
    fields: (t) => ({
      url: t.field({
        type: 'URL',
        description: 'Signed address; gone soon after the generation has ended.',
        resolve: (preview, _args, { services }) => services.images.previewUrl(preview),
      }),
      index: t.exposeInt('index', { description: 'Index of the image that it foreshadows.' }),
      width: t.exposeInt('width', { nullable: true, description: 'In pixels.' }),
      height: t.exposeInt('height', { nullable: true, description: 'In pixels.' }),
    }),
  })
}

function registerKinds(builder: Builder): void {
  builder.enumType('ImageStatusEventKind', {
    description: 'What happened. More values may be added.',
    values: {
      QUEUED: { description: 'Accepted.' },
      STARTED: { description: 'An attempt began.' },
      PROGRESS: { description: 'The provider told how far it is. Passing: coalesced, and not told again.' },
      PREVIEW: { description: 'A provisional picture. Passing: coalesced, and not told again.' },
      IMAGE_READY: { description: 'An image is stored.' },
      RETRYING: { description: 'The attempt did not succeed; another will follow.' },
      COMPLETED: { description: 'Ended with at least one image.' },
      FAILED: { description: 'Ended without an image.' },
      CANCELED: { description: 'Canceled.' },
      LAGGED: { description: 'This watcher was too slow and is being ended; subscribe again with the cursor.' },
    },
  })
}
