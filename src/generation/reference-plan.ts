import type { Model } from '../providers/model.ts'
import type { GenerationInput } from './generation-types.ts'
import type { PlanFindings } from './plan-findings.ts'

export type ReferencePlan = {
  /** How many of the request's pictures go with it: the first ones. */
  readonly referenceImages: number
  readonly usesMask: boolean
}

/**
 * Pictures are counted here and looked at later. A model that takes none is refused in both modes: without the picture
 * that it was to start from, nothing of the request remains that anybody would pay for. What is left when some of
 * several are too many, or when a mask is, is still an edit of the first picture, and is adjusted where the caller allows.
 */
export function planReferenceImages(model: Model, input: GenerationInput, findings: PlanFindings): ReferencePlan {
  const { minReferenceImages: min, maxReferenceImages: max } = model.capabilities
  const given = input.referenceImages?.length ?? 0
  if (given < min) {
    const message = `${model.id} starts from pictures and needs at least ${min}; there are ${given}. Give \`referenceImages\`.`
    findings.refuse({ path: 'referenceImages', message, allowed: [] })
  }
  if (given > 0 && max === 0) {
    const message = `${model.id} takes no reference images. Choose a model that does: its \`maxReferenceImages\` is above 0.`
    findings.refuse({ path: 'referenceImages', message, allowed: [] })
    return { referenceImages: 0, usesMask: false }
  }
  if (given > max) {
    const fact = `${model.id} takes at most ${max} pictures, with \`strict: false\` the first ones; ${given} are too many.`
    findings.fit({ field: 'referenceImages', requested: String(given), used: String(max), fact })
  }
  return { referenceImages: Math.min(given, max), usesMask: planMask(model, input, given, findings) }
}

function planMask(model: Model, { mask }: GenerationInput, given: number, findings: PlanFindings): boolean {
  if (mask === null) return false
  if (given === 0) {
    const message =
      'A mask says where the first reference image is painted anew, and there is none. Give `referenceImages`.'
    findings.refuse({ path: 'mask', message, allowed: [] })
    return false
  }
  if (model.capabilities.mask) return true
  const mend = 'Leave it out, and say in the prompt where to change the picture.'
  findings.fit({ field: 'mask', requested: null, used: null, fact: `${model.id} takes no mask.`, mend })
  return false
}
