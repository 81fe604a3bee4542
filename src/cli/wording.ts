import type { EstimateMoneyFragment } from '../../schema/generated/operations.ts'

type Money = EstimateMoneyFragment

/** "0.040000" in USD is "0.04 USD": at least two places, and no more than say something. */
export function formatMoney(money: Pick<Money, 'amount' | 'currency'>): string {
  const [whole = '0', fraction = ''] = money.amount.split('.')
  return `${whole}.${fraction.replace(/0+$/, '').padEnd(2, '0')} ${money.currency}`
}

/** One amount where both are the same. null: the price is not known, which is never 0. */
export function formatMoneyRange(range: { readonly min: Money; readonly max: Money } | null): string {
  if (range === null) return 'unknown'
  if (range.min.amount === range.max.amount) return formatMoney(range.max)
  return `${formatMoney(range.min).replace(/ \S+$/, '')} to ${formatMoney(range.max)}`
}

export function formatDuration(ms: number): string {
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`
  const seconds = Math.round(ms / 1000)
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return `${minutes} min ${seconds % 60} s`
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}

/** With an `s` where there is not one: "1 picture", "2 pictures". */
export function formatCount(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}

export function formatBytes(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`
  const units = ['KB', 'MB', 'GB', 'TB']
  const power = Math.min(units.length, Math.floor(Math.log2(bytes) / 10))
  return `${(bytes / 1024 ** power).toFixed(1)} ${units[power - 1]}`
}

/** To the minute, in the time zone of whoever reads it: 2026-11-22 09:20. */
export function formatTime(time: string | number): string {
  const date = new Date(time)
  const two = (value: number) => String(value).padStart(2, '0')
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}`
}

/** Text of others on one line of a terminal, where an escape sequence in it must do nothing. */
export function showable(text: string): string {
  return text
    .replace(/\s+/gu, ' ')
    .replace(/[\p{Cc}\p{Cf}]/gu, '')
    .trim()
}
