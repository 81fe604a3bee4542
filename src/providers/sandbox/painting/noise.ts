import type { Random } from './random.ts'

/** Smooth gradient noise, about −1 to 1, of lattice size 1. */
export type Noise = {
  at(x: number, y: number): number
  along(x: number): number
  /** Octaves of `at`, each of half the size and half the height; about −1 to 1. */
  clouds(x: number, y: number, octaves: number): number
  /** Octaves of `along`. */
  ridge(x: number, octaves: number): number
  /** White noise of whole coordinates, in [0, 1). Repeats every 128, which grain does not show. */
  speck(x: number, y: number): number
}

const LATTICE = 256
const GRAIN = 128

export function createNoise(random: Random): Noise {
  const order = shuffledLattice(random)
  const gradientX = new Float32Array(LATTICE)
  const gradientY = new Float32Array(LATTICE)
  for (let i = 0; i < LATTICE; i++) {
    const angle = random.next() * Math.PI * 2
    gradientX[i] = Math.cos(angle)
    gradientY[i] = Math.sin(angle)
  }
  const specks = Float32Array.from({ length: GRAIN * GRAIN }, () => random.next())

  const dot = (ix: number, iy: number, dx: number, dy: number) => {
    const cell = order[((order[ix & 255] as number) + iy) & 255] as number
    return (gradientX[cell] as number) * dx + (gradientY[cell] as number) * dy
  }
  const at = (x: number, y: number) => {
    const ix = Math.floor(x)
    const iy = Math.floor(y)
    const dx = x - ix
    const dy = y - iy
    const u = dx * dx * dx * (dx * (dx * 6 - 15) + 10)
    const v = dy * dy * dy * (dy * (dy * 6 - 15) + 10)
    const n00 = dot(ix, iy, dx, dy)
    const n10 = dot(ix + 1, iy, dx - 1, dy)
    const n01 = dot(ix, iy + 1, dx, dy - 1)
    const n11 = dot(ix + 1, iy + 1, dx - 1, dy - 1)
    const top = n00 + (n10 - n00) * u
    return 1.5 * (top + (n01 + (n11 - n01) * u - top) * v)
  }
  const along = (x: number) => at(x, 0.37)
  return {
    at,
    along,
    clouds: (x, y, octaves) => sumOctaves(octaves, (scale, shift) => at(x * scale + shift, y * scale - shift)),
    ridge: (x, octaves) => sumOctaves(octaves, (scale, shift) => along(x * scale + shift)),
    speck: (x, y) => specks[((y & 127) << 7) | (x & 127)] as number,
  }
}

function sumOctaves(octaves: number, sample: (scale: number, shift: number) => number): number {
  let sum = 0
  let height = 0.55
  let scale = 1
  for (let octave = 0; octave < octaves; octave++) {
    sum += sample(scale, octave * 17.31) * height
    height *= 0.5
    scale *= 2.03
  }
  return sum
}

function shuffledLattice(random: Random): Uint8Array {
  const order = Uint8Array.from({ length: LATTICE }, (_, i) => i)
  for (let i = LATTICE - 1; i > 0; i--) {
    const j = random.integer(0, i)
    const kept = order[i] as number
    order[i] = order[j] as number
    order[j] = kept
  }
  return order
}
