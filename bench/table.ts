export type Figure = {
  readonly name: string
  readonly value: number
  readonly unit: string
  readonly goal?: string
  readonly met?: boolean
}

export function formatTable(title: string, figures: readonly Figure[]): string {
  const width = Math.max(...figures.map((figure) => figure.name.length))
  const lines = figures.map(({ name, value, unit, goal, met }) => {
    const rounded = Math.abs(value) >= 100 ? Math.round(value) : Number(value.toPrecision(3))
    const judged = goal === undefined ? '' : `   ${met ? 'met' : 'MISSED'} (${goal})`
    return `  ${name.padEnd(width)}  ${String(rounded).padStart(9)} ${unit}${judged}`
  })
  return [title, ...lines, ''].join('\n')
}

export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((left, right) => left - right)
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5)
}
