/**
 * The seed of one image of several where the vendor makes one a call: the first has the one that was asked for and each
 * further one the next, or all of them would be the same picture, paid for again and again. Past the largest it goes on
 * at 1, since 0 is any seed to some vendors.
 */
export function seedOfPart(seed: number | null, index: number, maxSeed: number): number | null {
  if (seed === null) return null
  const own = seed + index
  return own <= maxSeed ? own : own - maxSeed
}
