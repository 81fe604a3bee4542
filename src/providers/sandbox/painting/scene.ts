import { type Meaning, type Motif, readMeanings, readWords, STYLES, type Style } from './lexicon.ts'
import { createNoise, type Noise } from './noise.ts'
import { mixPalette, type Palette } from './palette.ts'
import { createRandom, type Random } from './random.ts'

/** Everything that decides how a picture looks. The picture is a function of these values alone. */
export type Subject = {
  readonly prompt: string
  readonly negativePrompt: string | null
  readonly seed: number
  readonly style: Style | null
  /** How much there is to see: 1 as it is, less for a sketch, more for a fine picture. */
  readonly detail: number
  /** Null as it is; 0 to 20: how vivid and contrasted. */
  readonly guidanceScale: number | null
  /** Leaves out the ground, so that only what stands before it is seen. */
  readonly transparent: boolean
}

export type Scene = {
  readonly style: Style
  readonly palette: Palette
  readonly motifs: ReadonlySet<Motif>
  readonly detail: number
  readonly transparent: boolean
  readonly contrast: number
  readonly random: Random
  readonly noise: Noise
}

export function composeScene(subject: Subject): Scene {
  const avoidedWords = new Set(readWords(subject.negativePrompt ?? ''))
  const kept = readWords(subject.prompt).filter((word) => !avoidedWords.has(word))
  const meanings = readMeanings(kept.join(' '))
  const avoided = readMeanings(subject.negativePrompt ?? '')
  const random = createRandom(`${subject.seed}\n${subject.prompt}\n${subject.negativePrompt ?? ''}`)
  const strength = subject.guidanceScale === null ? 1 : Math.min(20, Math.max(0, subject.guidanceScale)) / 7
  const style = subject.style ?? chooseStyle(meanings, avoided, random.fork('style'))
  const vividness = 0.5 + 0.5 * Math.min(2, strength)
  return {
    style,
    // Light in the sky is seen in the dark.
    palette: mixPalette(meanings, avoided, vividness, style === 'aurora' ? 'night' : null, random.fork('palette')),
    motifs: chooseMotifs(meanings, avoided, random.fork('motifs')),
    detail: subject.detail,
    transparent: subject.transparent,
    contrast: 0.9 + 0.1 * Math.min(2.5, strength),
    random: random.fork('composition'),
    noise: createNoise(random.fork('noise')),
  }
}

/** A word for a style weighs more than all the styles that nobody asked for. */
function chooseStyle(meanings: readonly Meaning[], avoided: readonly Meaning[], random: Random): Style {
  const unwanted = new Set(avoided.flatMap((meaning) => meaning.styles ?? []))
  const wanted = meanings.flatMap((meaning) => meaning.styles ?? [])
  const pool = [...wanted.flatMap((style) => Array<Style>(10).fill(style)), ...STYLES]
  const [first = 'hills', ...rest] = pool.filter((style) => !unwanted.has(style))
  return random.pick([first, ...rest])
}

function chooseMotifs(meanings: readonly Meaning[], avoided: readonly Meaning[], random: Random): ReadonlySet<Motif> {
  const motifs = new Set(meanings.flatMap((meaning) => meaning.motif ?? []))
  const places: readonly Motif[] = ['sea', 'trees', 'peaks', 'city', 'dunes']
  if (!places.some((place) => motifs.has(place)))
    motifs.add(random.pick(['sea', 'trees', 'trees', 'peaks', 'peaks', 'dunes']))
  if (random.chance(0.6)) motifs.add('sun')
  for (const meaning of avoided) if (meaning.motif) motifs.delete(meaning.motif)
  return motifs
}
