import { setAt } from '../../pointer.ts';
import { at, type Draft, isOtherNamespace, isSamePlace, leave, metadataMap, placesOf } from './draft.ts';

/** Host names that the world reaches an application by. Two objects with one host take each other's visitors. */

const HOSTS: Readonly<Record<string, readonly string[]>> = {
  'ingresses.networking.k8s.io': ['/spec/rules/*/host', '/spec/tls/*/hosts/*'],
  'ingresses.extensions': ['/spec/rules/*/host', '/spec/tls/*/hosts/*'],
  'routes.route.openshift.io': ['/spec/host'],
  'gateways.gateway.networking.k8s.io': ['/spec/listeners/*/hostname'],
  'httproutes.gateway.networking.k8s.io': ['/spec/hostnames/*'],
  'grpcroutes.gateway.networking.k8s.io': ['/spec/hostnames/*'],
  'tlsroutes.gateway.networking.k8s.io': ['/spec/hostnames/*'],
};

export function prepareHosts(draft: Draft): void {
  const patterns = HOSTS[draft.context.resource] ?? [];
  if (draft.context.resource === 'routes.route.openshift.io' && leaveGeneratedHost(draft)) return;
  const seen = new Map<string, string>();
  for (const pointer of patterns.flatMap((pattern) => placesOf(draft.object, pattern))) {
    const host = at(draft, pointer);
    if (typeof host !== 'string' || host === '') continue;
    const next = mapHost(host, draft.context.mappings.hosts);
    seen.set(host, next);
    setAt(draft.object, pointer, next);
  }
  for (const [host, next] of seen) draft.notes.push(...noteOf(draft, host, next));
}

/** OpenShift's router made it of the name, the namespace and its own domain. */
function leaveGeneratedHost(draft: Draft): boolean {
  if (metadataMap(draft.object, 'annotations')['openshift.io/host.generated'] !== 'true') return false;
  if (isSamePlace(draft.context)) return false;
  if (leave(draft, '/spec/host')) draft.notes.push('host is given out anew: the router had made it up');
  return true;
}

/** What is cleared keeps its shape: an Ingress without a host would answer for every name. */
function mapHost(host: string, hosts: Draft['context']['mappings']['hosts']): string {
  if (hosts === undefined) return host;
  if (hosts === 'clear') return host.endsWith('.invalid') ? host : `${host}.invalid`;
  const exact = hosts.get(host);
  if (exact !== undefined) return exact;
  for (const [from, to] of hosts) {
    const suffix = from.startsWith('*.') && to.startsWith('*.') ? from.slice(1) : undefined;
    if (suffix !== undefined && host.endsWith(suffix)) return host.slice(0, -suffix.length) + to.slice(1);
  }
  return host;
}

function noteOf({ context }: Draft, host: string, next: string): readonly string[] {
  if (next !== host) return [`host ${next} instead of ${host}`];
  return isOtherNamespace(context) ? [`keeps host ${host}, which another namespace may answer for`] : [];
}
