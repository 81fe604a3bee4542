/**
 * A smooth function of the picture, computed on a coarse grid and interpolated between: noise is the dearest thing in a
 * picture, and most of it has no detail that a grid of four pixels would miss.
 */
export type Field = {
  /** The values of one row of pixels. The array is reused by the next one. */
  row(row: number): Float32Array
}

const CELL = 4

/** `sample` takes lengths in picture heights. */
export function createField(width: number, height: number, sample: (x: number, y: number) => number): Field {
  const cell = Math.max(1, Math.min(CELL, Math.floor(height / 64)))
  const columns = Math.ceil(width / cell) + 2
  const values = new Float32Array(width)
  const blended = new Float32Array(columns)
  let upper = { line: -1, values: new Float32Array(columns) }
  let lower = { line: -1, values: new Float32Array(columns) }
  const compute = (line: number, into: typeof upper) => {
    for (let i = 0; i < columns; i++) into.values[i] = sample((i * cell + 0.5) / height, (line * cell + 0.5) / height)
    into.line = line
    return into
  }
  const moveTo = (line: number) => {
    if (upper.line === line) return
    if (lower.line === line) [upper, lower] = [lower, upper]
    else upper = compute(line, upper)
    lower = compute(line + 1, lower)
  }
  let current = -1
  return {
    row: (row) => {
      if (row === current) return values
      current = row
      const line = Math.floor(row / cell)
      moveTo(line)
      const down = row / cell - line
      for (let i = 0; i < columns; i++) {
        blended[i] = (upper.values[i] as number) * (1 - down) + (lower.values[i] as number) * down
      }
      for (let column = 0, i = 0; column < width; i++) {
        const from = blended[i] as number
        const step = ((blended[i + 1] as number) - from) / cell
        for (let k = 0; k < cell && column < width; k++, column++) values[column] = from + step * k
      }
      return values
    },
  }
}
