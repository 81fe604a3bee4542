import type { GenerateImageMutation, GenerationQuery } from '../../schema/generated/operations.ts'

export type AcceptedGeneration = Extract<
  GenerateImageMutation['generateImage'],
  { readonly __typename: 'GenerateImageSuccess' }
>['generation']

export type FinishedGeneration = NonNullable<GenerationQuery['generation']>
