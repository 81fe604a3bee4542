/** Where a stored picture can be fetched past Pictor, by whoever was found to have a right to it. */
export type DirectDelivery = {
  /** An absolute URL. Nothing is looked up: the picture may not be there. */
  addressOf(picture: DeliveredPicture): Promise<string>
}

export type DeliveredPicture = {
  readonly key: string
  readonly mimeType: string
  readonly filename: string
  /** Of the address that led here. A presigned address ends with it; one of a CDN has no end but deletion. */
  readonly secondsLeft: number
}

/** `baseUrl` is where the storage's own root can be read from, such as a CDN. */
export function createPublicDelivery(baseUrl: string): DirectDelivery {
  return { addressOf: async ({ key }) => `${baseUrl}/${key}` }
}
