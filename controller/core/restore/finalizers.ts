/**
 * Is somebody there who may take this finalizer away? Nothing registers finalizers, so this goes by domains: who sets
 * 'widgets.example.com/cleanup' or 'finalizer.example.com' serves some group of example.com. Without anybody the object could never
 * be deleted.
 */
export function hasKeeper(finalizer: string, servedGroups: Iterable<string>): boolean {
  const domain = finalizer.split('/', 1)[0] as string;
  if (!domain.includes('.')) return false;
  for (const group of servedGroups) {
    if (group === domain || domain.endsWith(`.${group}`) || group.endsWith(`.${domain}`)) return true;
    if (group.includes('.') && !isShared(domain) && siteOf(group) === siteOf(domain)) return true;
  }
  return false;
}

function siteOf(domain: string): string {
  return domain.split('.').slice(-2).join('.');
}

/** Many who know nothing of each other have their groups below these. */
function isShared(domain: string): boolean {
  return ['k8s.io', 'kubernetes.io', 'github.io', 'github.com', 'openshift.io'].includes(siteOf(domain));
}
