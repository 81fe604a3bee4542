/** `outputFormat` is `output_format` to callers of doors with fixed calls. */
export function toSnakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
}
