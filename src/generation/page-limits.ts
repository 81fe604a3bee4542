/** How many generations, and the like, a page of a list has. */
export const DEFAULT_PAGE_SIZE = 20
export const MAX_PAGE_SIZE = 100

/** Each word is a condition of its own, and a database takes only so many. */
export const LONGEST_SEARCH = 500

/** A text that a list of generations can go on from. */
export const GENERATION_ID = /^gen_[0-9a-z]{1,64}$/
