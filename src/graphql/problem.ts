import type { Builder } from './builder.ts'

export function registerProblem(builder: Builder): void {
  builder.objectType('GenerationProblem', {
    description: 'What went wrong, where, whether it cost anything, and whether trying again makes sense.',
    fields: (t) => ({
      code: t.field({ type: 'ProblemCode', description: 'What went wrong.', resolve: (problem) => problem.code }),
      message: t.exposeString('message', { description: 'For people, in English.' }),
      stage: t.field({
        type: 'ProblemStage',
        description: 'Where it went wrong.',
        resolve: (problem) => problem.stage,
      }),
      retryable: t.exposeBoolean('retryable', { description: 'Would the same request have a chance later?' }),
      billed: t.exposeBoolean('billed', { description: 'Did it cost the account anything?' }),
      providerBilled: t.exposeBoolean('providerBilled', {
        nullable: true,
        description: 'Did the provider bill for it, as far as we can know? null: unknown.',
      }),
      imageIndex: t.exposeInt('imageIndex', {
        nullable: true,
        description: 'Index of the image that it concerns; null: all of them.',
      }),
      providerCode: t.exposeString('providerCode', { nullable: true, description: "The provider's own code." }),
      providerRequestId: t.exposeString('providerRequestId', {
        nullable: true,
        description: "The provider's request id, for its support.",
      }),
    }),
  })
  registerEnums(builder)
}

function registerEnums(builder: Builder): void {
  builder.enumType('ProblemStage', {
    description: 'Where in the way of a generation a problem arose.',
    values: {
      INPUT: { description: 'In the request itself.' },
      QUEUE: { description: 'While it waited.' },
      PROVIDER: { description: 'At the provider.' },
      OUTPUT: { description: 'In what the provider handed back.' },
      STORAGE: { description: 'While the images were being stored.' },
    },
  })
  builder.enumType('ProblemCode', {
    description: 'What went wrong with a generation or one of its images. More values may be added.',
    values: {
      REFUSED: { description: 'The provider declined the content. The same request will be declined again.' },
      RATE_LIMITED: { description: 'The provider takes no more requests for now.' },
      UNAVAILABLE: { description: 'The provider could not be reached or is not working.' },
      TIMEOUT: { description: 'The provider did not answer in time.' },
      UNKNOWN_OUTCOME: {
        description:
          'Nobody can tell whether the provider took the call. It was not sent again, and the account pays nothing.',
      },
      INVALID_REQUEST: { description: 'The provider rejected the request.' },
      UNAUTHORIZED: {
        description:
          "The provider did not accept the key, this server's or the caller's own, or the caller's is no longer there.",
      },
      QUOTA_EXHAUSTED: { description: "This server's quota at the provider is used up." },
      MODEL_RETIRED: { description: 'The provider no longer runs the model.' },
      BAD_OUTPUT: { description: 'What the provider handed back is no image that can be read.' },
      TOO_FEW_IMAGES: { description: 'The provider made fewer images than it was asked for.' },
      DEADLINE_EXCEEDED: { description: 'It was not finished within `deadlineSeconds`.' },
      CANCELED: { description: 'It was canceled.' },
      INTERNAL: { description: 'A fault of this server.' },
    },
  })
}
