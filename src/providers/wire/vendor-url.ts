/**
 * May the key be shown to this address, which the vendor has named itself? Only on its own host or on hosts of the same
 * domain (`api.bfl.ai` and `api.us1.bfl.ai`), and never in plain text where its own address is not. Under a domain where
 * anybody may have a host, such as one that an operator's proxy lies on, only the host itself is the vendor's.
 */
export function isOfVendor(url: string, baseUrl: string): boolean {
  const target = URL.parse(url)
  const base = URL.parse(baseUrl)
  if (target === null || base === null || target.username !== '' || target.password !== '') return false
  if (target.protocol !== base.protocol && target.protocol !== 'https:') return false
  if (target.hostname === base.hostname) return true
  const domain = base.hostname.split('.').slice(-2).join('.')
  if (!/^[a-z][^.]*\.[a-z]/.test(domain) || isShared(domain)) return false
  return target.hostname.endsWith(`.${domain}`)
}

function isShared(domain: string): boolean {
  return /^(ac|co|com|edu|gov|net|or|org)\.[a-z]{2}$/.test(domain) || HOSTING.has(domain)
}

const HOSTING: ReadonlySet<string> = new Set([
  'amazonaws.com',
  'appspot.com',
  'azurewebsites.net',
  'cloudfront.net',
  'fly.dev',
  'github.io',
  'herokuapp.com',
  'netlify.app',
  'ngrok-free.app',
  'ngrok.io',
  'onrender.com',
  'pages.dev',
  'railway.app',
  'run.app',
  'trycloudflare.com',
  'vercel.app',
  'workers.dev',
])
