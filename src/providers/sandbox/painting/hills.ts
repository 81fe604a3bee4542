import type { Canvas, Painting } from './canvas.ts'
import { paintRidge } from './land.ts'
import { findFloors, traceOutline } from './outline.ts'
import { isLandAtSea, planRidges } from './ridges.ts'
import type { Scene } from './scene.ts'
import { paintSky, type Sun } from './sky.ts'
import { scatterSnow, scatterStars } from './specks.ts'
import { paintWater } from './water.ts'

/** Ridges one behind the other under a sky, each paler than the one before it; sea, snow, trees or a town as asked. */
export function* paintHills(scene: Scene, canvas: Canvas): Painting {
  const random = scene.random.fork('hills')
  const aspect = canvas.width / canvas.height
  const horizon = random.between(0.46, 0.62)
  const sun = placeSun(scene, aspect, horizon)
  const isSea = scene.motifs.has('sea')
  const shore = horizon + 0.01
  const ridges = planRidges(scene, aspect, horizon).filter((ridge) => !isSea || isLandAtSea(ridge))
  const outlines = ridges.map((ridge) => traceOutline(ridge, canvas))
  const bottoms = ridges.map((ridge) => (isSea && ridge.depth < 0.5 ? shore : 1) * canvas.height)
  const floors = findFloors(outlines, bottoms, canvas.width)
  yield* paintSky(scene, canvas, horizon, sun, floors.sky)
  if (scene.palette.mood === 'night' && !scene.transparent) yield* scatterStars(scene, canvas, horizon)
  let isWet = false
  for (const [index, ridge] of ridges.entries()) {
    if (isSea && ridge.depth > 0.5 && !isWet) {
      yield* paintWater(scene, canvas, shore, sun)
      isWet = true
    }
    const [outline, floor] = [outlines[index], floors.ridges[index]]
    if (outline && floor) yield* paintRidge(scene, canvas, ridge, outline, sun, floor)
  }
  if (scene.motifs.has('snow')) yield* scatterSnow(scene, canvas)
}

function placeSun(scene: Scene, aspect: number, horizon: number): Sun | null {
  const random = scene.random.fork('sun')
  const x = random.pick([0.28, 0.36, 0.5, 0.64, 0.72]) * aspect
  const height = scene.palette.mood === 'dusk' ? random.between(0.02, 0.16) : random.between(0.14, 0.32)
  const radius = random.between(0.045, scene.palette.mood === 'pale' ? 0.13 : 0.085)
  const isShown = scene.motifs.has('sun') || scene.palette.mood !== 'day'
  return isShown ? { x, y: horizon - height, radius } : null
}
