import type { FieldProblem } from '../errors.ts'
import { type GivenPicture, takePicture } from '../references/given-picture.ts'
import type { PictureSource } from '../references/picture-sources.ts'
import type { InputRole, PictureSize, ReferenceImageInput } from '../references/reference-image.ts'
import type { GenerationInput } from './generation-types.ts'
import type { ModelChoice } from './model-choice.ts'

/** A request with its bytes taken out: what is kept of it, and the pictures that came with it. */
export type TakenRequest = {
  readonly input: GenerationInput
  readonly pictures: readonly GivenPicture[]
  readonly problems: readonly FieldProblem[]
}

/** First of all, so that what looks at a request afterwards never walks through megabytes of base64. */
export function takePictures(input: GenerationInput): TakenRequest {
  const problems: FieldProblem[] = []
  const pictures: GivenPicture[] = []
  const take = (image: ReferenceImageInput, role: InputRole, place: string): ReferenceImageInput => {
    const taken = takePicture(image, role, place)
    if ('picture' in taken) pictures.push(taken.picture)
    else problems.push(taken.problem)
    return 'picture' in taken ? taken.picture.input : { sha256: '' }
  }
  const referenceImages = input.referenceImages?.map((image, index) =>
    take(image, 'reference', `referenceImages.${index}`),
  )
  const mask = input.mask && take(input.mask, 'mask', 'mask')
  return { input: { ...input, referenceImages: referenceImages ?? null, mask }, pictures, problems }
}

export type PicturedChoice = {
  readonly choice: ModelChoice
  /** Shape or price hang on the size of a picture that has not been looked at: what the choice says of them may change. */
  readonly isOpen: boolean
}

/** Chooses for pictures of these sizes; null: not looked at yet. Throws as the chooser does. */
export type SizedChooser = (sizes: readonly (PictureSize | null)[]) => ModelChoice

/** Everything but the money can be told before a byte is fetched, and mostly that too. */
export function chooseBefore(choose: SizedChooser, sources: readonly PictureSource[]): PicturedChoice {
  const sizes = sources.filter(({ role }) => role === 'reference').map(({ size }) => size)
  const choice = choose(sizes)
  return { choice, isOpen: sizes.includes(null) && hangsOnSizes(choice, sizes) }
}

/** With every picture looked at. */
export function chooseAfter(
  choose: SizedChooser,
  pictures: readonly (PictureSize & { readonly role: InputRole })[],
): ModelChoice {
  return choose(pictures.filter(({ role }) => role === 'reference'))
}

function hangsOnSizes({ first, fallbacks }: ModelChoice, sizes: readonly (PictureSize | null)[]): boolean {
  const plans = [first, ...fallbacks]
  const isShapeOpen = sizes[0] === null && plans.some((plan) => plan.followsPictures)
  return isShapeOpen || plans.some(({ price }) => price?.units.some(({ unit }) => unit === 'INPUT_MEGAPIXEL') ?? false)
}
