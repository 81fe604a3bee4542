export const STYLES = ['hills', 'flow', 'orbs', 'aurora', 'facets'] as const
/** A family of compositions. */
export type Style = (typeof STYLES)[number]

export const MOODS = ['day', 'dusk', 'night', 'pale'] as const
export type Mood = (typeof MOODS)[number]

export type Motif = 'sea' | 'snow' | 'trees' | 'peaks' | 'city' | 'stars' | 'sun' | 'mist' | 'dunes'

export type Meaning = {
  /** Hue in degrees of OKLCH, and chroma as a factor. A colour word tints; a scene word says where. */
  readonly tint?: readonly [hue: number, chroma: number]
  readonly land?: readonly [hue: number, chroma: number]
  readonly sky?: readonly [hue: number, chroma: number]
  readonly mood?: Mood
  readonly motif?: Motif
  readonly styles?: readonly Style[]
}

const ENTRIES: readonly (readonly [words: string, meaning: Meaning])[] = [
  ['red crimson scarlet ruby blood cherry tomato strawberry rot rouge rojo', { tint: [27, 1.25] }],
  ['fox tiger pumpkin orange tangerine carrot rust copper amber ginger', { tint: [52, 1.15] }],
  ['yellow lemon gold golden honey sunflower bee lion banana', { tint: [88, 1.1] }],
  ['lime chartreuse frog', { tint: [122, 1.15] }],
  ['green emerald moss fern leaf grass meadow', { tint: [148, 1] }],
  ['teal turquoise jade mint', { tint: [185, 0.9] }],
  ['cyan aqua', { tint: [205, 1] }],
  ['blue azure sapphire whale', { tint: [252, 1.1] }],
  ['navy indigo', { tint: [272, 1.1], mood: 'night' }],
  ['violet purple lavender lilac plum amethyst iris wizard', { tint: [303, 1.05] }],
  ['magenta fuchsia neon cyberpunk synthwave', { tint: [338, 1.3], mood: 'dusk', styles: ['facets', 'aurora'] }],
  ['pink rose blossom sakura flamingo peony candy', { tint: [2, 0.9], mood: 'pale' }],
  ['brown coffee chocolate wood bear leather autumn', { tint: [55, 0.7] }],
  ['black charcoal raven dark shadow noir', { mood: 'night', tint: [265, 0.35] }],
  ['white ivory pearl porcelain swan dove', { mood: 'pale', tint: [90, 0.25] }],
  ['grey gray silver stone concrete steel fog foggy mist misty', { mood: 'pale', tint: [250, 0.3], motif: 'mist' }],
  [
    'snow snowy winter ice icy frost glacier arctic',
    { mood: 'pale', land: [245, 0.3], sky: [240, 0.5], motif: 'snow', styles: ['hills', 'hills'] },
  ],
  ['night midnight', { mood: 'night', sky: [268, 1], motif: 'stars', styles: ['hills', 'aurora'] }],
  [
    'star stars starry galaxy nebula cosmos space universe',
    { mood: 'night', sky: [285, 1], motif: 'stars', styles: ['aurora', 'orbs'] },
  ],
  ['moon moonlight lunar', { mood: 'night', sky: [262, 0.8], motif: 'stars', styles: ['hills'] }],
  ['aurora borealis northern', { mood: 'night', tint: [160, 1.2], styles: ['aurora', 'aurora', 'aurora'] }],
  [
    'sunset dusk twilight evening',
    { mood: 'dusk', sky: [295, 1], tint: [45, 1.2], motif: 'sun', styles: ['hills', 'hills'] },
  ],
  ['sunrise dawn morning', { mood: 'dusk', sky: [250, 0.7], tint: [65, 1.05], motif: 'sun', styles: ['hills'] }],
  ['sun sunny summer noon', { mood: 'day', motif: 'sun', styles: ['hills'] }],
  ['forest jungle tree pine fir woodland redwood', { land: [152, 1], motif: 'trees', styles: ['hills', 'hills'] }],
  ['mountain alps peak summit himalaya cliff everest', { motif: 'peaks', styles: ['hills', 'hills'] }],
  ['hill valley field landscape village farm island', { styles: ['hills', 'hills'] }],
  [
    'sea ocean lake beach water coast bay river harbour harbor sail boat ship',
    { land: [228, 0.9], sky: [235, 1], motif: 'sea', styles: ['hills', 'hills'] },
  ],
  [
    'desert dune sahara sand savanna canyon mars',
    { land: [58, 1.05], sky: [62, 0.7], motif: 'dunes', styles: ['hills', 'hills'] },
  ],
  ['city skyline tokyo york street tower skyscraper building downtown', { motif: 'city', styles: ['hills', 'facets'] }],
  ['storm rain thunder', { mood: 'night', sky: [255, 0.5], motif: 'mist', styles: ['hills', 'flow'] }],
  [
    'fire flame lava ember volcano phoenix',
    { mood: 'night', tint: [42, 1.4], sky: [25, 1], styles: ['flow', 'aurora'] },
  ],
  ['spring garden flower', { mood: 'day', tint: [350, 1], land: [135, 1], styles: ['hills', 'orbs', 'flow'] }],
  [
    'wind dance dancer hair silk fur feather wave wavy fluid flow smoke cat horse bird fish koi',
    { styles: ['flow', 'flow'] },
  ],
  [
    'abstract jazz music bubble balloon planet circle round balls bauhaus kandinsky geometric robot logo icon',
    { styles: ['orbs', 'orbs'] },
  ],
  [
    'crystal diamond glass gem origami polygon prism mosaic cathedral castle architecture owl wolf dragon',
    { styles: ['facets', 'facets'] },
  ],
]

const MEANINGS: ReadonlyMap<string, Meaning> = new Map(
  ENTRIES.flatMap(([words, meaning]) => words.split(' ').map((word) => [word, meaning] as const)),
)

/** What the words of a text mean to the painter, in their order; words that it does not know mean nothing. */
export function readMeanings(text: string): readonly Meaning[] {
  return readWords(text).flatMap((word) => MEANINGS.get(word) ?? MEANINGS.get(word.replace(/(?:es|s)$/, '')) ?? [])
}

export function readWords(text: string): readonly string[] {
  return text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []
}
