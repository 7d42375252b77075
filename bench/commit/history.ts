import { renderJson } from '../../controller/core/json.ts';
import { manifestPath } from '../../controller/core/manifest.ts';
import type { Json } from '../../controller/core/object.ts';
import { configMapsOf } from '../world/config-maps.ts';
import { type Generated, generateObject } from '../world/generate-object.ts';

/** The same made-up history for every store: a namespace, then commits that change one ConfigMap each. */
export interface History {
  readonly files: readonly File[];
  /** What the `number`th commit writes; each goes to another ConfigMap until all have had their turn. */
  change(number: number): File;
}

export interface File {
  readonly path: string;
  readonly text: string;
}

const BYTES = 2048;
/** A prime: neighbours in time are none in the directory. */
const STRIDE = 7919;

export function makeHistory(objects: number): History {
  const namespace = { name: 'bench', objects };
  const configMaps = configMapsOf(namespace);
  return {
    files: Array.from({ length: objects }, (_, index) => manifestOf(generateObject('bench', index, BYTES))),
    change(number) {
      const target = configMaps[(number * STRIDE) % configMaps.length];
      if (target === undefined) throw new RangeError(`${objects} objects hold no ConfigMap`);
      const generated = generateObject('bench', target.index, BYTES);
      const { data } = generated.object as { data: Record<string, string> };
      data['revision'] = String(number);
      return manifestOf(generated);
    },
  };
}

function manifestOf({ kind, name, object }: Generated): File {
  const group = kind.apiVersion.includes('/') ? `.${kind.apiVersion.split('/')[0]}` : '';
  return { path: manifestPath({ resource: `${kind.plural}${group}`, name }), text: renderJson(object as Json) };
}
