import { smoothstep } from './canvas.ts'
import { createField } from './field.ts'
import type { Outline } from './outline.ts'
import type { Ridge } from './ridges.ts'
import type { Scene } from './scene.ts'
import type { Sun } from './sky.ts'

/** Light and shade on the flank of a ridge. */
export type Relief = {
  /** How much `facing` changes the brightness. */
  readonly strength: number
  /** −1 turned away from the light, 1 turned to it; fades down the flank. */
  facing(row: number, column: number, below: number): number
  /** Cover of snow, 0 to 1. */
  snow(column: number, below: number, texture: number, facing: number): number
}

const STRENGTHS = { peaks: 0.42, dunes: 0.34, rolling: 0.08, trees: 0, city: 0 }

/** Borders between light and shade start at the crest and run down in zigzag, as gullies do. */
export function createRelief(
  scene: Scene,
  width: number,
  height: number,
  ridge: Ridge,
  outline: Outline,
  sun: Sun | null,
): Relief {
  const { noise } = scene
  const strength = STRENGTHS[ridge.kind]
  const isCapped = ridge.kind === 'peaks' && scene.palette.mood !== 'night' && !scene.motifs.has('dunes')
  const spread = ridge.kind === 'dunes' ? 0.02 : 0.075
  const sample = (x: number, y: number) => noise.clouds(x * 4.5, y * 7, 3) + noise.at(x * 13, y * 21) * 0.25
  const wander = createField(width, height, (x, y) => spread * sample(x, y))
  const lightX = sun?.x ?? 0
  const snowLine = ridge.base - ridge.amplitude * 0.5
  return {
    strength,
    facing: (row, column, below) => {
      if (strength === 0 || below > 0.42) return 0
      const wandering = (wander.row(row)[column] as number) * Math.min(1, below * 12)
      const uphill = clampUnit((outline.slope[column] as number) * 0.8) * below * -0.75
      const shift = (wandering + uphill) * height
      const at = Math.min(width - 1, Math.max(0, column + Math.round(shift)))
      const side = clampUnit((lightX - column / height) * 5)
      const steepness = clampUnit((outline.slope[at] as number) * 1.5)
      return steepness * side * (1 - below / 0.42) ** 2
    },
    snow: (column, below, texture, facing) => {
      if (!isCapped || below > 0.3) return 0
      const edge = snowLine - (outline.top[column] as number) - below * 1.15 + 0.035 * texture
      return edge <= 0 ? 0 : smoothstep(0, 0.035, edge) * (0.6 + 0.4 * facing)
    },
  }
}

function clampUnit(value: number): number {
  return value < -1 ? -1 : value > 1 ? 1 : value
}
