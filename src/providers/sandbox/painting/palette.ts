import { createGradient, type Gradient, type Lch, mixLch, type Rgb, toRgb } from './color.ts'
import { type Meaning, MOODS, type Mood } from './lexicon.ts'
import type { Random } from './random.ts'

export type Palette = {
  readonly mood: Mood
  /** Zenith to horizon. */
  readonly sky: Gradient
  /** Far to near. */
  readonly land: Gradient
  /** Dark to light through every hue of the picture. */
  readonly ramp: Gradient
  readonly sun: Rgb
  readonly haze: Rgb
  /** What lies under everything where there is no sky. */
  readonly ground: Rgb
  readonly inks: readonly [Rgb, ...Rgb[]]
  readonly dark: Rgb
  readonly light: Rgb
}

type Hue = { readonly h: number; readonly c: number }
type Hues = { readonly main: Hue; readonly accent: Hue; readonly sky: Hue; readonly land: Hue }

/**
 * Words decide where they can, the seed decides the rest, and what the negative prompt names is kept out. `vividness`
 * scales the chroma, 1 as it is.
 */
export function mixPalette(
  meanings: readonly Meaning[],
  avoided: readonly Meaning[],
  vividness: number,
  forcedMood: Mood | null,
  random: Random,
): Palette {
  const mood = forcedMood ?? chooseMood(meanings, avoided, random)
  const { main, accent, sky, land } = chooseHues(meanings, avoided, random)
  const color: Colorist = (l, c, hue, turn = 0) => ({ l, c: c * hue.c * vividness, h: deepenYellow(hue.h + turn, l) })
  // Past yellow lies a green that nobody means by gold.
  const lean = main.h > 50 && main.h < 130 ? -1 : 1
  const snowy = meanings.some((meaning) => meaning.motif === 'snow')
  const dark = color(mood === 'night' ? 0.1 : 0.24, 0.06, main)
  const light = color(0.96, 0.03, accent)
  const skyStops = SKIES[mood](color, sky, accent)
  const landStops = snowy ? SNOW(color, land) : LANDS[mood](color, land, sky, accent)
  return {
    mood,
    sky: createGradient(skyStops),
    land: createGradient(landStops),
    ramp: createGradient([
      dark,
      color(0.42, 0.13, main),
      color(0.6, 0.15, main, 25 * lean),
      color(0.74, 0.15, accent),
      light,
    ]),
    sun: toRgb(SUNS[mood](color, warmest(accent, main))),
    haze: toRgb(skyStops.at(-1) ?? light),
    ground: toRgb(GROUNDS[mood](color, main, accent)),
    inks: mixInks(color, mood, main, accent, lean),
    dark: toRgb(dark),
    light: toRgb(light),
  }
}

function mixInks(color: Colorist, mood: Mood, main: Hue, accent: Hue, lean: number): [Rgb, ...Rgb[]] {
  return [
    toRgb(color(0.55, 0.17, main)),
    toRgb(color(0.68, 0.17, accent)),
    toRgb(color(mood === 'night' ? 0.4 : 0.33, 0.1, main, -20 * lean)),
    toRgb(color(0.84, 0.1, accent, 20)),
    toRgb(mixLch(color(0.62, 0.13, main), color(0.72, 0.13, accent), 0.5)),
    toRgb(color(0.93, 0.03, accent)),
  ]
}

type Colorist = (l: number, c: number, hue: Hue, turn?: number) => Lch

const SKIES: Record<Mood, (color: Colorist, sky: Hue, accent: Hue) => [Lch, ...Lch[]]> = {
  day: (color, sky, accent) => [color(0.62, 0.12, sky), color(0.79, 0.085, sky), color(0.93, 0.05, accent)],
  dusk: (color, sky, accent) => [
    color(0.29, 0.1, sky),
    color(0.46, 0.13, sky, 20),
    mixLch(color(0.62, 0.15, sky, 30), color(0.68, 0.16, accent), 0.65),
    color(0.86, 0.12, accent, 18),
  ],
  night: (color, sky, accent) => [
    color(0.13, 0.05, sky),
    color(0.23, 0.08, sky),
    mixLch(color(0.38, 0.1, sky), color(0.48, 0.1, accent), 0.25),
  ],
  pale: (color, sky, accent) => [color(0.76, 0.05, sky), color(0.87, 0.035, sky), color(0.955, 0.03, accent)],
}

const LANDS: Record<Mood, (color: Colorist, land: Hue, sky: Hue, accent: Hue) => [Lch, ...Lch[]]> = {
  day: (color, land, sky) => [
    mixLch(color(0.78, 0.06, sky), color(0.72, 0.08, land), 0.4),
    color(0.55, 0.1, land),
    color(0.4, 0.09, land),
    color(0.24, 0.06, land),
  ],
  dusk: (color, land, _sky, accent) => [
    mixLch(color(0.66, 0.13, accent), color(0.5, 0.1, land), 0.35),
    color(0.42, 0.1, land),
    color(0.27, 0.075, land),
    color(0.13, 0.045, land),
  ],
  night: (color, land, sky) => [
    mixLch(color(0.36, 0.07, sky), color(0.32, 0.06, land), 0.5),
    color(0.22, 0.05, land),
    color(0.07, 0.025, land),
  ],
  pale: (color, land) => [
    color(0.86, 0.03, land),
    color(0.7, 0.05, land),
    color(0.5, 0.06, land),
    color(0.33, 0.05, land),
  ],
}

const SNOW = (color: Colorist, land: Hue): [Lch, ...Lch[]] => [
  color(0.74, 0.09, land),
  color(0.83, 0.07, land),
  color(0.91, 0.05, land),
  color(0.97, 0.025, land),
]

const SUNS: Record<Mood, (color: Colorist, accent: Hue) => Lch> = {
  day: (color, accent) => color(0.96, 0.09, accent),
  dusk: (color, accent) => color(0.92, 0.11, accent, 16),
  night: (color) => color(0.94, 0.03, { h: 95, c: 1 }),
  pale: (color, accent) => color(0.67, 0.19, accent),
}

const GROUNDS: Record<Mood, (color: Colorist, main: Hue, accent: Hue) => Lch> = {
  day: (color, _main, accent) => color(0.93, 0.035, accent),
  dusk: (color, main) => color(0.3, 0.08, main),
  night: (color, main) => color(0.17, 0.045, main),
  pale: (color, main) => color(0.955, 0.012, main),
}

/** Distance between accent and main hue: neighbours, split complements, complement. */
const SCHEMES = [-55, 40, 60, 140, 165, 180, 205] as const

function chooseHues(meanings: readonly Meaning[], avoided: readonly Meaning[], random: Random): Hues {
  const unwanted = avoided.flatMap((meaning) => (meaning.tint ? [meaning.tint[0]] : []))
  const keepOut = (hue: Hue): Hue => {
    const clash = unwanted.find((h) => turnBetween(h, hue.h) < 40)
    return clash === undefined ? hue : { ...hue, h: clash + 110 }
  }
  const named = meanings.flatMap((meaning) => (meaning.tint ? [toHue(meaning.tint)] : []))
  const tints = [...named.filter((tint) => tint.c >= 0.5), ...named.filter((tint) => tint.c < 0.5)]
  const [first = { h: random.between(0, 360), c: random.between(0.85, 1.1) }] = tints
  const second = tints.find((tint) => turnBetween(tint.h, first.h) > 25)
  const answer = { h: first.h + random.pick(SCHEMES), c: random.between(0.85, 1.1) }
  const land = meanings.find((meaning) => meaning.land)?.land
  const sky = meanings.find((meaning) => meaning.sky)?.sky
  const scene = land ?? sky
  const main = scene ? toHue(scene) : first
  const accent = scene ? (tints[0] ?? warmAnswer(main, random)) : (second ?? answer)
  const lightSource = accent.c < 0.5 ? { ...accent, c: 0.7 } : accent
  return {
    main: keepOut(main),
    accent: keepOut(lightSource),
    sky: keepOut(sky ? toHue(sky) : { h: main.h + random.between(-35, 35), c: main.c }),
    land: keepOut(land ? toHue(land) : { h: main.h + random.between(-25, 25), c: main.c * 0.9 }),
  }
}

/** Light is warm before a cool scene, and a shade of the scene itself before a warm one. */
function warmAnswer(main: Hue, random: Random): Hue {
  const isCool = main.h > 120 && main.h < 320
  return isCool ? { h: random.between(35, 85), c: 1 } : { h: main.h + random.between(-30, 25), c: 1.05 }
}

function chooseMood(meanings: readonly Meaning[], avoided: readonly Meaning[], random: Random): Mood {
  const unwanted = new Set(avoided.map((meaning) => meaning.mood))
  const named = meanings.flatMap((meaning) => meaning.mood ?? [])
  const [wanted] = [...named.filter((mood) => mood !== 'pale'), ...named].filter((mood) => !unwanted.has(mood))
  const [first = 'day', ...rest] = MOODS.filter((mood) => !unwanted.has(mood))
  return wanted ?? random.pick([first, ...rest])
}

/** Suns are warm, whatever they shine on. */
function warmest(...hues: readonly Hue[]): Hue {
  return hues.find(({ h }) => turnBetween(h, 40) < 75) ?? { h: 55, c: 1 }
}

/** Dark yellow looks like mud: shades of yellow lean towards orange, as paint and gold do. */
function deepenYellow(hue: number, lightness: number): number {
  const h = ((hue % 360) + 360) % 360
  const yellowness = Math.max(0, 1 - Math.abs(h - 90) / 32)
  return h - yellowness * 60 * Math.max(0, 0.85 - lightness)
}

function toHue([h, c]: readonly [number, number]): Hue {
  return { h, c }
}

function turnBetween(a: number, b: number): number {
  const turn = Math.abs(a - b) % 360
  return Math.min(turn, 360 - turn)
}
