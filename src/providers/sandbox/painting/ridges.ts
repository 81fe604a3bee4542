import type { Noise } from './noise.ts'
import type { Random } from './random.ts'
import type { Scene } from './scene.ts'

export type RidgeKind = 'rolling' | 'peaks' | 'dunes' | 'trees' | 'city'

export type Ridge = {
  readonly kind: RidgeKind
  /** 0 far, 1 near. */
  readonly depth: number
  /** Height of its foot and of its crest above it, in picture heights. */
  readonly base: number
  readonly amplitude: number
  /** The crest: y in picture heights at x. */
  readonly crest: (x: number) => number
  /** The soil that trees stand on; null where the ridge is all of a piece. */
  readonly soil: ((x: number) => number) | null
}

type Profile = { readonly crest: (x: number) => number; readonly soil: ((x: number) => number) | null }

/** From far to near; the foot of the first stands on the horizon. */
export function planRidges(scene: Scene, aspect: number, horizon: number): readonly Ridge[] {
  const random = scene.random.fork('ridges')
  const count = Math.round(random.integer(4, 6) * (scene.detail < 1 ? 0.7 : 1))
  return Array.from({ length: count }, (_, index) => {
    const depth = index / (count - 1)
    const kind = chooseKind(scene, depth, index)
    const base = horizon + (1.02 - horizon) * depth ** 1.25
    return createRidge(scene, kind, aspect, depth, base, `ridge ${index}`)
  })
}

export function createRidge(
  scene: Scene,
  kind: RidgeKind,
  aspect: number,
  depth: number,
  base: number,
  label: string,
): Ridge {
  const random = scene.random.fork(label)
  const amplitude = heightOf(kind, depth) * random.between(0.8, 1.25)
  const { crest, soil } = createProfile(kind, scene, random, aspect, depth)
  return {
    kind,
    depth,
    base,
    amplitude,
    crest: (x) => base - amplitude * crest(x),
    soil: soil && ((x) => base - amplitude * soil(x)),
  }
}

/** At sea only the far shore and the near one are land. */
export function isLandAtSea(ridge: Ridge): boolean {
  return ridge.depth < 0.3 || ridge.depth > 0.95
}

function chooseKind(scene: Scene, depth: number, index: number): RidgeKind {
  const { motifs } = scene
  if (motifs.has('city') && depth < 0.75 && depth > 0.1) return 'city'
  if (motifs.has('dunes')) return 'dunes'
  if (motifs.has('peaks') && depth < 0.6) return 'peaks'
  if (motifs.has('trees') && depth > 0.2) return 'trees'
  return index === 0 && !motifs.has('city') ? 'peaks' : 'rolling'
}

function heightOf(kind: RidgeKind, depth: number): number {
  const heights = { rolling: 0.11, peaks: 0.27, dunes: 0.13, trees: 0.1, city: 0.26 }
  return heights[kind] * (kind === 'peaks' ? 1 - depth * 0.6 : 0.8 + depth * 0.5)
}

/** 0 at the foot to about 1 at the highest crest. */
function createProfile(kind: RidgeKind, scene: Scene, random: Random, aspect: number, depth: number): Profile {
  const { noise } = scene
  const shift = random.between(0, 200)
  const octaves = scene.detail < 1 ? 4 : scene.detail > 1 ? 7 : 6
  const bare = (crest: (x: number) => number): Profile => ({ crest, soil: null })
  if (kind === 'peaks') return bare((x) => raisePeaks(noise, x * 1.35 + shift, octaves))
  if (kind === 'dunes') return bare((x) => raiseDunes(noise, x * (1.1 - depth * 0.45) + shift))
  if (kind === 'city') return bare(createSkyline(random, aspect))
  if (kind === 'rolling') return bare((x) => 0.5 + 0.6 * noise.ridge(x * 1.5 + shift, 4))
  const soil = (x: number) => 0.25 + 0.45 * noise.ridge(x * 1.5 + shift, 3)
  return { crest: createForest(random, noise, aspect, depth, soil, scene.detail), soil }
}

function raisePeaks(noise: Noise, x: number, octaves: number): number {
  let sum = 0
  let height = 0.62
  let scale = 1
  let weight = 1
  for (let octave = 0; octave < octaves; octave++) {
    const sharp = 1 - Math.min(1, Math.abs(noise.along(x * scale + octave * 31.7)) * 1.5)
    sum += sharp * sharp * height * weight
    weight = 0.35 + 0.65 * sharp
    height *= 0.46
    scale *= 2.1
  }
  return sum
}

/** A long windward slope and a short lee one, with a sharp crest between. */
function raiseDunes(noise: Noise, x: number): number {
  const warped = x + noise.along(x * 0.6) * 0.5
  const t = warped - Math.floor(warped)
  const lean = 0.66 + 0.12 * noise.along(Math.floor(warped) * 1.7)
  const slope = t < lean ? t / lean : (1 - t) / (1 - lean)
  return slope ** 1.35 * (0.75 + 0.35 * noise.along(Math.floor(warped) * 3.1)) + 0.12 * noise.along(x * 2.3)
}

function createSkyline(random: Random, aspect: number): (x: number) => number {
  const houses: { readonly from: number; readonly to: number; readonly top: number; readonly spire: number }[] = []
  const center = random.between(0.3, 0.7) * aspect
  for (let x = -0.05; x < aspect + 0.05; ) {
    const width = random.between(0.022, 0.07)
    const tall = Math.exp(-(((x - center) / (0.32 * aspect)) ** 2))
    const top = random.between(0.12, 0.35) + random.between(0.1, 0.65) * tall
    houses.push({ from: x, to: x + width, top, spire: random.chance(0.16) ? random.between(0.05, 0.2) : 0 })
    x += width + (random.chance(0.2) ? random.between(0, 0.015) : 0)
  }
  return (x) => {
    const house = houses.find(({ from, to }) => x >= from && x < to)
    if (!house) return 0.05
    const middle = (house.from + house.to) / 2
    return Math.abs(x - middle) < 0.0016 ? house.top + house.spire : house.top
  }
}

/** Conifers in groups: heights in parts of the ridge's, widths in picture heights. */
function createForest(
  random: Random,
  noise: Noise,
  aspect: number,
  depth: number,
  soil: (x: number) => number,
  detail: number,
): (x: number) => number {
  const scale = 0.45 + depth * 1.15
  const spacing = (0.0085 * scale) / Math.min(1, detail)
  const trees = Array.from({ length: Math.ceil((aspect + 0.2) / spacing) }, (_, index) => {
    const x = -0.1 + (index + random.next()) * spacing
    const group = 0.55 + 0.75 * noise.along(x * 3.1 + depth * 47)
    const tall = Math.max(0.12, group) * random.between(0.55, 1.1) * scale
    return { x, tall, halfWidth: tall * random.between(0.017, 0.024), foot: soil(x) }
  })
  const reach = Math.ceil((0.05 * scale) / spacing) + 1
  return (x) => {
    const near = Math.floor((x + 0.1) / spacing)
    let top = soil(x)
    for (let i = Math.max(0, near - reach); i <= near + reach; i++) {
      const tree = trees[i]
      if (!tree) continue
      const inside = 1 - Math.abs(x - tree.x) / tree.halfWidth
      if (inside <= 0) continue
      const boughs = inside + 0.16 * (((inside * 6.3) % 1) - 0.6)
      top = Math.max(top, tree.foot + tree.tall * boughs)
    }
    return top
  }
}
