import type { Model, ModelAlias, ModelCapabilities } from '../providers/model.ts'
import type { GenerationInput } from './generation-types.ts'
import {
  type FreeSizes,
  findNearestFreeSize,
  findNearestSize,
  formatAspectRatio,
  formatSize,
  hasSameRatio,
  hasSameShape,
  parseAspectRatio,
  parseSize,
  type SideRange,
  type Size,
} from './image-size.ts'
import { MAX_SIDE_PIXELS } from './input-limits.ts'
import { joinChoices, type PlanFindings, quote } from './plan-findings.ts'
import { readSizeRequest, type SizeRequest } from './size-request.ts'

/** `aspectRatio` only where the model declares it, in the model's own spelling; all null: the provider decides. */
export type PlannedSize = {
  readonly width: number | null
  readonly height: number | null
  readonly aspectRatio: string | null
}

type Ask<Kind extends SizeRequest['kind']> = Extract<SizeRequest, { kind: Kind }>

const DEFAULT_AREA_PIXELS = 1024 * 1024

/**
 * Finds the size that is really asked for: a declared one, one within the ranges, or an aspect ratio alone. Where none is,
 * an edit keeps the shape of its `picture` as well as the model can; null: there is none, or nobody has looked at it yet.
 */
export function planSize(
  model: Model,
  alias: ModelAlias['parameters'],
  input: GenerationInput,
  findings: PlanFindings,
  picture: Size | null,
): PlannedSize {
  const { capabilities } = model
  const fallback = exactly(parseSize(capabilities.defaultSize ?? '') ?? undefined)
  const request = readSizeRequest(alias, input, capabilities.aspectRatios, findings)
  if (!request) return picture && followsPictures(model, alias, input) ? likePicture(capabilities, picture) : fallback
  const planned = request.kind === 'size' ? planExact(model, request, findings) : planRatio(model, request, findings)
  return planned ?? fallback
}

/** A model without a usual size shapes an edit as it likes, which is mostly like the picture. */
export function followsPictures(
  { capabilities }: Model,
  alias: ModelAlias['parameters'],
  { width, height, size, aspectRatio }: GenerationInput,
): boolean {
  const asked = [width, height, size, aspectRatio, alias.size ?? null, alias.aspectRatio ?? null]
  return capabilities.defaultSize !== null && asked.every((value) => value === null)
}

function likePicture(capabilities: ModelCapabilities, picture: Size): PlannedSize {
  const ratio = findNearestSize(listRatios(capabilities), picture, DEFAULT_AREA_PIXELS)
  return ratio ? shapeFreely(capabilities, ratio, ratio.text) : exactly(findSizeOfShape(capabilities, picture))
}

/** null: the model's default takes its place. */
function planExact(model: Model, request: Ask<'size'>, findings: PlanFindings): PlannedSize | null {
  const { capabilities } = model
  const { size } = request
  if (capabilities.sizes.length > 0) {
    if (capabilities.sizes.includes(formatSize(size))) return exactly(size)
    const nearest = findNearestSize(listSizes(capabilities), size, size.width * size.height)
    // A model with few sizes and many ratios is nearer by a ratio.
    const ratio = findNearestSize(listRatios(capabilities), size, DEFAULT_AREA_PIXELS)
    const isNearer = nearest && ratio && findNearestSize([nearest, ratio], size, size.width * size.height) === ratio
    const planned = isNearer ? shapeFreely(capabilities, ratio, ratio.text) : exactly(nearest)
    refuseSize(model, request, isNearer ? ratio.text : nearest && formatSize(nearest), findings)
    return planned
  }
  const free = freeSizes(capabilities)
  if (free) {
    const faults = listFaults(model, free, request)
    if (faults.length === 0) return exactly(size)
    const nearest = findNearestFreeSize(free, size, size.width * size.height)
    for (const [field, fact] of faults) {
      const allowed = nearest ? [nameSize(nearest, field)] : []
      const mend = nearest && `The nearest size is ${formatSize(nearest)}.`
      const used = nearest ? formatSize(nearest) : null
      findings.fit({ field, requested: formatSize(size), used, fact, allowed, ...(mend && { mend }) })
    }
    return nearest ? exactly(nearest) : null
  }
  return planSizeByRatio(model, request, findings)
}

/** For a model that takes an aspect ratio and no size, or neither. */
function planSizeByRatio(model: Model, request: Ask<'size'>, findings: PlanFindings): PlannedSize | null {
  const { aspectRatios } = model.capabilities
  const nearest = findNearestSize(listRatios(model.capabilities), request.size, DEFAULT_AREA_PIXELS)
  const mend = nearest ? 'Ask for `aspectRatio` instead.' : 'Leave it out.'
  findings.fit({
    field: request.field,
    requested: formatSize(request.size),
    used: nearest?.text ?? null,
    fact: nearest ? `${model.id} takes an aspect ratio, not a size.` : `${model.id} takes no size.`,
    mend,
    allowed: aspectRatios,
  })
  return nearest ? { width: null, height: null, aspectRatio: nearest.text } : null
}

/** null: the model's default takes its place. */
function planRatio(model: Model, request: Ask<'ratio'>, findings: PlanFindings): PlannedSize | null {
  const { capabilities } = model
  const ratios = listRatios(capabilities)
  const { shape, field, text } = request
  if (shape === null) return { width: null, height: null, aspectRatio: text }
  const declared = ratios.find((ratio) => hasSameRatio(ratio, shape))
  if (declared) return shapeFreely(capabilities, declared, declared.text)
  if (ratios.length > 0) {
    const nearest = findNearestSize(ratios, shape, DEFAULT_AREA_PIXELS)
    const fact = `${model.id} takes ${joinChoices(capabilities.aspectRatios)}; ${quote(text)} is not among them.`
    const allowed = capabilities.aspectRatios
    findings.fit({ field, requested: text, used: nearest?.text ?? null, fact, allowed })
    return nearest ? shapeFreely(capabilities, nearest, nearest.text) : null
  }
  return planUndeclaredRatio(model, { ...request, shape }, findings)
}

/** For a model that declares no ratios: the ratio stands for a size of that shape, if it makes one. */
function planUndeclaredRatio(
  model: Model,
  { shape, field, text }: { readonly shape: Size; readonly field: string; readonly text: string },
  findings: PlanFindings,
): PlannedSize | null {
  const { capabilities } = model
  const nearest = findSizeOfShape(capabilities, shape)
  if (nearest && hasSameShape(nearest, shape)) return exactly(nearest)
  const sizes = listSizes(capabilities)
  const fact =
    sizes.length > 0
      ? `${model.id} makes ${joinChoices(capabilities.sizes)}; none of them is ${quote(text)}.`
      : nearest
        ? `${model.id} makes no size of ${quote(text)}.`
        : `${model.id} takes no aspect ratio.`
  const allowed = [...new Set(sizes.map(formatAspectRatio))]
  const mend = nearest ? (sizes.length > 0 ? '' : `The nearest is ${formatSize(nearest)}.`) : 'Leave it out.'
  findings.fit({ field, requested: text, used: nearest ? formatSize(nearest) : null, fact, mend, allowed })
  return nearest ? exactly(nearest) : null
}

/** A declared ratio with the size that stands for it, where the model makes one of that shape. */
function shapeFreely(capabilities: ModelCapabilities, shape: Size, aspectRatio: string): PlannedSize {
  const size = findSizeOfShape(capabilities, shape)
  if (!size || !hasSameShape(size, shape)) return { width: null, height: null, aspectRatio }
  return { ...size, aspectRatio }
}

function findSizeOfShape(capabilities: ModelCapabilities, shape: Size): Size | undefined {
  const usual = parseSize(capabilities.defaultSize ?? '')
  const area = usual ? usual.width * usual.height : DEFAULT_AREA_PIXELS
  if (capabilities.sizes.length > 0) return findNearestSize(listSizes(capabilities), shape, area)
  const free = freeSizes(capabilities)
  if (!free) return undefined
  return findNearestFreeSize(free, shape, Math.min(free.maxPixels, Math.max(free.minPixels, area)))
}

function refuseSize(model: Model, request: Ask<'size'>, used: string | undefined, findings: PlanFindings): void {
  const { sizes, aspectRatios } = model.capabilities
  const requested = formatSize(request.size)
  const fact = `${model.id} makes ${joinChoices(sizes)}; ${requested} is not among them.`
  const mend = aspectRatios.length > 0 ? { mend: `\`aspectRatio\` may be ${joinChoices(aspectRatios)}.` } : {}
  findings.fit({ field: request.field, requested, used: used ?? null, fact, allowed: sizes, ...mend })
}

/** What keeps a size from being made, by the field that says it. */
function listFaults(model: Model, free: FreeSizes, { field, size }: Ask<'size'>): [field: string, fact: string][] {
  const faults: [string, string][] = []
  for (const side of ['width', 'height'] as const) {
    const range = free[side]
    if (size[side] >= range.min && size[side] <= range.max && size[side] % range.multipleOf === 0) continue
    const kind = range.multipleOf === 1 ? '' : `, in multiples of ${range.multipleOf}`
    const limits = `${model.id} makes ${side}s from ${range.min} to ${range.max}${kind}`
    faults.push([field === 'width' ? side : field, `${limits}; ${size[side]} is not one of them.`])
  }
  const pixels = size.width * size.height
  if (faults.length === 0 && pixels > free.maxPixels) {
    faults.push([field, `${model.id} makes at most ${free.maxPixels} pixels; ${formatSize(size)} has ${pixels}.`])
  }
  if (faults.length === 0 && pixels < free.minPixels) {
    faults.push([field, `${model.id} makes at least ${free.minPixels} pixels; ${formatSize(size)} has ${pixels}.`])
  }
  return faults
}

/** What one would write into a field to get a size. */
function nameSize(size: Size, field: string): string {
  return field === 'width' || field === 'height' ? String(size[field]) : formatSize(size)
}

function exactly(size: Size | undefined): PlannedSize {
  return { width: size?.width ?? null, height: size?.height ?? null, aspectRatio: null }
}

function listSizes(capabilities: ModelCapabilities): Size[] {
  return capabilities.sizes.map(parseSize).filter((size) => size !== null)
}

function listRatios(capabilities: ModelCapabilities): (Size & { readonly text: string })[] {
  return capabilities.aspectRatios.flatMap((text) => {
    const shape = parseAspectRatio(text)
    return shape ? [{ ...shape, text }] : []
  })
}

/** null: the model takes no size of its own choosing. */
function freeSizes(capabilities: ModelCapabilities): FreeSizes | null {
  const { width, height, minPixels, maxPixels } = capabilities
  if (!width && !height) return null
  const any: SideRange = { min: 1, max: MAX_SIDE_PIXELS, multipleOf: 1 }
  return {
    width: width ?? any,
    height: height ?? any,
    minPixels: minPixels ?? 1,
    maxPixels: maxPixels ?? MAX_SIDE_PIXELS ** 2,
  }
}
