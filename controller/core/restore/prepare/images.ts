import type { ResourceName } from '../../object.ts';
import { type Draft, isOtherCluster, isOtherNamespace, podSpecPointer, rewrite } from './draft.ts';

/** Where images come from: mapped as asked, and out of the internal registry of OpenShift by its namespaces. */

/** The internal registry's names inside a cluster; its path begins with a namespace. */
const INTERNAL =
  /^((?:image-registry\.openshift-image-registry|docker-registry\.default)\.svc(?:\.cluster\.local)?(?::\d+)?)\/([^/]+)\/([^@]+)(@.+)?$/;

export function prepareImages(draft: Draft): void {
  const changed = new Map<string, string>();
  for (const pattern of imagePatterns(draft.context.resource)) {
    rewrite(draft, pattern, (image) => {
      const next = mapImage(image, draft);
      if (next !== image) changed.set(image, next);
      return next;
    });
  }
  for (const [image, next] of changed) draft.notes.push(`image ${next} instead of ${image}`);
}

function imagePatterns(resource: ResourceName): readonly string[] {
  const spec = podSpecPointer(resource);
  if (spec !== undefined) return ['containers', 'initContainers'].map((list) => `${spec}/${list}/*/image`);
  if (resource === 'imagestreams.image.openshift.io') return ['/spec/tags/*/from/name', '/spec/dockerImageRepository'];
  if (resource === 'buildconfigs.build.openshift.io') {
    return [
      '/spec/output/to/name',
      '/spec/source/images/*/from/name',
      ...['sourceStrategy', 'dockerStrategy', 'customStrategy'].map((one) => `/spec/strategy/${one}/from/name`),
    ];
  }
  return [];
}

function mapImage(image: string, draft: Draft): string {
  for (const [from, to] of draft.context.mappings.images) {
    if (isPrefix(image, from)) return to + image.slice(from.length);
  }
  const match = INTERNAL.exec(image);
  if (match === null) return image;
  const [, registry, namespace = '', name = '', digest = ''] = match;
  const { from, to } = draft.context;
  if (namespace === from.namespace && isOtherNamespace(draft.context))
    return `${registry}/${to.namespace}/${name}${digest}`;
  // Every cluster has its own build of the images that OpenShift brings along.
  if (namespace === 'openshift' && digest !== '' && isOtherCluster(draft.context)) {
    return `${registry}/${namespace}/${name}${name.includes(':') ? '' : ':latest'}`;
  }
  return image;
}

/** 'registry.example/shop' is no prefix of 'registry.example/shopping:1'. */
function isPrefix(image: string, prefix: string): boolean {
  if (prefix === '' || !image.startsWith(prefix)) return false;
  return image.length === prefix.length || /[/:@]$/.test(prefix) || /^[/:@]/.test(image.slice(prefix.length));
}
