/** Of the resource that holds a stored picture. Ids are of our making, so nothing in it needs to be escaped. */
export function imageUri(imageId: string): string {
  return `pictor://images/${imageId}`
}

export const IMAGE_URI_TEMPLATE = 'pictor://images/{id}'
