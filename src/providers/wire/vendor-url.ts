/**
 * May the key be shown to this address, which the vendor has named itself? Only on its own host or on hosts of the same
 * domain (`api.bfl.ai` and `api.us1.bfl.ai`), and never in plain text where its own address is not.
 */
export function isOfVendor(url: string, baseUrl: string): boolean {
  const target = URL.parse(url)
  const base = URL.parse(baseUrl)
  if (target === null || base === null || target.username !== '' || target.password !== '') return false
  if (target.protocol !== base.protocol && target.protocol !== 'https:') return false
  if (target.hostname === base.hostname) return true
  const domain = base.hostname.split('.').slice(-2).join('.')
  return /^[a-z]/i.test(domain) && domain.includes('.') && target.hostname.endsWith(`.${domain}`)
}
