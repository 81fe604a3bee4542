/** Colour in OKLCH: lightness 0 to 1, chroma 0 to about 0.3, hue in degrees. Equal steps look equal. */
export type Lch = { readonly l: number; readonly c: number; readonly h: number }

/** Linear light, sRGB primaries, 0 to 1. */
export type Rgb = readonly [red: number, green: number, blue: number]

/** Brings the chroma down until sRGB can show the colour. */
export function toRgb({ l, c, h }: Lch): Rgb {
  let low = 0
  let high = c
  let rgb = convert(l, c, h)
  if (isShown(rgb)) return rgb
  for (let step = 0; step < 12; step++) {
    const middle = (low + high) / 2
    if (isShown(convert(l, middle, h))) low = middle
    else high = middle
  }
  rgb = convert(l, low, h)
  return [clamp(rgb[0]), clamp(rgb[1]), clamp(rgb[2])]
}

/** Between two colours, in a straight line through OKLab: no grey dip between hues, no detour through the rainbow. */
export function mixLch(a: Lch, b: Lch, t: number): Lch {
  const ax = a.c * Math.cos(radians(a.h))
  const ay = a.c * Math.sin(radians(a.h))
  const x = ax + (b.c * Math.cos(radians(b.h)) - ax) * t
  const y = ay + (b.c * Math.sin(radians(b.h)) - ay) * t
  return { l: a.l + (b.l - a.l) * t, c: Math.hypot(x, y), h: (Math.atan2(y, x) * 180) / Math.PI }
}

/** 256 steps of a run of colours, three numbers each. */
export type Gradient = Float32Array

export function createGradient(stops: readonly [Lch, ...Lch[]]): Gradient {
  const gradient = new Float32Array(256 * 3)
  for (let i = 0; i < 256; i++) {
    const position = (i / 255) * (stops.length - 1)
    const index = Math.min(Math.floor(position), stops.length - 1)
    const from = stops[index] ?? stops[0]
    const to = stops[index + 1] ?? from
    gradient.set(toRgb(mixLch(from, to, position - index)), i * 3)
  }
  return gradient
}

/** Offset in a gradient of `t` from 0 to 1. */
export function stepOf(t: number): number {
  return (t <= 0 ? 0 : t >= 1 ? 255 : Math.round(t * 255)) * 3
}

export function sampleGradient(gradient: Gradient, t: number): Rgb {
  const step = stepOf(t)
  return [gradient[step] as number, gradient[step + 1] as number, gradient[step + 2] as number]
}

function convert(l: number, c: number, h: number): Rgb {
  const a = c * Math.cos(radians(h))
  const b = c * Math.sin(radians(h))
  const long = (l + 0.3963377774 * a + 0.2158037573 * b) ** 3
  const medium = (l - 0.1055613458 * a - 0.0638541728 * b) ** 3
  const short = (l - 0.0894841775 * a - 1.291485548 * b) ** 3
  return [
    4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short,
    -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short,
    -0.0041960863 * long - 0.7034186147 * medium + 1.707614701 * short,
  ]
}

function isShown(rgb: Rgb): boolean {
  return rgb.every((part) => part >= -0.0005 && part <= 1.0005)
}

function clamp(value: number): number {
  return Math.min(1, Math.max(0, value))
}

function radians(degrees: number): number {
  return (degrees * Math.PI) / 180
}
