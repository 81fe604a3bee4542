import {
  CancelGenerationDocument,
  type CancelGenerationMutation,
  GenerationDocument,
} from '../../schema/generated/operations.ts'
import type { Api } from './api.ts'
import { CommandError } from './command-error.ts'
import type { CommandContext } from './context.ts'
import { toCommandError } from './failures.ts'
import type { AcceptedGeneration, FinishedGeneration } from './generation.ts'
import { createProgressDisplay } from './progress-display.ts'

type CancelEffect = Extract<
  CancelGenerationMutation['cancelGeneration'],
  { readonly __typename: 'CancelGenerationSuccess' }
>['effect']

const EFFECTS: Readonly<Record<CancelEffect, string>> = {
  FREE: 'Canceled. Nothing had been sent to the provider, and it costs nothing.',
  MAY_BE_BILLED:
    'Canceled. The provider had the request already and may bill whose key it was; the account pays nothing.',
  TOO_LATE: 'It had ended before it could be canceled.',
}

/** From the request to the end. Ctrl-C cancels, at whichever moment it comes, and says what that cost; a second one leaves. */
export async function followGeneration(
  context: CommandContext,
  api: Api,
  accept: () => Promise<AcceptedGeneration>,
  options: { readonly quiet: boolean },
): Promise<FinishedGeneration> {
  const { output, clock } = context
  const display = createProgressDisplay({ output, clock, quiet: options.quiet })
  const interrupted = Promise.withResolvers<void>()
  const stopListening = context.interruptions.listen(['SIGINT'], () => {
    display.note('Canceling. Press Ctrl-C again to leave it as it is.')
    interrupted.resolve()
  })
  try {
    const generation = await accept()
    display.begin(generation)
    interrupted.promise
      .then(() => cancel(api, generation.id))
      .then(display.note, (error: unknown) => {
        display.note(`It could not be canceled. ${toCommandError(error).message}`)
      })
    await api.watch(generation.id, {
      onEvent: display.show,
      onLost: () => display.note('Connection lost; coming back.'),
    })
    return await readFinished(api, generation.id)
  } finally {
    stopListening()
    display.end()
  }
}

/** Says what it cost. */
async function cancel(api: Api, id: string): Promise<string> {
  const { cancelGeneration: result } = await api.request(CancelGenerationDocument, { id })
  return result.__typename === 'CancelGenerationSuccess' ? EFFECTS[result.effect] : result.message
}

async function readFinished(api: Api, id: string): Promise<FinishedGeneration> {
  const { generation } = await api.request(GenerationDocument, { id })
  if (!generation) throw new CommandError(1, `${id} has been deleted.`)
  return generation
}
